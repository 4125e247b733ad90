/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * database.h - the accounts in their SQLite file.
 *
 * Life:      database_open once, in the jail; the file is closed by the end.
 * Errors:    -1 with the sentence; FAIL_TEMP when the file cannot be read or
 *            written.
 * Blocking:  as the disk does.
 */
#ifndef AUTHD_DATABASE_H
#define AUTHD_DATABASE_H

#include "proto/accounts.h"
#include "sasl/scram.h"
#include "service/service.h"

struct account {
    char address[321], tenant[321];
    uint32_t uid;
    uint64_t quota;
    bool enabled;
    char hash[256]; /* crypt(3); wiped by account_wipe() */
    char keys[SCRAM_KEYS_TEXT + 1]; /* SCRAM's, or ""; wiped too */
};

/* Wipe what is secret in it. */
void account_wipe(struct account *a);

/* Open the file, making it and its tables when it is new. */
int database_open(struct daemon *d, struct error *err);

/* All lookups: 1 found, 0 not found, -1 error. Names are folded already. */
int database_domain(struct view domain, char tenant[321], struct error *err);
int database_account(struct view address, struct account *a,
                     struct error *err);
int database_alias(struct view address, struct buf *targets,
                   struct error *err);

/* Append the secret that fake salts are made from: random, made once. */
int database_secret(struct buf *out, struct error *err);

/* What is kept of a password: its crypt(3) hash and its SCRAM keys ("": none
 * were made). */
struct secret {
    char hash[256];
    char keys[SCRAM_KEYS_TEXT + 1];
};

/* Changes; FAIL_PERM when what is asked makes no sense (exists already, is
 * not there, still has something in it). `secret` NULL: no password, or leave
 * it. */
int database_add_tenant(struct view name, struct error *err);
int database_add_domain(struct view name, struct view tenant,
                        struct error *err);
int database_add_account(struct view address, const struct secret *secret,
                         uint64_t quota, struct error *err);
int database_set_account(struct view address, const struct secret *secret,
                         const uint64_t *quota, const bool *enabled,
                         struct error *err);

/* Keep the SCRAM keys of the password whose hash is `hash`, unless it has been
 * changed meanwhile. */
int database_set_keys(struct view address, const char *hash, const char *keys,
                      struct error *err);
int database_set_alias(struct view address, struct view targets, bool is_new,
                       struct error *err);
int database_del(enum account_noun noun, struct view name, struct error *err);

/* Call `fn` for everything of a kind whose name is, or whose domain or tenant
 * is, `filter` ("": all), in order. */
int database_list(enum account_noun noun, struct view filter,
                  void (*fn)(const struct account_line *line, void *arg),
                  void *arg, struct error *err);

#endif
