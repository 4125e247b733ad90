/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - lookup tables: one interface for every type.
 *
 * A table is named "type:name" as in Postfix's main.cf. The types here are
 *
 *     hash, btree      name.db, made by postmap or postalias (Berkeley DB)
 *     texthash         a text file of "key value" lines, read into memory
 *     inline           inline:{ key=value, { key = some text } }
 *     static           static:text or static:{ some text }: answers any key
 *     cidr             networks, see cidr_table(5)
 *     regexp, pcre     /pattern/flags result, see regexp_table(5)
 *
 * and whoever opens tables may bring more (table_type.h). "proxy:" before a
 * name is passed over: every lookup goes through a process of its own.
 *
 * Keys of the fixed-string types (the first four lines) are folded to lower
 * case, with Unicode's rules where they are UTF-8, in the table and in the
 * lookup. The others see the key as it is.
 *
 * Life:      table_open, table_lookup (any number), table_close. A handle
 *            does not follow its source: when table_changed() says so, open
 *            the table again and close the old handle.
 * Ownership: the caller owns the handle. The environment is copied; what it
 *            points at must outlive the handle.
 * Errors:    a lookup tells "not there" (0) from "cannot say" (-1): with
 *            FAIL_TEMP the mail must wait, with FAIL_PERM the table or the
 *            name is wrong and only its administrator can help. A bad line
 *            in a table file is skipped with a warning and is no error.
 * Units:     sizes in bytes.
 * Blocking:  opening, lookup and table_changed() wait for the disk, and for
 *            another program's lock on a .db file.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

#define TABLE_TEXT_MAX  (64u << 20) /* a text table's file */
#define TABLE_KEY_MAX   131072      /* a longer key is in no table */
#define TABLE_VALUE_MAX 262144      /* a result after $1 were put in */

struct table;
struct table_type;

enum table_flag {
    TABLE_KEEP_CASE = 1 << 0, /* do not fold keys (postmap -f) */
    TABLE_NO_SUBST = 1 << 1,  /* refuse rules with $1: for alias_maps */
    TABLE_BYTES = 1 << 2,     /* text need not be UTF-8 (postmap -u) */
};

/* What a table is opened with. `types` are further types, a list ended by
 * NULL; it may be NULL. `warn` gets one sentence for each bad line; when it is
 * NULL they are logged. `arg` is for `warn` and for the further types. */
struct table_env {
    const struct table_type *const *types;
    void (*warn)(const char *sentence, void *arg);
    void *arg;
};

/* Open "type:name"; NULL on error. `env` may be NULL. */
struct table *table_open(const struct table_env *env, const char *spec,
                         unsigned flags, struct error *err);

/* Append the path of the file that "type:name" is read from, whether or not
 * it is there; false when it is read from none. */
bool table_file(const struct table_env *env, const char *spec,
                struct buf *path);

/* Append the value of `key` to `out` and return 1; 0 when the key is not
 * there; -1 on error, `out` unchanged. */
int table_lookup(struct table *t, struct view key, struct buf *out,
                 struct error *err);

/* Has the source become another since the table was opened? A source that
 * cannot be looked at has not: the old content is better than none. */
bool table_changed(const struct table *t);

/* Call `fn` for each entry in the table's own order, until it returns
 * non-zero. A type that cannot list its entries is FAIL_PERM. */
int table_each(struct table *t,
               int (*fn)(struct view key, struct view value, void *arg),
               void *arg, struct error *err);

/* The table's full name, "type:name". Borrowed. */
const char *table_name(const struct table *t);

/* Does it hold fixed keys, so that parts of an address may be looked up in
 * it? Patterns are asked for the whole address only. */
bool table_is_fixed(const struct table *t);

/* Free the handle; *t becomes NULL, and may have been. */
void table_close(struct table **t);

#endif
