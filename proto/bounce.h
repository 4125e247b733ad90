/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.h - telling a sender what became of a message.
 *
 * Spoken by qmgr to bounce: bounce_begin, bounce_rcpt..., bounce_go, answered
 * by bounce_done. Only after bounce_done with result 0 (the notification is
 * durable in the queue) may qmgr record its recipients as done.
 */
#ifndef PROTO_BOUNCE_H
#define PROTO_BOUNCE_H

#include "ipc/message.h"
#include "queue/envelope.h"

enum bounce_kind {
    BOUNCE_FAILURE, /* RFC 3464 Action: failed */
    BOUNCE_DELAY,   /* Action: delayed */
    BOUNCE_SUCCESS, /* Action: delivered, relayed, expanded */
};

#define BOUNCE_BEGIN(F, S)      \
    F(S, TEXT, queue_id, 16)    \
    F(S, U32, kind, 0)          \
    F(S, FD, fd, 0)             \
    F(S, U64, will_retry_us, 0)
IPC_MESSAGE(bounce_begin, 0x0601, BOUNCE_BEGIN)

/* The recipient is the one with this index in the queue file. */
#define BOUNCE_RCPT(F, S)    \
    F(S, U32, index, 0)      \
    F(S, TEXT, dsn, 16)      \
    F(S, TEXT, text, 1000)   \
    F(S, TEXT, remote, 255)  \
    F(S, TEXT, diag, 1000)   \
    F(S, U32, relayed, 0)
IPC_MESSAGE(bounce_rcpt, 0x0602, BOUNCE_RCPT)

IPC_SIGNAL(bounce_go, 0x0603)

/* result 0: the notification `queue_id` is in the queue, or (empty) none was
 * due: a bounce is never answered with a bounce. Else try again later. */
#define BOUNCE_DONE(F, S)    \
    F(S, U32, result, 0)     \
    F(S, TEXT, queue_id, 16) \
    F(S, TEXT, text, 500)
IPC_MESSAGE(bounce_done, 0x0604, BOUNCE_DONE)

#endif
