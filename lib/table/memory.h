/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.h - a table of fixed keys held in memory: texthash: and inline:.
 *
 * Life: all-zero is a valid empty table; memory_release() ends it.
 */
#ifndef TABLE_MEMORY_H
#define TABLE_MEMORY_H

#include "base/map.h"
#include "table/table_type.h"

struct memory {
    struct map map;
};

/* Put a copy of `key`, folded as the flags of `t` say, and `value` in. A key
 * that is there keeps its old value, and false is returned, unless
 * `replace`. */
bool memory_add(struct memory *m, const struct table *t, struct view key,
                struct view value, bool replace);

/* As the functions of struct table_type that have their names. */
int memory_lookup(const struct memory *m, struct view key, struct buf *out);
void memory_each(const struct memory *m,
                 int (*fn)(struct view key, struct view value, void *arg),
                 void *arg);

/* Free all entries. */
void memory_release(struct memory *m);

#endif
