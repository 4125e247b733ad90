/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal.h - what the pieces of lib/index share.
 *
 *     env.c       LMDB (txn.h)
 *     validity.c  UIDVALIDITYs that were never given before
 *     box.c       a mailbox's record and its messages' records (box.h)
 *     file.c      names of files, and their directories (file.h)
 *     scan.c      taking in what changed on disk
 *     store.c     the tree of mailboxes
 *     mailbox.c   views
 *     change.c    flags, keywords, expunge
 *     append.c    append, copy, move
 *     facts.c     what was learned from messages
 */
#ifndef INDEX_INTERNAL_H
#define INDEX_INTERNAL_H

#include "index/box.h"
#include "index/mailbox.h"
#include "index/txn.h"

/* --- validity.c -------------------------------------------------------- */

/* A UIDVALIDITY above all that this account ever gave, durably; 0 on error. */
uint32_t validity_next(struct store *s, struct error *err);

/* --- scan.c ------------------------------------------------------------ */

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

/* When, in seconds, was a message expunged whose file had this base name? 1, 0
 * when none was, -1. It is forgotten after some days. */
int expunged_at(struct txn *t, struct view base, uint64_t *when,
                struct error *err);

/* The file of an entry is not the message any more that had its UID: that one
 * is gone, and the next scan finds a new one. */
int mailbox_disown(struct mailbox *m, size_t index, struct error *err);

/* --- facts.c ----------------------------------------------------------- */

/* Write what was learned, best effort, and forget it. */
void facts_flush(struct mailbox *m);

#endif
