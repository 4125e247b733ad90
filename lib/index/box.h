/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * box.h - the records of a mailbox and of its messages in the index.
 *
 * Life:      a struct box is read or made, changed and put back within one
 *            transaction, and released; a struct msg borrows the name of its
 *            file from the transaction.
 * Errors:    -1, with the sentence in *err; a value that makes no sense gives
 *            the index up (txn_damaged()).
 */
#ifndef INDEX_BOX_H
#define INDEX_BOX_H

#include "base/buf.h"
#include "index/txn.h"

/* When a directory last changed, and which one it is, in which life of the
 * suite (store_options.life). */
struct stamp_of {
    uint64_t mtime_ns, which;
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

#endif
