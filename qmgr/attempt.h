/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.h - one attempt at a message: from its open file to what became of
 * each recipient.
 *
 * A recipient is *suspect*, that is, it may have been delivered without our
 * knowing, when its message is older than this process and was not tried by
 * it yet, when the message was offered and nothing is known of this recipient,
 * or when the agent that had it died.
 */
#ifndef QMGR_ATTEMPT_H
#define QMGR_ATTEMPT_H

#include "proto/delivery.h"
#include "qmgr/message.h"
#include "queue/qfile.h"

/* What an attempt found for one recipient. */
struct outcome {
    enum rcpt_status status;  /* RCPT_PENDING: no answer yet */
    bool suspect, relayed;
    bool done_before;         /* final before this attempt began */
    char dsn[17];
    char *text, *remote, *diag; /* owned; NULL: none */
    char *transport, *nexthop, *account; /* a new route; owned, or NULL */
    uint64_t quota;           /* of the new route's account */
};

struct active {
    struct message *m;
    int fd;                   /* the file, read only; of an offered message
                                 the memory file, to its end */
    struct qfile q;
    struct outcome *outcomes; /* one a recipient */
    unsigned jobs;            /* not finished */
    unsigned routing;         /* answers of mapd still to come */
    unsigned notices;         /* answers of bounce still to come */
    uint64_t since_us;        /* when this attempt began */
    bool notify_failed;       /* bounce was away: keep and try again */
    bool damaged;             /* an agent found the content changed */
    bool warned_now;
};

/* Begin: `m` is in ACTIVE or OFFERED, its file open. Takes fd. */
void attempt_begin(struct message *m, int fd);

/* All jobs are done and the message is on disk: tell the sender, then remove
 * or defer it. */
void attempt_settle(struct active *a);

/* End the attempt and forget the message, which has no file. */
void attempt_drop(struct active *a);

/* The routes are known: make the jobs. */
void attempt_dispatch(struct active *a);

/* Set what became of a recipient; texts are copied. */
void attempt_outcome(struct active *a, uint32_t index, enum rcpt_status status,
                     const struct delivery_result *r);

/* One job less, one notice less; the last one ends the attempt. */
void attempt_job_done(struct active *a);
void attempt_notice_done(struct active *a, bool ok);

#endif
