/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * envelope.h - who sent a message, from where, to whom.
 *
 * Declared as messages (ipc/message.h), so that the same bytes travel to
 * cleanup and stand in the queue file. Texts are views into somebody's bytes.
 */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

#include "ipc/message.h"

#define ENVELOPE_ADDR_MAX  1000 /* bytes of an address */
#define ENVELOPE_ORCPT_MAX 1100 /* "rfc822;" and xtext (RFC 3461 §4.2) */
#define ENVELOPE_RCPT_MAX  50000 /* recipients of one message, expanded */

enum envelope_flag {
    ENVELOPE_SMTPUTF8 = 1 << 0,   /* RFC 6531 was asked for */
    ENVELOPE_8BITMIME = 1 << 1,   /* BODY=8BITMIME (RFC 6152) */
    ENVELOPE_SUBMITTED = 1 << 2,  /* from an authenticated or local user:
                                     missing headers are added */
    ENVELOPE_NOTIFICATION = 1 << 3, /* a DSN of ours: never expanded twice */
};

enum envelope_ret { /* RFC 3461 §4.3 */
    ENVELOPE_RET_NONE,
    ENVELOPE_RET_FULL,
    ENVELOPE_RET_HDRS,
};

enum envelope_notify { /* RFC 3461 §4.1; 0: not said */
    ENVELOPE_NOTIFY_NEVER = 1 << 0,
    ENVELOPE_NOTIFY_SUCCESS = 1 << 1,
    ENVELOPE_NOTIFY_FAILURE = 1 << 2,
    ENVELOPE_NOTIFY_DELAY = 1 << 3,
};

/* `sender` is empty for <>. `account` is the authenticated one, or empty. */
#define ENVELOPE_LIST(F, S)               \
    F(S, TEXT, sender, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, client_name, 255)          \
    F(S, TEXT, client_address, 64)        \
    F(S, U32, client_port, 0)             \
    F(S, TEXT, helo, 512)                 \
    F(S, TEXT, protocol, 16)              \
    F(S, TEXT, sasl_method, 32)           \
    F(S, TEXT, account, 320)              \
    F(S, TEXT, envid, 100)                \
    F(S, U32, ret, 0)                     \
    F(S, U32, flags, 0)
IPC_MESSAGE(envelope, 0x0301, ENVELOPE_LIST)

/* `address` is where it goes; `original` what the sender wrote, when that is
 * another. `transport`, `nexthop` and `account` are the route that mapd
 * found; a local recipient's route is its account, with its quota in bytes
 * (0: none). */
#define ENVELOPE_RCPT(F, S)                  \
    F(S, TEXT, address, ENVELOPE_ADDR_MAX)   \
    F(S, TEXT, original, ENVELOPE_ADDR_MAX)  \
    F(S, TEXT, orcpt, ENVELOPE_ORCPT_MAX)    \
    F(S, U32, notify, 0)                     \
    F(S, TEXT, transport, 64)                \
    F(S, TEXT, nexthop, 512)                 \
    F(S, TEXT, account, 320)                 \
    F(S, U64, quota, 0)
IPC_MESSAGE(envelope_rcpt, 0x0302, ENVELOPE_RCPT)

/* What became of a recipient. */
enum rcpt_status {
    RCPT_PENDING,   /* not tried, or tried without an answer */
    RCPT_DELIVERED,
    RCPT_DEFERRED,
    RCPT_BOUNCED,   /* and the sender has been told, or must not be */
    RCPT_EXPANDED,  /* replaced by others; nothing is to be done */
};

/* One status of one recipient, appended to the queue file; of the message as
 * a whole when the index is ENVELOPE_MESSAGE. */
#define ENVELOPE_MESSAGE 0xffffffffu
enum message_status {
    MESSAGE_WARNED = 1,  /* the sender was told that it is late */
    MESSAGE_OFFERED = 2, /* agents had it before it was on disk: a recipient
                            without a status may have been delivered */
};
#define RCPT_RECORD(F, S)    \
    F(S, U32, index, 0)      \
    F(S, U32, status, 0)     \
    F(S, U64, when_us, 0)    \
    F(S, U32, attempts, 0)   \
    F(S, TEXT, dsn, 16)      \
    F(S, TEXT, text, 1000)
IPC_MESSAGE(rcpt_record, 0x0303, RCPT_RECORD)

#endif
