/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dbfile.h - make the .db files that hash: and btree: tables are read from.
 *
 * A file is built beside the old one, made durable, and renamed over it:
 * readers see the old table or the new one, never a part, and so does the
 * machine after a power cut. Changing a file is making a new one that begins
 * with what the old one holds. Whoever makes one holds the old file's lock
 * (flock(2), the lock that Postfix takes), so that no change is lost.
 *
 * Life:      dbfile_create, dbfile_put and dbfile_delete (any number), then
 *            exactly one of dbfile_commit and dbfile_abort.
 * Ownership: the caller owns the handle until commit or abort take it, even
 *            when they fail, and set it to NULL.
 * Blocking:  everything waits for the disk; dbfile_create also for the lock.
 */
#ifndef TABLE_DBFILE_H
#define TABLE_DBFILE_H

#include <sys/types.h>

#include "base/error.h"
#include "base/view.h"

struct dbfile;

enum dbfile_option {
    DBFILE_KEEP = 1 << 0,   /* begin with the entries of the old file */
    DBFILE_NO_NUL = 1 << 1, /* no NUL behind keys and values (postmap -n);
                             * entries that are kept decide it instead */
};

/* What dbfile_put() does with a key that is there. */
enum dbfile_duplicate { DBFILE_OLD_STAYS, DBFILE_NEW_WINS };

/* Begin to make the file `path`, a table of `type` "hash" or "btree". A file
 * that is new gets `mode`; else the old one's mode, and its owner if we may.
 * With DBFILE_KEEP an old file that is missing is an empty one. */
struct dbfile *dbfile_create(const char *type, const char *path,
                             unsigned options, mode_t mode, struct error *err);

/* Put an entry: 0 done; 1 the key was there, and stays as it was or is
 * replaced as `how` says; -1 on error. */
int dbfile_put(struct dbfile *d, struct view key, struct view value,
               enum dbfile_duplicate how, struct error *err);

/* Remove an entry: 1 done, 0 there is none, -1 on error. */
int dbfile_delete(struct dbfile *d, struct view key, struct error *err);

/* Make the file durable and give it its name. */
int dbfile_commit(struct dbfile **d, struct error *err);

/* Drop the new file. A NULL handle is allowed. */
void dbfile_abort(struct dbfile **d);

#endif
