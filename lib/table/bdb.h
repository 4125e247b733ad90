/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bdb.h - what the reader and the maker of .db files share.
 */
#ifndef TABLE_BDB_H
#define TABLE_BDB_H

#include <db.h>

#include "base/error.h"
#include "base/view.h"

#define BDB_READ_CACHE (128u << 10) /* bytes; Postfix's figures */
#define BDB_MAKE_CACHE (16u << 20)

/* A handle whose complaints go nowhere but into the return codes. */
int bdb_handle(DB **db, unsigned cache, struct error *err);

/* "hash" or "btree" as Berkeley DB counts them; DB_UNKNOWN for another. */
DBTYPE bdb_type(const char *name);

/* A DBT that points at a view; a view of what a DBT points at, up to its
 * first NUL: Postfix writes one behind each key and value. */
DBT bdb_dbt(struct view v);
struct view bdb_view(const DBT *d);

#endif
