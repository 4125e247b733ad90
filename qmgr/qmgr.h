/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmgr.h - the queue manager's pieces: what becomes of a message (message.h),
 * of one attempt at it (attempt.h), and the rest here.
 */
#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include "proto/bounce.h"
#include "proto/queue.h"
#include "qmgr/attempt.h"
#include "qmgr/message.h"
#include "service/service.h"

struct qmgr_conf {
    unsigned minimal_backoff_time, maximal_backoff_time; /* seconds */
    unsigned maximal_queue_lifetime, bounce_queue_lifetime;
    unsigned delay_warning_time, queue_run_delay;
    unsigned daemon_timeout, ipc_timeout;
    unsigned qmgr_message_active_limit;
    unsigned default_destination_concurrency_limit;
    unsigned local_destination_concurrency_limit;
    unsigned default_destination_recipient_limit;
    unsigned default_process_limit;
};

extern struct qmgr_conf qmgr_conf;
extern const struct param qmgr_params[];
extern const struct ipc_rule qmgr_peer_rules[];

/* The one context of this daemon. */
struct qmgr {
    struct daemon *daemon;
    struct map messages;
    struct list ready;        /* messages that wait to be taken */
    size_t n_active;
    bool stopping;            /* nothing more is begun; ends with what was */
    uint64_t start_us;        /* ids before this are older than we are */
    struct timer scan_timer, take_timer, arrived_timer;
};
extern struct qmgr qmgr;

/* --- qmgr.c: life ------------------------------------------------------ */

/* What main.c names: service.h says when each is called. */
void qmgr_prepare(struct daemon *d);
void qmgr_start(struct daemon *d);
void qmgr_reloaded(struct daemon *d);
void qmgr_parted(struct daemon *d, struct peer *p);
void qmgr_stopping(struct daemon *d);

/* May one attempt more begin? */
bool qmgr_has_room(void);

/* An attempt has ended. */
void qmgr_attempt_ended(void);

/* --- offer.c: messages that are not on disk yet ------------------------ */

/* Begin an attempt at what this cleanup offers. Takes msg->fd. */
void offer_begin(struct peer *cleanup, const struct queue_offer *msg);

/* The offered bytes cannot be read: forget the message. */
void offer_failed(struct message *m);

/* The attempt at an offered message is over: answer cleanup. After
 * QUEUE_COMMIT it goes on with attempt_settle() once the message is on disk,
 * else it ends here. */
void offer_attempted(struct message *m, enum queue_verdict_kind kind);

/* The message's file is in incoming/ now. */
void offer_committed(struct message *m);

/* The cleanup that made offers went away. */
void offers_parted(struct peer *cleanup);

/* --- route.c: routes from mapd, again ---------------------------------- */

/* Ask for a new route of every recipient not done, then attempt_dispatch(). */
void route_begin(struct active *a);

/* --- schedule.c: destinations and agents ------------------------------- */

/* Have these recipients (indices, copied) delivered; answers come through
 * attempt_outcome() and attempt_job_done(), the latter alone when all stops. */
void schedule_job(struct active *a, const char *transport, const char *nexthop,
                  const uint32_t *indices, size_t n);

/* Forget that a destination was dead: after a flush. */
void schedule_forgive(void);

/* After a reload: no agent that was started before gets another job. */
void schedule_reloaded(void);

/* All stops: end the jobs that no agent has. */
void schedule_stopping(void);

/* --- notice.c: asking bounce ------------------------------------------- */

/* Have the sender told about the recipients for which `wants` is true;
 * answered by attempt_notice_done(). */
void notice_send(struct active *a, enum bounce_kind kind, uint64_t retry_us,
                 bool (*wants)(const struct active *a, size_t i));

/* --- sync.c: making appended statuses durable, beside the loop --------- */

/* Start the helper process; before the jail. */
void sync_prepare(void);
void sync_start(struct daemon *d);

/* Have this file's data synced soon; `fd` stays the caller's. */
void sync_soon(int fd);

/* --- admin.c: commands ------------------------------------------------- */

/* Take the connections of postqueue and postsuper from the listener. */
void admin_start(struct daemon *d);

#endif
