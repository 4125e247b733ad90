/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cleanup.h - how a message gets into the queue.
 *
 * Spoken by smtpd and bounce to cleanup. One transaction at a time:
 *
 *     mail_begin                      no answer
 *     mail_rcpt   -> mail_reply       once a recipient; the first that is
 *                                     accepted gives the queue id
 *     mail_content -> mail_reply      as often as needed, `last` on the last
 *
 * The answer to the last content is the only one that means "durable": 250
 * after the message and its name are on disk. Any other code means that
 * nothing was queued. After that answer, or mail_abort, or an error, the next
 * mail_begin may come. Content is a run of sealed memory files of at most
 * content_memory_limit each (DESIGN §3).
 */
#ifndef PROTO_CLEANUP_H
#define PROTO_CLEANUP_H

#include "ipc/message.h"
#include "queue/envelope.h"

/* The envelope without recipients: what queue/envelope.h declares. */
#define MAIL_BEGIN(F, S) ENVELOPE_LIST(F, S)
IPC_MESSAGE(mail_begin, 0x0201, MAIL_BEGIN)

#define MAIL_RCPT(F, S)                    \
    F(S, TEXT, address, ENVELOPE_ADDR_MAX) \
    F(S, TEXT, orcpt, ENVELOPE_ORCPT_MAX)  \
    F(S, U32, notify, 0) /* enum envelope_notify */
IPC_MESSAGE(mail_rcpt, 0x0202, MAIL_RCPT)

#define MAIL_CONTENT(F, S) \
    F(S, FD, fd, 0)        \
    F(S, U32, last, 0)
IPC_MESSAGE(mail_content, 0x0203, MAIL_CONTENT)

IPC_SIGNAL(mail_abort, 0x0204)

/* An SMTP reply: code, enhanced status (RFC 3463), text without either. */
#define MAIL_REPLY(F, S)    \
    F(S, U32, code, 0)      \
    F(S, TEXT, dsn, 16)     \
    F(S, TEXT, text, 400)   \
    F(S, TEXT, queue_id, 16)
IPC_MESSAGE(mail_reply, 0x0205, MAIL_REPLY)

#endif
