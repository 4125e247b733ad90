/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains.h - lists of domains, as mydestination is one.
 *
 * Life, errors and blocking are those of table_list.h.
 */
#ifndef MAPD_DOMAINS_H
#define MAPD_DOMAINS_H

#include "table/table_list.h"

struct domains;

/* A list of "domain", "!domain" and "type:table" words, the first that fits
 * decides; with `parents` a domain stands for its subdomains too. Ownership
 * and errors as table_list.h has them. */
struct domains *domains_open(const struct table_env *env, const char *spec,
                             bool parents, struct error *err);
int domains_has(const struct domains *d, struct view domain,
                struct error *err);
bool domains_changed(const struct domains *d);
void domains_close(struct domains **d);

/* As table_list_files(). */
void domains_files(const struct table_env *env, const char *spec,
                   void (*fn)(const char *path, void *arg), void *arg);

#endif
