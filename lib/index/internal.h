/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal.h - what the pieces of lib/index share.
 *
 *     env.c       LMDB (txn.h)
 *     validity.c  UIDVALIDITYs that were never given before
 *     box.c       a mailbox's record and its messages' records
 *     file.c      names of files, and their directories
 *     scan.c      taking in what changed on disk
 *     store.c     the tree of mailboxes
 *     mailbox.c   views
 *     change.c    flags, keywords, expunge
 *     append.c    append, copy, move
 *     facts.c     what was learned from messages
 */
#ifndef INDEX_INTERNAL_H
#define INDEX_INTERNAL_H

#include "index/mailbox.h"
#include "index/txn.h"

/* --- validity.c -------------------------------------------------------- */

/* A UIDVALIDITY above all that this account ever gave, durably; 0 on error. */
uint32_t validity_next(struct store *s, struct error *err);

/* --- box.c ------------------------------------------------------------- */

/* When a directory last changed, and which one it is. */
struct stamp_of {
    uint64_t mtime_ns, inode;
};

/* Of the records below; an index with another one is rebuilt. */
#define INDEX_FORMAT 2

struct box {
    uint32_t id, uid_validity, uid_next;
    uint32_t first_recent; /* UIDs from here on nobody has seen */
    uint32_t count;        /* of messages; kept by box_count() */
    uint32_t unseen, deleted;
    uint32_t use;          /* enum store_use */
    uint64_t size;         /* of all, as clients see it */
    uint64_t modseq;       /* the highest given */
    struct stamp_of new_dir, cur_dir; /* as last scanned */
    struct buf keywords;   /* names, each with a NUL; an empty one is unused */
};

struct msg {
    uint32_t uid, flags, date;
    uint64_t keywords, modseq, size; /* as clients see it */
    uint64_t bytes;                  /* of the file */
    uint32_t mirrored; /* the flags that the file's name has */
    bool in_new;
    struct view file;  /* its name, in new/ or cur/ */
};

/* Read a mailbox's record: 1, 0 when there is none, -1. The caller releases
 * box->keywords. */
int box_get(struct txn *t, struct view name, struct box *b, struct error *err);
int box_put(struct txn *t, struct view name, const struct box *b,
            struct error *err);
void box_release(struct box *b);

/* Count a message in (sign 1) or out (-1); one that changes goes out as it was
 * and in as it is. */
void box_count(struct box *b, const struct msg *m, int sign);
bool box_same_sums(const struct box *a, const struct box *b);

/* Read it, making one if there is none (in a writer). */
int box_need(struct txn *t, struct view name, struct box *b,
             struct error *err);

/* Give the mailbox's next UID away. One more must be left to be told as the
 * next; when none is, the index is given up, so that UIDs begin anew under a
 * UIDVALIDITY that is higher (RFC 3501 §2.3.1.1). */
int box_take_uid(struct txn *t, struct box *b, uint32_t *uid,
                 struct error *err);

struct msg_key {
    unsigned char bytes[8];
};
/* The key of a message in the mailbox `id`, made in *k. */
struct view msg_key(struct msg_key *k, uint32_t id, uint32_t uid);

/* Write, read (1, 0 when it is not there, -1) and remove a message's record in
 * the mailbox `id`. */
int msg_put(struct txn *t, uint32_t id, const struct msg *m,
            struct error *err);
int msg_get(struct txn *t, uint32_t id, uint32_t uid, struct msg *m,
            struct error *err);
int msg_delete(struct txn *t, uint32_t id, uint32_t uid, struct error *err);

/* Called for one message after another, until it gives other than 0. */
typedef int msg_visitor(const struct msg *m, void *arg, struct error *err);

/* All messages of a mailbox from this UID on, in the order of UIDs; those of
 * all mailboxes. What the last call gave, or -1. */
int msg_each(struct txn *t, uint32_t id, uint32_t from_uid, msg_visitor *each,
             void *arg, struct error *err);
int msg_all(struct txn *t, msg_visitor *each, void *arg, struct error *err);

/* --- scan.c ------------------------------------------------------------ */

/* An open Maildir of the account. */
struct folder {
    char path[STORE_NAME_MAX + 2]; /* "." for INBOX, ".Name" */
    int new_dir, cur_dir;
};

/* Open the Maildir of mailbox `name`: 1, 0 when there is none, -1. */
int folder_open(struct store *s, struct view name, struct folder *f,
                struct error *err);
void folder_close(struct folder *f);

/* Take in what changed on disk, if anything did. With `move` files in new/ go
 * to cur/. *changed tells whether the index did. */
int scan(struct store *s, struct view name, bool move, bool *changed,
         enum store_why *why, struct error *err);

/* The same when a file was not where the index has it, for whoever renamed it
 * may have left the directory's time as it was: a session that failed, or
 * ended, between the file's new name and the index's, within one step of the
 * clock. */
int scan_anew(struct store *s, struct view name, enum store_why *why,
              struct error *err);

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

/* The stamp of cur/ before and after a change of ours: what we did ourselves
 * is no news. */
struct stamp_of folder_stamp(int dir);
void folder_changed(struct folder *f, struct box *b,
                    const struct stamp_of *before);

/* How many of the file's `len` bytes are line ends without their CR; what
 * cannot be read counts for none. */
uint64_t file_count_bare(int fd, uint64_t len);

/* --- tree -------------------------------------------------------------- */

/* The directory of a mailbox, below the account's. */
void store_path(struct view name, char path[STORE_NAME_MAX + 2]);

/* "INBOX" in any case is INBOX. */
struct view store_canonical(struct view name);

/* Say why not, with the mailbox's name in place of "%.*s"; -1. */
int store_refuse(enum store_why *why, enum store_why reason, struct error *err,
                 const char *fmt, struct view name);

/* Is there a Maildir in this directory below the account's? Make one, or what
 * it lacks; it is durable then. */
bool store_is_maildir(struct store *s, const char *directory);
int store_make_maildir(struct store *s, const char *path, struct error *err);

/* Learn, before the jail, whether files may grow (env.c). */
void env_prepare(void);

/* A RENAME that was cut off may have renamed directories of which the index
 * does not know: let its records follow them. */
int tree_recover(struct store *s, struct error *err);

/* Give a directory the name `to`, or, when something there cannot be removed,
 * that with a number; it goes to `aside`. */
#define ASIDE_SIZE 32
int store_set_aside(struct store *s, const char *from, const char *to,
                    char aside[ASIDE_SIZE], struct error *err);

/* --- mailbox.c --------------------------------------------------------- */

struct mailbox_private {
    uint32_t id;
    uint64_t seen_modseq;   /* all up to here is in the view */
    bool has_gone;          /* some entry is gone */
    bool loading;           /* `t` is open, until mailbox_load() */
    struct txn t;
    uint32_t recent_from, count; /* for mailbox_load() */
    struct facts *facts;    /* not yet in the index */
};

/* Give a change its MODSEQ and note it in the view's own entry: what this
 * session changed is not told to it again. */
void mailbox_note(struct mailbox *m, size_t index, const struct msg *msg);

/* Read the record of an entry: 1, 0 when others took the message away, -1;
 * also when none can have: then a search does not find what is there. */
int mailbox_get(struct txn *t, const struct mailbox *m, size_t index,
                struct msg *msg, struct error *err);

/* Copy the record of an entry; its name goes to `name`, which msg->file then
 * points to. 1, 0 when it is gone, -1. */
int mailbox_record(struct mailbox *m, size_t index, struct msg *msg,
                   struct buf *name, struct error *err);

/* --- change.c ---------------------------------------------------------- */

/* The bit of a keyword, added to the box if need be; 0: none, or no room. */
uint64_t box_keyword(struct box *b, struct view name);

/* The file of an entry is not the message any more that had its UID: that one
 * is gone, and the next scan finds a new one. */
int mailbox_disown(struct mailbox *m, size_t index, struct error *err);

/* Write what was learned, best effort, and forget it. */
void facts_flush(struct mailbox *m);

#endif
