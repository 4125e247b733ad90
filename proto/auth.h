/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth.h - proving who somebody is (SASL, RFC 4422).
 *
 * Spoken by smtpd and login to authd (and by cleanup, which asks for proofs):
 * auth_begin, then auth_challenge and auth_response as often as the mechanism
 * needs, then auth_done. Many exchanges share a channel, told apart by the
 * client's ticket. A wrong password is answered late, later with each failure
 * of the account or the address; the client just waits.
 */
#ifndef PROTO_AUTH_H
#define PROTO_AUTH_H

#include "ipc/message.h"

#define AUTH_DATA_MAX 12288 /* bytes of one SASL message (RFC 4954 §4) */

/* `has_initial`: `data` is the client's first message (it may be empty).
 * `exporter` and `endpoint` are what the login can be bound to
 * (net/tls.h, tls_bindings); both are empty without TLS. `plus_offered`: the
 * client was offered SCRAM-SHA-256-PLUS.
 * With `session_fd` an imapd or pop3d (`session_role`) is started on success:
 * authd hands the descriptor to master. */
#define AUTH_BEGIN(F, S)            \
    F(S, U32, ticket, 0)            \
    F(S, TEXT, service, 32)         \
    F(S, TEXT, mechanism, 32)       \
    F(S, TEXT, client_address, 64)  \
    F(S, TEXT, session, 32)         \
    F(S, U32, is_tls, 0)            \
    F(S, BLOB, exporter, 64)        \
    F(S, BLOB, endpoint, 64)        \
    F(S, U32, plus_offered, 0)      \
    F(S, U32, has_initial, 0)       \
    F(S, BLOB, data, AUTH_DATA_MAX) \
    F(S, TEXT, session_role, 32)    \
    F(S, FD, session_fd, 0)
IPC_MESSAGE(auth_begin, 0x0a01, AUTH_BEGIN)

#define AUTH_RESPONSE(F, S)  \
    F(S, U32, ticket, 0)     \
    F(S, BLOB, data, AUTH_DATA_MAX)
IPC_MESSAGE(auth_response, 0x0a02, AUTH_RESPONSE)

/* The client gave up. */
#define AUTH_CANCEL(F, S) F(S, U32, ticket, 0)
IPC_MESSAGE(auth_cancel, 0x0a03, AUTH_CANCEL)

#define AUTH_CHALLENGE(F, S) \
    F(S, U32, ticket, 0)     \
    F(S, BLOB, data, AUTH_DATA_MAX)
IPC_MESSAGE(auth_challenge, 0x0a04, AUTH_CHALLENGE)

enum auth_result {
    AUTH_OK,
    AUTH_WRONG,     /* who or what was given is not right */
    AUTH_MALFORMED, /* not the mechanism's syntax */
    AUTH_LATER,     /* the database cannot be read at the moment */
    AUTH_NO_MECHANISM,
    AUTH_TOO_MANY,  /* not looked at, for the failures before it */
};

/* `account` on success: the canonical address; `name` what was claimed, for
 * the log. A mechanism's last message went as a challenge before it, since
 * SMTP, IMAP and POP3 cannot send one with their success. */
#define AUTH_DONE(F, S)      \
    F(S, U32, ticket, 0)     \
    F(S, U32, result, 0)     \
    F(S, TEXT, account, 320) \
    F(S, TEXT, tenant, 320)  \
    F(S, TEXT, name, 320)
IPC_MESSAGE(auth_done, 0x0a05, AUTH_DONE)

/* May this account send as this address? */
#define SENDER_ASK(F, S)     \
    F(S, TEXT, account, 320) \
    F(S, TEXT, sender, 1000)
IPC_MESSAGE(sender_ask, 0x0a10, SENDER_ASK)

#define SENDER_ANSWER(F, S) \
    F(S, U32, allowed, 0)   \
    F(S, U32, later, 0)
IPC_MESSAGE(sender_answer, 0x0a11, SENDER_ANSWER)

/* Asked by cleanup, which hears of an account from an smtpd that may have been
 * taken over: did this account prove itself to us over the channel of the
 * process `pid`? Answered by sender_answer. */
#define PROOF_ASK(F, S) \
    F(S, U32, pid, 0)   \
    F(S, TEXT, account, 320)
IPC_MESSAGE(proof_ask, 0x0a12, PROOF_ASK)

#endif
