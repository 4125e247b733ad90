/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - mailbox changes, told to whoever has the mailbox open.
 *
 * Spoken to the hub `notify` by local (its stamp has a tenant), by imapd and
 * pop3d (their stamp has an account). The hub keeps nothing: a notice that
 * nobody listens for is dropped, and one that is lost is found by the next
 * look at the disk.
 */
#ifndef PROTO_NOTIFY_H
#define PROTO_NOTIFY_H

#include "ipc/message.h"

/* Tell me of changes in the account of my stamp. */
IPC_SIGNAL(notify_listen, 0x0d01)

/* A mailbox of the account changed; to the hub, and from it to all who listen
 * but the teller. The account must be the teller's, or of its tenant. */
#define NOTIFY_CHANGED(F, S) \
    F(S, TEXT, account, 320) \
    F(S, TEXT, mailbox, 240)
IPC_MESSAGE(notify_changed, 0x0d02, NOTIFY_CHANGED)

#endif
