/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyd.h - the pieces of keyd.
 *
 *     keys.c   the keys and their certificates, from PEM files
 *     text.c   is this a text that a TLS server signs?
 *     sign.c   requests
 *
 * A key has one class, the TLS server's. Nothing is ever decrypted.
 */
#ifndef KEYD_KEYD_H
#define KEYD_KEYD_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/list.h"
#include "proto/sign.h"
#include "service/service.h"

struct keyd_conf {
    char *myhostname;
};

extern struct keyd_conf keyd_conf;
extern const struct param keyd_params[];
extern const struct ipc_rule keyd_rules[];

/* What main.c names: service.h says when each is called. */
void keyd_prepare(struct daemon *d);

/* --- keys.c ------------------------------------------------------------ */

/* A key with the chain that begins with its certificate. */
struct pair {
    struct list link;
    uint64_t id;      /* of the public key: the same after a restart */
    EVP_PKEY *key;
    X509 *leaf;
    struct buf chain; /* DER, the leaf first */
};

/* Take a file from master (file->fd is taken). The keys so far are replaced by
 * those of all files since the last, when the nameless one comes that ends
 * the list; if none of them is of use, the old ones stay. */
void keys_file(struct daemon *d, const struct control_file *file);

/* The pair for a host name, else the first; NULL if there is none at all. */
const struct pair *keys_for_name(const char *name);

/* The pair with this id, or NULL. */
const struct pair *keys_by_id(uint64_t id);

/* --- text.c ------------------------------------------------------------ */

/* NULL if `text` is what a TLS 1.2 or 1.3 server signs in a handshake, else
 * why not. */
const char *text_problem(struct view text);

#endif
