/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - what qmgr is told and asked.
 *
 * By cleanup, over a joined channel: queue_new and queue_offer. By commands,
 * over the socket public/qmgr (the peer's uid is known by SO_PEERCRED): the
 * rest. Each request of a command is answered by any number of lines and one
 * queue_done.
 *
 * The fast path (DESIGN §3): a message that is all for our own mailboxes is
 * offered before it is on disk. When every recipient has it durably, the
 * verdict is QUEUE_DELIVERED; when none can have it, QUEUE_REFUSED, so that
 * the client is told and no notification need be sent to a sender who may be
 * forged. In both cases there is nothing to queue. Else it is QUEUE_COMMIT:
 * cleanup makes the file durable, marked MESSAGE_OFFERED, and sends queue_new;
 * deliveries that had begun go on meanwhile. When cleanup goes away without
 * either, the message is forgotten as soon as its deliveries end: nobody was
 * promised anything.
 */
#ifndef PROTO_QUEUE_H
#define PROTO_QUEUE_H

#include "ipc/message.h"
#include "queue/envelope.h"

#define QUEUE_SOCKET "public/qmgr"
#define QUEUE_SHOWQ_SOCKET "public/showq"

/* A message is in incoming/, durable. */
#define QUEUE_NEW(F, S) F(S, TEXT, queue_id, 16)
IPC_MESSAGE(queue_new, 0x0701, QUEUE_NEW)

/* `fd`: a sealed memory file with the bytes of the queue file. */
#define QUEUE_OFFER_MAX (128u << 20) /* bytes of it */
#define QUEUE_OFFER(F, S)    \
    F(S, TEXT, queue_id, 16) \
    F(S, FD, fd, 0)          \
    F(S, U32, patience_ms, 0) /* the verdict is wanted within this time */
IPC_MESSAGE(queue_offer, 0x0702, QUEUE_OFFER)

enum queue_verdict_kind {
    QUEUE_COMMIT,
    QUEUE_DELIVERED,
    QUEUE_REFUSED, /* `dsn` and `text` say why */
};
#define QUEUE_VERDICT(F, S)  \
    F(S, TEXT, queue_id, 16) \
    F(S, U32, verdict, 0)    \
    F(S, TEXT, dsn, 16)      \
    F(S, TEXT, text, 1000)
IPC_MESSAGE(queue_verdict, 0x0703, QUEUE_VERDICT)

/* List what is queued; for one id, or all (""). */
#define QUEUE_LIST(F, S) F(S, TEXT, queue_id, 16)
IPC_MESSAGE(queue_list, 0x0710, QUEUE_LIST)

/* One message, followed by its recipients that are not done. */
#define QUEUE_ITEM(F, S)                  \
    F(S, TEXT, queue_name, 16)            \
    F(S, TEXT, queue_id, 16)              \
    F(S, U64, arrival_us, 0)              \
    F(S, U64, size, 0)                    \
    F(S, U64, next_us, 0)                 \
    F(S, TEXT, sender, ENVELOPE_ADDR_MAX)
IPC_MESSAGE(queue_item, 0x0711, QUEUE_ITEM)

#define QUEUE_ITEM_RCPT(F, S)              \
    F(S, TEXT, address, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, reason, 1000)
IPC_MESSAGE(queue_item_rcpt, 0x0712, QUEUE_ITEM_RCPT)

/* Try now: everything, one id, or one destination domain ("" for not). */
#define QUEUE_FLUSH(F, S)    \
    F(S, TEXT, queue_id, 16) \
    F(S, TEXT, site, 255)
IPC_MESSAGE(queue_flush, 0x0713, QUEUE_FLUSH)

/* Only from root or the owner of the suite: change one message, or all of
 * one queue ("" for all queues) when the id is "ALL". */
enum queue_change_kind {
    QUEUE_DELETE,
    QUEUE_HOLD,
    QUEUE_RELEASE,
    QUEUE_REQUEUE, /* expand and route again, try now */
};
#define QUEUE_CHANGE(F, S)     \
    F(S, U32, change, 0)       \
    F(S, TEXT, queue_id, 16)   \
    F(S, TEXT, queue_name, 16)
IPC_MESSAGE(queue_change, 0x0714, QUEUE_CHANGE)

/* A message that was changed. */
#define QUEUE_CHANGED(F, S) F(S, TEXT, queue_id, 16)
IPC_MESSAGE(queue_changed, 0x0715, QUEUE_CHANGED)

/* Read a message: only from root or the owner. Answered with its file. */
#define QUEUE_OPEN(F, S) F(S, TEXT, queue_id, 16)
IPC_MESSAGE(queue_open, 0x0716, QUEUE_OPEN)
#define QUEUE_OPENED(F, S)     \
    F(S, TEXT, queue_name, 16) \
    F(S, FD, fd, 0)
IPC_MESSAGE(queue_opened, 0x0717, QUEUE_OPENED)

/* The end of an answer: how many messages it was about; why not, or "". */
#define QUEUE_DONE(F, S)  \
    F(S, U32, count, 0)   \
    F(S, TEXT, why, 500)
IPC_MESSAGE(queue_done, 0x0718, QUEUE_DONE)

#endif
