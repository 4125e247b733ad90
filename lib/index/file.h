/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h - the files of messages: their names, and the directories they are
 * in.
 *
 * Life:      folder_open() to folder_close(), within one call of lib/index.
 * Blocking:  as the file system does.
 */
#ifndef INDEX_FILE_H
#define INDEX_FILE_H

#include "index/box.h"
#include "index/store.h"

/* An open Maildir of the account. */
struct folder {
    char path[STORE_NAME_MAX + 2]; /* "." for INBOX, ".Name" */
    int new_dir, cur_dir;
    uint64_t life;                 /* of the suite, as the store has it */
};

/* Open the Maildir of mailbox `name`: 1, 0 when there is none, -1. */
int folder_open(struct store *s, struct view name, struct folder *f,
                struct error *err);
void folder_close(struct folder *f);

/* The part of a file's name that stays when flags change. */
struct view file_base(struct view file);

/* The flags in a file's name ("...:2,FS"), and the same name with others;
 * letters that are not ours stay. */
uint32_t file_flags(struct view file);
void file_rename(struct buf *out, struct view file, uint32_t flags);

/* Give message `m` the name that its flags want, in cur/, and note where it
 * is now. Best effort: a file that moved meanwhile is found by the next scan.
 * `to` holds the name that m->file then points to. True when the file got
 * another name: that must be durable before the index says so, or a name that
 * a power cut brings back would look like a change by another tool. */
bool file_mirror(struct folder *f, struct msg *m, struct buf *to);

/* Did somebody put the file of an expunged message back, from a backup for
 * instance? Nothing has changed one that a crash brings back (`changed`, its
 * st_ctime) since it was expunged. Both are seconds. */
bool file_was_put_back(int64_t changed, uint64_t expunged);

/* The stamp of one of its directories. */
struct stamp_of folder_stamp(const struct folder *f, int dir);
bool stamp_is_same(struct stamp_of a, struct stamp_of b);

/* After a change of ours in cur/, whose stamp was `before`: what we did
 * ourselves is no news. */
void folder_changed(struct folder *f, struct box *b,
                    const struct stamp_of *before);

/* How many of the file's `len` bytes are line ends without their CR; what
 * cannot be read counts for none. */
uint64_t file_count_bare(int fd, uint64_t len);

#endif
