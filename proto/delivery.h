/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delivery.h - how qmgr has a message delivered.
 *
 * Spoken by qmgr to local, smtp and pipe: one delivery at a time on a channel.
 *
 *     delivery_begin, delivery_rcpt...      no answer
 *     delivery_go     -> delivery_result... one a recipient, any order
 *                     -> delivery_end
 *
 * The agent reads the open queue file with pread only. An agent that dies
 * leaves the recipients it did not answer for *suspect*: it may have delivered
 * them, and the next attempt says so (DESIGN §5).
 */
#ifndef PROTO_DELIVERY_H
#define PROTO_DELIVERY_H

#include "ipc/message.h"
#include "queue/envelope.h"

#define DELIVERY_BEGIN(F, S)              \
    F(S, TEXT, queue_id, 16)              \
    F(S, FD, fd, 0)                       \
    F(S, U64, content_offset, 0)          \
    F(S, U64, content_len, 0)             \
    F(S, U32, content_crc, 0)             \
    F(S, TEXT, sender, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, envid, 100)                \
    F(S, U32, ret, 0)                     \
    F(S, U32, flags, 0)                   \
    F(S, TEXT, nexthop, 512)              \
    F(S, U64, arrival_us, 0)              \
    F(S, U64, active_us, 0)
IPC_MESSAGE(delivery_begin, 0x0501, DELIVERY_BEGIN)

#define DELIVERY_RCPT(F, S)                 \
    F(S, U32, index, 0)                     \
    F(S, TEXT, address, ENVELOPE_ADDR_MAX)  \
    F(S, TEXT, original, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, orcpt, ENVELOPE_ORCPT_MAX)   \
    F(S, U32, notify, 0)                    \
    F(S, TEXT, account, 320)                \
    F(S, U64, quota, 0)                     \
    F(S, U32, suspect, 0)
IPC_MESSAGE(delivery_rcpt, 0x0502, DELIVERY_RCPT)

IPC_SIGNAL(delivery_go, 0x0503)

/* status: RCPT_DELIVERED, RCPT_DEFERRED or RCPT_BOUNCED. The agent has logged
 * it. `remote` is the host that said so, for the DSN (RFC 3464 §2.3.5), `diag`
 * its words ("smtp; 550 5.1.1 ..."). `relayed`: to another system, so a DSN
 * for success says "relayed" and not "delivered". */
#define DELIVERY_RESULT(F, S) \
    F(S, U32, index, 0)       \
    F(S, U32, status, 0)      \
    F(S, TEXT, dsn, 16)       \
    F(S, TEXT, text, 1000)    \
    F(S, TEXT, remote, 255)   \
    F(S, TEXT, diag, 1000)    \
    F(S, U32, relayed, 0)
IPC_MESSAGE(delivery_result, 0x0504, DELIVERY_RESULT)

/* `why` is not empty when the destination itself could not be reached: qmgr
 * then waits before it tries other messages for it. `damaged`: the content is
 * not what was accepted (its checksum, CRC-32C, differs), and nothing was done
 * with it. */
#define DELIVERY_END(F, S)  \
    F(S, TEXT, why, 1000)   \
    F(S, U32, damaged, 0)
IPC_MESSAGE(delivery_end, 0x0505, DELIVERY_END)

#endif
