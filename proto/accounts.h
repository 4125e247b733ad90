/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accounts.h - what the postern command asks of authd.
 *
 * Over the socket public/accounts, known by SO_PEERCRED: only root and the
 * owner of the suite. One request; any number of account_line; account_done.
 */
#ifndef PROTO_ACCOUNTS_H
#define PROTO_ACCOUNTS_H

#include "ipc/message.h"

#define ACCOUNTS_SOCKET "public/accounts"

enum account_noun { ACCOUNT_TENANT, ACCOUNT_DOMAIN, ACCOUNT_USER,
                    ACCOUNT_ALIAS };
enum account_verb { ACCOUNT_ADD, ACCOUNT_LIST, ACCOUNT_SET, ACCOUNT_DEL };

enum account_field { /* which of the fields of a request are meant */
    ACCOUNT_HAS_PASSWORD = 1 << 0,
    ACCOUNT_HAS_QUOTA = 1 << 1,
    ACCOUNT_HAS_ENABLED = 1 << 2,
    ACCOUNT_HAS_TARGETS = 1 << 3,
    ACCOUNT_HAS_TENANT = 1 << 4,
};

/* `name` is a tenant, a domain, or an address; for a list, what to list ("":
 * all). `targets`: addresses, one a line. Quota in bytes, 0: none. */
#define ACCOUNT_REQUEST(F, S)    \
    F(S, U32, noun, 0)           \
    F(S, U32, verb, 0)           \
    F(S, U32, has, 0)            \
    F(S, TEXT, name, 320)        \
    F(S, TEXT, tenant, 320)      \
    F(S, TEXT, password, 1000)   \
    F(S, BLOB, targets, 50000)   \
    F(S, U64, quota, 0)          \
    F(S, U32, enabled, 0)
IPC_MESSAGE(account_request, 0x0901, ACCOUNT_REQUEST)

/* One tenant, domain, user or alias, as its columns. */
#define ACCOUNT_LINE(F, S)     \
    F(S, TEXT, name, 320)      \
    F(S, TEXT, tenant, 320)    \
    F(S, BLOB, targets, 50000) \
    F(S, U64, quota, 0)        \
    F(S, U32, enabled, 0)      \
    F(S, U32, uid, 0)
IPC_MESSAGE(account_line, 0x0902, ACCOUNT_LINE)

#define ACCOUNT_DONE(F, S) F(S, TEXT, why, 500)
IPC_MESSAGE(account_done, 0x0903, ACCOUNT_DONE)

#endif
