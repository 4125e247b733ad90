/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent.h - the delivery agents' side of proto/delivery.h.
 *
 * An agent is a straight-line program; agent_serve() reads its deliveries and
 * hands each over whole. The agent answers every recipient with agent_result(),
 * which also writes the log line that monitoring tools count.
 */
#ifndef QUEUE_AGENT_H
#define QUEUE_AGENT_H

#include "proto/delivery.h"
#include "service/service.h"

struct delivery {
    struct delivery_begin begin; /* views into bytes; begin.fd is open */
    struct delivery_rcpt *rcpts; /* views into bytes */
    size_t n_rcpts;
    char queue_id[17];
    uint64_t taken_us;           /* when the agent got it, wall clock */
    uint64_t connected_us;       /* when a connection stood; 0: none needed */
    struct ipc *qmgr;
    struct buf *bytes;           /* one a packet */
    bool *answered;              /* one a recipient */
};

/* Serve deliveries from `fd` (taken) until qmgr hangs up. `deliver` answers
 * for every recipient; it sets *why when the destination cannot be reached. */
void agent_serve(int fd,
                 void (*deliver)(struct delivery *d, struct buf *why,
                                 void *arg),
                 void *arg);

/* What became of recipient `i`. */
struct agent_status {
    enum rcpt_status status;
    const char *dsn;      /* "2.0.0" */
    struct view text;     /* in the log's last parentheses */
    const char *relay;    /* the log's relay=: "local", "mx[192.0.2.1]:25" */
    struct view remote, diag; /* for the DSN */
    bool relayed;
};

/* Log it and tell qmgr. */
void agent_result(struct delivery *d, size_t i, const struct agent_status *s);

#endif
