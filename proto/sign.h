/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sign.h - what keyd does with the keys that it alone holds (DESIGN §10).
 *
 * Spoken by smtpd and login to keyd. One answer a request, in order. keyd gets
 * the text to be signed, never a hash, and signs only what is the text of a
 * TLS handshake; there is no request that decrypts.
 */
#ifndef PROTO_SIGN_H
#define PROTO_SIGN_H

#include "ipc/message.h"

#define CERT_CHAIN_MAX 40000 /* bytes of a chain, DER */
#define SIGN_TEXT_MAX  600
#define SIGNATURE_MAX  1100  /* RSA of 8192 bits, and then some */

/* The certificate for a name that a client asked for (SNI), or, for "" and
 * names that have none, the first one. */
#define CERT_ASK(F, S) F(S, TEXT, name, 255)
IPC_MESSAGE(cert_ask, 0x0c01, CERT_ASK)

/* `chain`: DER certificates one after the other, the server's first; empty:
 * there is none. `key` names the key; it stays the same while the key does. */
#define CERT_ANSWER(F, S) \
    F(S, U64, key, 0)     \
    F(S, BLOB, chain, CERT_CHAIN_MAX)
IPC_MESSAGE(cert_answer, 0x0c02, CERT_ANSWER)

enum sign_padding {
    SIGN_PLAIN, /* ECDSA; RSA with PKCS #1 v1.5 padding */
    SIGN_PSS,   /* RSA-PSS, salt as long as the digest */
};

/* `digest` is an OpenSSL name: "SHA2-256". */
#define SIGN_ASK(F, S)     \
    F(S, U64, key, 0)      \
    F(S, U32, padding, 0)  \
    F(S, TEXT, digest, 32) \
    F(S, BLOB, text, SIGN_TEXT_MAX)
IPC_MESSAGE(sign_ask, 0x0c03, SIGN_ASK)

/* An empty signature: refused, and `why` says so. */
#define SIGN_ANSWER(F, S) \
    F(S, TEXT, why, 200)  \
    F(S, BLOB, signature, SIGNATURE_MAX)
IPC_MESSAGE(sign_answer, 0x0c04, SIGN_ANSWER)

#endif
