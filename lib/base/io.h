/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io.h - reading and writing whole things through descriptors.
 *
 * All functions go on after EINTR and short transfers. Blocking: as long as
 * the descriptor does, unless a deadline is named.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Write all `len` bytes (at `offset` for io_pwrite_all). `what` names the
 * file or peer in the error sentence. */
int io_write_all(int fd, const void *data, size_t len, const char *what,
                 struct error *err);
int io_pwrite_all(int fd, const void *data, size_t len, uint64_t offset,
                  const char *what, struct error *err);

/* Read exactly `len` bytes at `offset`; a shorter file is an error. */
int io_pread_all(int fd, void *data, size_t len, uint64_t offset,
                 const char *what, struct error *err);

/* Append to `b` all that `fd` holds from its current position, at most
 * `limit` bytes; more is an error. */
int io_read_all(int fd, struct buf *b, size_t limit, const char *what,
                struct error *err);

/* The same for the regular file `path` below the directory `dir` (AT_FDCWD). */
int io_read_file(int dir, const char *path, struct buf *b, size_t limit,
                 struct error *err);

/* -1 for what is no regular file: an empty FIFO looks like an empty one. */
int io_is_file(int fd, const char *what, struct error *err);

/* fsync(2) that can be believed: 0 when what was done to the file or directory
 * before is durable; else -1 and errno. XFS that has shut itself down, since
 * its disk failed, says of a directory that all is well; but not what it is. */
int io_sync(int fd);

/* Make `data` all that the file `name` of the directory `dir` holds: written
 * to NAME.new (which gets `mode`, less the umask, unless it is there), synced,
 * renamed to NAME, and the directory synced. Nobody ever reads a part of it,
 * also after a power cut, and once it has returned 0 the new content is
 * durable. After -1 NAME holds the old or, when only the directory could not
 * be synced, the new content; NAME.new may be left and is overwritten by the
 * next call. It waits for the disk. Two must not replace one file at a time. */
int io_replace_file(int dir, const char *name, const void *data, size_t len,
                    mode_t mode, struct error *err);

/* Copy `len` bytes at `offset` of `from` to the current position of `to`,
 * inside the kernel where it can. */
int io_copy(int from, uint64_t offset, uint64_t len, int to, const char *what,
            struct error *err);

/* Open a directory to be listed; a link is not followed. NULL, and errno. The
 * caller closes it by closedir(). */
DIR *io_open_dir(int dir, const char *path);

/* The next name that is not "." or "..". False at the end, where errno is 0, or
 * when the system says no: then names are missing, and errno says why. */
bool io_next_name(DIR *dir, struct dirent **entry);

/* Wait until `fd` is ready for `events` (poll(2)): 1 when it is, 0 when
 * `timeout_ms` passed (-1: never), -1 on error. */
int io_wait(int fd, short events, int timeout_ms);

/* The same, or until `other` (-1: none) can be read, which is 2 and counts
 * first. */
int io_wait_either(int fd, short events, int other, int timeout_ms);

/* Close *fd if it is not -1, and make it -1. */
void io_close(int *fd);

#endif
