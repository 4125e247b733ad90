/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.h - what mapd answers: where addresses go, and table lookups.
 *
 * Spoken by smtpd (advice for the reply to RCPT), cleanup (expansion before
 * queueing), qmgr (a route again, on retry) and smtp (its own tables). A
 * request names a parameter that its role may ask, never a table. A channel
 * carries one request after the other; each is answered before the next.
 */
#ifndef PROTO_RESOLVE_H
#define PROTO_RESOLVE_H

#include "ipc/message.h"
#include "queue/envelope.h"

enum resolve_result {
    RESOLVE_OK,
    RESOLVE_UNKNOWN, /* the domain is ours, the recipient is not */
    RESOLVE_LATER,   /* a table or authd is away */
    RESOLVE_REFUSED, /* it can never be delivered: loop, limit, syntax */
    RESOLVE_DISABLED, /* it is there, and is to get nothing */
};

/* The enhanced status of a result that is for good (RFC 3463). */
static inline const char *resolve_dsn(uint32_t result)
{
    return result == RESOLVE_UNKNOWN ? "5.1.1"
           : result == RESOLVE_DISABLED ? "5.2.1" : "5.4.6";
}

enum resolve_class { /* Postfix's address classes */
    CLASS_LOCAL,   /* $mydestination: alias_maps, then accounts */
    CLASS_VIRTUAL, /* $virtual_mailbox_domains: accounts */
    CLASS_ALIAS,   /* $virtual_alias_domains: only virtual_alias_maps */
    CLASS_RELAY,   /* $relay_domains */
    CLASS_DEFAULT, /* everybody else's */
};

/* Where does a recipient go, as it stands? Aliases are looked at (an alias is
 * a known recipient) but not followed. */
#define RESOLVE_ASK(F, S) F(S, TEXT, address, ENVELOPE_ADDR_MAX)
IPC_MESSAGE(resolve_ask, 0x0401, RESOLVE_ASK)

#define RESOLVE_TEXT_MAX 300
#define TRANSPORT_MAX    64
#define NEXTHOP_MAX      512

/* `transport` is a service of master.cf; `nexthop` a host, [host] or
 * host:port, or ""; `account` the mailbox's owner when it is local, with
 * its quota in bytes (0: none). `text`
 * says why when `result` is not RESOLVE_OK, as the reply's last part. */
#define RESOLVE_ANSWER(F, S)             \
    F(S, U32, result, 0)                 \
    F(S, U32, class, 0)                  \
    F(S, TEXT, transport, TRANSPORT_MAX) \
    F(S, TEXT, nexthop, NEXTHOP_MAX)     \
    F(S, TEXT, account, 320)             \
    F(S, U64, quota, 0)                  \
    F(S, TEXT, text, RESOLVE_TEXT_MAX)
IPC_MESSAGE(resolve_answer, 0x0402, RESOLVE_ANSWER)

/* Follow aliases to the end: any number of expand_rcpt, then a
 * resolve_answer whose result stands for all (its route is empty). */
#define EXPAND_ASK(F, S) F(S, TEXT, address, ENVELOPE_ADDR_MAX)
IPC_MESSAGE(expand_ask, 0x0403, EXPAND_ASK)

#define EXPAND_RCPT(F, S)                  \
    F(S, TEXT, address, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, transport, TRANSPORT_MAX)   \
    F(S, TEXT, nexthop, NEXTHOP_MAX)       \
    F(S, TEXT, account, 320)               \
    F(S, U64, quota, 0)
IPC_MESSAGE(expand_rcpt, 0x0404, EXPAND_RCPT)

/* Look `key` up in the tables that `parameter` names. */
#define MAP_ASK(F, S)          \
    F(S, TEXT, parameter, 100) \
    F(S, TEXT, key, 2000)
IPC_MESSAGE(map_ask, 0x0405, MAP_ASK)

#define MAP_VALUE_MAX 8000

/* result: RESOLVE_OK (found), RESOLVE_UNKNOWN, RESOLVE_LATER. */
#define MAP_ANSWER(F, S)             \
    F(S, U32, result, 0)             \
    F(S, BLOB, value, MAP_VALUE_MAX) \
    F(S, TEXT, text, RESOLVE_TEXT_MAX)
IPC_MESSAGE(map_answer, 0x0406, MAP_ANSWER)

#endif
