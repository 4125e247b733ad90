/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_list.h - several tables asked in turn: "hash:/a, pcre:/b".
 *
 * The value of a parameter such as virtual_alias_maps: tables parted by
 * commas or white space that stand in no { }.
 *
 * Life and ownership: as table.h; an empty value is a list that has nothing.
 * Errors: the first table that has the key answers; an error of one that is
 *         asked before ends the lookup, for nobody knows what it would have
 *         said. An empty value is an error too: tables say "not there" by not
 *         having the key.
 */
#ifndef TABLE_TABLE_LIST_H
#define TABLE_TABLE_LIST_H

#include "table/table.h"

struct table_list;

/* Which tables are asked. */
enum table_part {
    TABLE_WHOLE, /* all: the key is all there is to know */
    TABLE_PART,  /* those with fixed keys: it is a part of the address */
};

/* Open all tables of `spec`; NULL if one cannot be opened. */
struct table_list *table_list_open(const struct table_env *env,
                                   const char *spec, unsigned flags,
                                   struct error *err);

/* As table_lookup(). */
int table_list_lookup(struct table_list *l, struct view key,
                      enum table_part part, struct buf *out,
                      struct error *err);

/* Has the source of any of them changed? */
bool table_list_changed(const struct table_list *l);

/* How many tables there are. */
size_t table_list_count(const struct table_list *l);

/* Call `fn` with the file that each table of `spec` is read from, whether or
 * not it is there and the other tables make sense. */
void table_list_files(const struct table_env *env, const char *spec,
                      void (*fn)(const char *path, void *arg), void *arg);

/* Close all; *l becomes NULL, and may have been. */
void table_list_close(struct table_list **l);

#endif
