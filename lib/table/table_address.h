/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_address.h - which keys an address, a host or a client is looked up by.
 *
 * Postfix's orders, as its manual pages have them. The functions here know no
 * table: they make keys and ask for them, one after the other, until one is
 * found. The first key is the whole of what is looked for (TABLE_WHOLE); the
 * others are parts of it, and only tables with fixed keys are asked for those.
 *
 * Addresses are "localpart@domain" or a localpart alone, split at the last @.
 * Results: 1 found, the value appended to `out`; 0 not there; -1 error.
 * Blocking: as long as the lookups do.
 */
#ifndef TABLE_TABLE_ADDRESS_H
#define TABLE_TABLE_ADDRESS_H

#include "table/table_list.h"

/* How the site reads addresses, and whom to ask. All texts are borrowed. */
struct table_address {
    const char *delimiters; /* recipient_delimiter, as address_split() has it */

    /* Does parent_domain_matches_subdomains name this table? If so "domain"
     * matches its subdomains; if not ".domain" does. */
    bool parents;

    /* Is mail for `domain` ours ($myorigin, $mydestination)? Then a bare
     * localpart is a key for it. NULL: never. */
    bool (*is_local)(void *arg, struct view domain);

    /* As table_list_lookup(). */
    int (*lookup)(void *arg, struct view key, enum table_part part,
                  struct buf *out, struct error *err);
    void *arg;
};

/* The lookup of a struct table_list, which is `arg`. */
int table_address_in_list(void *arg, struct view key, enum table_part part,
                          struct buf *out, struct error *err);

/* virtual(5), canonical(5): user+ext@domain, user@domain; for our domains
 * user+ext, user; at last @domain. *extension, if not NULL, is what the key
 * that was found left out, for propagate_unmatched_extensions; a view of
 * `address`. */
int table_address_rewrite(const struct table_address *a, struct view address,
                          struct view *extension, struct buf *out,
                          struct error *err);

/* aliases(5), for a local name: user+ext, user. */
int table_address_alias(const struct table_address *a, struct view localpart,
                        struct view *extension, struct buf *out,
                        struct error *err);

/* transport(5): user+ext@domain, user@domain, domain, its parents, "*". */
int table_address_transport(const struct table_address *a, struct view address,
                            struct buf *out, struct error *err);

/* access(5), for a sender or recipient: user+ext@domain, user@domain, domain,
 * its parents, user+ext@, user@. */
int table_address_access(const struct table_address *a, struct view address,
                         struct buf *out, struct error *err);

/* access(5), for a host name: the name, its parents. */
int table_address_host(const struct table_address *a, struct view name,
                       struct buf *out, struct error *err);

/* access(5), for a client's address without brackets: 192.0.2.1, 192.0.2,
 * 192.0, 192, and the same with the colons of IPv6. */
int table_address_client(const struct table_address *a, struct view client,
                         struct buf *out, struct error *err);

#endif
