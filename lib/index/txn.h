/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * txn.h - LMDB, for the pieces of lib/index (env.c): opening, damage, the lock,
 * and checked values.
 *
 * The databases of the environment, all values checked:
 *
 *     box   name                    struct box, packed
 *     msg   id, UID (be32 each)     struct msg, packed
 *     fact  id, UID, kind           text
 *     gone  base name of a file     when it was expunged
 *     sub   name                    nothing: the name is subscribed to
 *     move  name                    the name that RENAME is giving it
 *
 * Errors:    0, or -1 with *err; what makes no sense marks the index as
 *            damaged, for it to be set aside at the next open; not what the
 *            system refuses.
 * Blocking:  a writer waits for the lock, a commit for the disk.
 */
#ifndef INDEX_TXN_H
#define INDEX_TXN_H

#include <lmdb.h>

#include "index/store.h"

enum db { DB_BOX, DB_MSG, DB_FACT, DB_GONE, DB_SUB, DB_MOVE,
          DB_COUNT };

struct store {
    int dir;                /* the account's directory, borrowed */
    struct store_options o;
    MDB_env *env;
    MDB_dbi dbi[DB_COUNT];
    int lock;               /* the file of our own lock */
    bool damaged;           /* not to be used any more by this session */
};

/* One transaction: a reader's, or the one writer's. */
struct txn {
    struct store *s;
    MDB_txn *t;
    bool writes;
};

/* Open the index, making it when it is new; close it if it is open. */
int env_open(struct store *s, struct error *err);
void env_close(struct store *s);

/* -1 when the index was set aside by another session. */
int env_check(struct store *s, struct error *err);

/* Begin; a writer waits for the lock, at most o.lock_ms. */
int txn_begin(struct store *s, bool writes, struct txn *t, struct error *err);

/* Make a writer's changes durable; or drop them. Both end the transaction. */
int txn_commit(struct txn *t, struct error *err);
void txn_abort(struct txn *t);

/* Commit when `rc` is 0, else abort: 0, or -1. */
int txn_end(struct txn *t, int rc, struct error *err);

/* 1 with *value, 0 when there is none, -1. A value is valid until the next
 * change in the transaction, at most to its end. */
int txn_get(struct txn *t, enum db db, struct view key, struct view *value,
            struct error *err);
int txn_put(struct txn *t, enum db db, struct view key, struct view value,
            struct error *err);
int txn_delete(struct txn *t, enum db db, struct view key, struct error *err);

/* Call `each` for the values whose keys begin with `prefix`, in the order of
 * keys, until it gives other than 0; what it gave, or -1. `each` changes
 * nothing. */
int txn_each(struct txn *t, enum db db, struct view prefix,
             int (*each)(struct view key, struct view value, void *arg,
                         struct error *err),
             void *arg, struct error *err);

/* The same for those of them that do not come before the key `from`. */
int txn_each_from(struct txn *t, enum db db, struct view prefix,
                  struct view from,
                  int (*each)(struct view key, struct view value, void *arg,
                              struct error *err),
                  void *arg, struct error *err);

/* Remove all values whose keys begin with `prefix`. */
int txn_clear(struct txn *t, enum db db, struct view prefix,
              struct error *err);

/* What was read makes no sense; -1. */
int txn_damaged(struct txn *t, const char *what, struct error *err);

/* Learn, before the jail, whether files may grow. */
void env_prepare(void);

#endif
