/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_type.h - what a type of table is made of, for those who add one.
 *
 * A type is one constant descriptor. Those of lib/table are listed in
 * table.c; a program adds its own (say, "directory:") through the `types` of
 * its struct table_env.
 *
 * Ownership: t->state is the type's own; open() sets it, close() frees it.
 *            close() is also called after an open() that failed.
 */
#ifndef TABLE_TABLE_TYPE_H
#define TABLE_TABLE_TYPE_H

#include "table/table.h"

struct table {
    const struct table_type *type;
    struct table_env env;
    char *spec;       /* "type:name" */
    const char *name; /* inside spec, behind the colon */
    unsigned flags;   /* enum table_flag */
    void *state;
};

struct table_type {
    const char *name; /* what stands before the colon */
    bool fixed;       /* keys are fixed strings: folded before lookup() */

    bool folds;    /* but not these: it compares in a way of its own */
    bool nameless; /* "type:" is a whole name: there is one such table */
    const char *file; /* what the name of the file that a table is read from
                       * has behind the table's name; NULL: there is none */

    /* Get ready to answer. Nothing else is called after a -1 but close(). */
    int (*open)(struct table *t, struct error *err);

    /* As table_lookup(); the key is folded if `fixed`. */
    int (*lookup)(struct table *t, struct view key, struct buf *out,
                  struct error *err);

    /* As table_changed(); NULL: never. */
    bool (*changed)(const struct table *t);

    /* As table_each(); NULL: cannot. */
    int (*each)(struct table *t,
                int (*fn)(struct view key, struct view value, void *arg),
                void *arg, struct error *err);

    void (*close)(struct table *t);
};

/* Hand a sentence about a bad entry to whoever opened the table. */
void table_warn(const struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The types of this library. */
extern const struct table_type hash_type, btree_type, texthash_type,
    inline_type, static_type, cidr_type, regexp_type, pcre_type;

#endif
