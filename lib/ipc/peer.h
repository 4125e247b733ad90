/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.h - a channel inside an event loop, with its rules.
 *
 * A program that serves many peers lists what each may say in one table of
 * rules; a message that no rule allows to this peer, or that does not decode,
 * ends the peer's connection and nothing else.
 *
 * Life:      peer_init joins the loop; peer_close leaves it, closes the
 *            channel and calls `gone` (once). A handler may close any peer,
 *            its own included.
 * Ownership: the peer is part of its owner's struct; `gone` may free it.
 *            Views in a message are valid during the handler; descriptors in
 *            it are the handler's: it takes or closes them.
 * Errors:    peer_send() queues what does not go out at once; a peer whose
 *            queue outgrows PEER_QUEUE_MAX is closed at the end of the turn.
 * Blocking:  never.
 */
#ifndef IPC_PEER_H
#define IPC_PEER_H

#include "base/list.h"
#include "event/loop.h"
#include "ipc/ipc.h"

#define PEER_QUEUE_MAX (4u << 20) /* bytes waiting to be sent */

struct peer;

struct ipc_rule {
    const struct ipc_type *type; /* NULL ends the table */
    const char *roles; /* words: who may say it; NULL: every peer */
    void (*handle)(struct peer *p, const void *msg);
};

struct peer {
    struct loop *loop;
    struct watch watch;
    struct timer doom;      /* closes a peer from outside its handlers */
    struct timer again;     /* sends what the system had no memory for */
    const struct ipc_rule *rules;
    char role[32];          /* from the stamp; "" for master itself */
    uint32_t pid;
    struct buf in;
    struct list queue;      /* of packets not yet sent */
    size_t queued;          /* bytes in it */
    bool *gone_flag;        /* set when closed inside its own handler */
    void (*gone)(struct peer *p);
};

/* Speak over `fd` (taken) by `rules` (borrowed). `role` names the peer. */
void peer_init(struct peer *p, struct loop *l, int fd, const char *role,
               uint32_t pid, const struct ipc_rule *rules,
               void (*gone)(struct peer *));

/* Send a message, now or as soon as the peer reads. Its descriptors stay the
 * caller's (they are duplicated when they have to wait). A message over a
 * limit of its own declaration is logged and ends the peer's connection. */
void peer_send(struct peer *p, const struct ipc_type *type, const void *msg);

/* End the connection. */
void peer_close(struct peer *p);

#endif
