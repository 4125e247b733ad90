/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scram.h - the server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS
 * (RFC 5802, RFC 7677; channel bindings RFC 5929, RFC 9266).
 *
 * The client proves that it knows the password without saying it, the server
 * that it knows the account's keys. The keys are not the password: who steals
 * them can try passwords against them, and can act as the server, no more.
 *
 *     scram_begin()
 *     scram_client_first()   the name is known: find its keys
 *     scram_server_first()   the challenge
 *     scram_client_final()   the proof is checked; the server's own signature
 *     scram_release()
 *
 * Source: RFC 5802 §3, §5.1, §7; the stored form is RFC 5803's.
 */
#ifndef SASL_SCRAM_H
#define SASL_SCRAM_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SCRAM_KEY_LEN     32 /* SHA-256 */
#define SCRAM_SALT_LEN    16
#define SCRAM_NONCE_MAX   32 /* characters of the server's part */
#define SCRAM_KEYS_TEXT   160 /* bytes that scram_keys_format() writes */

struct scram_keys {
    uint32_t iterations;
    unsigned char salt[SCRAM_SALT_LEN];
    unsigned char stored[SCRAM_KEY_LEN], server[SCRAM_KEY_LEN];
};

/* Load what scram_keys_make() needs; before a jail. */
int scram_prepare(struct error *err);

/* Make the keys of a password, with the salt given. -1: the password has
 * characters that SASLprep (RFC 4013) forbids. Costs `iterations` HMACs. */
int scram_keys_make(struct scram_keys *k, struct view password,
                    const unsigned char salt[SCRAM_SALT_LEN],
                    uint32_t iterations, struct error *err);

/* Keys that fit no password, for a name without any: the same each time, so
 * that nobody can tell such a name from others (RFC 5802 §9). */
void scram_keys_fake(struct scram_keys *k, struct view secret,
                     struct view name, uint32_t iterations);

/* "SCRAM-SHA-256$iterations:salt$stored:server" (RFC 5803 §2). */
void scram_keys_format(struct buf *out, const struct scram_keys *k);
bool scram_keys_parse(struct view text, struct scram_keys *k);

/* What the connection offers to bind to; views are empty without TLS. */
struct scram_binding {
    struct view exporter; /* tls-exporter */
    struct view endpoint; /* tls-server-end-point */
};

struct scram {
    char nonce[SCRAM_NONCE_MAX + 1];
    bool plus;              /* the mechanism is the -PLUS one */
    struct buf gs2;         /* the client's gs2-header, then its binding */
    struct buf first_bare, server_first, full_nonce;
};

enum scram_result {
    SCRAM_RIGHT,
    SCRAM_WRONG,
    SCRAM_MALFORMED,
};

/* Begin; `nonce` is at most SCRAM_NONCE_MAX random printable characters with
 * no comma among them. */
void scram_begin(struct scram *s, bool plus, const char *nonce);

/* Read the client's first message and append the name it gives to `name`.
 * `plus_offered`: the client saw the -PLUS mechanism, so one that could bind
 * and says that we could not was lied to (RFC 5802 §6). */
enum scram_result scram_client_first(struct scram *s, struct view message,
                                     const struct scram_binding *b,
                                     bool plus_offered, struct buf *name);

/* Append our first message. */
void scram_server_first(struct scram *s, const struct scram_keys *k,
                        struct buf *out);

/* Check the client's proof; when it is right, append our signature. */
enum scram_result scram_client_final(struct scram *s, struct view message,
                                     const struct scram_keys *k,
                                     struct buf *out);

/* Wipe and free it. */
void scram_release(struct scram *s);

#endif
