/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_internal.h - what the pieces of tls.h share.
 */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* The settings that both sides have: TLS 1.2 and up, ECDHE, no tickets. */
SSL_CTX *tls_context(const SSL_METHOD *method);

/* Put `ssl` (taken) under the stream. */
int tls_attach(struct stream *s, SSL *ssl, struct error *err);

/* The stream's TLS, or NULL. */
SSL *tls_of(const struct stream *s);

/* Shake hands until done, by the stream's time-out. */
int tls_handshake(struct stream *s, struct error *err);

/* Write what OpenSSL has to say about a failure. */
int tls_error(struct error *err, const char *doing);

/* The context of tls_connect(), with the trusted certificates in it. */
void tls_client_prepare(const char *ca_file);

#endif
