/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.h - TLS for a stream: as server with keys that are elsewhere, as client.
 *
 * A server's private key is in keyd. Here is an OpenSSL provider whose only
 * operation is to send the text of a handshake there and get a signature back;
 * the certificate is asked for by the name that the client sends (SNI). TLS
 * 1.2 and 1.3, ECDHE only, no session tickets and no session cache: a ticket
 * key in a process that strangers reach would be a secret there (RFC 8446,
 * RFC 5246, RFC 9325).
 *
 * Life:      tls_prepare() before the jail; a context for as long as its
 *            settings last; tls_accept() or tls_connect() put TLS under a
 *            stream, which releases it.
 * Ownership: a context borrows its channel to keyd; streams borrow contexts.
 * Errors:    -1 with a sentence. A failed handshake ends the connection.
 * Blocking:  a handshake on a stream waits for the peer by the stream's
 *            time-out, and for keyd by the channel's. tls_step() never waits
 *            for the peer.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "ipc/ipc.h"
#include "net/stream.h"

/* Open what OpenSSL opens (its configuration, the trusted certificates of
 * `ca_file` if that is not ""), before the jail. Ends the process when the
 * library cannot be used; a `ca_file` that cannot be read is a warning. */
void tls_prepare(const char *ca_file);

/* --- server ------------------------------------------------------------ */

struct tls_server;

/* A context whose certificates and signatures come over `keyd`; for as long as
 * the process. */
struct tls_server *tls_server_new(struct ipc *keyd);

/* Is there any certificate? False, with *err, when keyd cannot be asked or has
 * none. The answer is kept; so are certificates, until tls_server_forget(). */
bool tls_server_ready(struct tls_server *t, struct error *err);
void tls_server_forget(struct tls_server *t);

/* Shake hands as the server. What was received in clear must have been
 * discarded. `protocol` is the only name accepted in ALPN if the client sends
 * any ("smtp", "imap", "pop3"; RFC 7301). */
int tls_accept(struct stream *s, struct tls_server *t, const char *protocol,
               struct error *err);

/* The same for an event loop: put TLS under the stream and take steps until
 * one returns 1. 0: wait for *events; -1: failed. */
int tls_begin(struct stream *s, struct tls_server *t, const char *protocol,
              struct error *err);
int tls_step(struct stream *s, short *events, struct error *err);

/* --- client ------------------------------------------------------------ */

enum tls_trust {
    TLS_ANYONE,  /* encrypt, whoever it is (opportunistic TLS, RFC 7435) */
    TLS_TRUSTED, /* the certificate must be of a trusted authority and name */
};

/* Shake hands as the client of `name`, which is also sent as SNI. */
int tls_connect(struct stream *s, const char *name, enum tls_trust trust,
                struct error *err);

/* --- both -------------------------------------------------------------- */

/* "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)" and, of TLS 1.3,
 * the key exchange and signature, as Postfix logs and traces it. */
void tls_describe(const struct stream *s, struct buf *out);

/* The peer's certificate was checked and is good (client side). */
bool tls_is_trusted(const struct stream *s);

/* Append what a login over this connection can be bound to: tls-exporter
 * (RFC 9266) and, on the server's side, tls-server-end-point (RFC 5929 §4).
 * Nothing is appended when the stream is in clear or has no such binding. */
void tls_bindings(const struct stream *s, struct buf *exporter,
                  struct buf *endpoint);

#endif
