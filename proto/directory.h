/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory.h - what authd knows of tenants, domains, accounts and aliases.
 *
 * Spoken by mapd (lookups) to authd. One answer a request, in order.
 */
#ifndef PROTO_DIRECTORY_H
#define PROTO_DIRECTORY_H

#include "ipc/message.h"
#include "queue/envelope.h"

enum directory_kind {
    DIRECTORY_NONE,    /* the domain is not ours */
    DIRECTORY_UNKNOWN, /* the domain is ours, the address is not */
    DIRECTORY_ACCOUNT, /* an account; user+ext finds user */
    DIRECTORY_ALIAS,   /* an alias; `targets` are its addresses */
    DIRECTORY_LATER,   /* the database cannot be read at the moment */
};

/* What is "user@domain", or the domain of "@domain"? */
#define DIRECTORY_ASK(F, S) F(S, TEXT, address, ENVELOPE_ADDR_MAX)
IPC_MESSAGE(directory_ask, 0x0801, DIRECTORY_ASK)

/* `account` is the canonical "user@domain"; `targets` addresses, one a line;
 * an account with targets keeps its copy and forwards to them as well.
 * Sizes in bytes, 0: no limit. `enabled`: may receive. */
#define DIRECTORY_ANSWER(F, S)   \
    F(S, U32, kind, 0)           \
    F(S, TEXT, tenant, 320)      \
    F(S, TEXT, account, 320)     \
    F(S, U32, enabled, 0)        \
    F(S, U64, quota, 0)          \
    F(S, BLOB, targets, 50000)
IPC_MESSAGE(directory_answer, 0x0802, DIRECTORY_ANSWER)

#endif
