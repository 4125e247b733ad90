/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maildir.h - a mailbox on disk, as every Maildir tool knows it.
 *
 * Life:      maildir_open, deliveries, maildir_close.
 * Ownership: the handle owns its descriptors.
 * Errors:    FAIL_TEMP for what the system refused; FAIL_PERM for a path that
 *            is not ours to use.
 * Durability: a message is delivered when its bytes, its name and every
 *            directory above it would survive a power cut: file first, then
 *            link, then directory.
 * Blocking:  on the disk.
 */
#ifndef MAILDIR_MAILDIR_H
#define MAILDIR_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct maildir {
    int dir;              /* the Maildir itself */
    int new_dir, cur_dir; /* its new/ and cur/ */
    const char *path;     /* for messages; borrowed */
};

/* Append the path of "user@domain" below a tenant's directory: canonical
 * components, other bytes and leading dots as %XX (DESIGN §6). False when it
 * is no such address or a component would be too long. */
bool maildir_account_path(struct buf *out, struct view account);

/* Open the Maildir `path` below `root`, following no link; with `create` make
 * what is missing, durably. `path` is borrowed. */
int maildir_open(struct maildir *m, int root, const char *path, bool create,
                 struct error *err);
void maildir_close(struct maildir *m);

/* --- names ------------------------------------------------------------- */

/* The name that a delivery of one queue file to one recipient always gets:
 * "<seconds>.Q<queue id>R<hash of the recipient>.<host>,S=<size>". */
void maildir_delivery_name(struct buf *out, uint64_t arrival_us,
                           struct view queue_id, struct view recipient,
                           const char *host, uint64_t size);

/* A name that no file has yet, "<seconds>.M<us>P<pid>V<count>Q.<host>,S=<size>"
 * for `size` bytes whose lines all end in CRLF; without the Q for others. */
void maildir_new_name(struct buf *out, const char *host, uint64_t size,
                      bool all_crlf);

/* Does `base`, a file's name up to its ":", say that we wrote the file, with
 * `size` bytes whose lines all end in CRLF? True for what the two functions
 * above make and for what maildir_deliver() makes of it, and for nothing that
 * another program would call its files. */
bool maildir_name_says_crlf(struct view base, uint64_t size);

/* --- delivery ---------------------------------------------------------- */

enum maildir_result {
    MAILDIR_DELIVERED,
    MAILDIR_ALREADY, /* the same message was there from an earlier attempt */
};

/* What is delivered: `head`, then `len` bytes of `fd` from `offset`. */
struct maildir_message {
    struct view head;
    int fd;
    uint64_t offset, len;
};

/* Deliver into new/ under `name`, durably. With `suspect` look first whether
 * an earlier attempt has delivered it: by the name's base in new/, in cur/
 * with any flags, and in every folder. A file of that name that is not the
 * same message is left alone; ours gets another name and a warning is logged.
 * `mtime_us` becomes the file's time (IMAP's INTERNALDATE). */
int maildir_deliver(struct maildir *m, const char *name,
                    const struct maildir_message *msg, uint64_t mtime_us,
                    bool suspect, enum maildir_result *result,
                    struct error *err);

/* Before the jail: prepare linking nameless files on older kernels. */
void maildir_prepare(void);

#endif
