/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmgr.h - the queue manager's pieces.
 *
 * A message is in one of the queue's directories and, once known, in memory
 * as a struct message. Being delivered, it also has a struct active: the open
 * file, its recipients, and one job a group of recipients with the same
 * destination. The states, and who moves a message between them:
 *
 *     directory   in memory      leaves it by
 *     (none)      OFFERED        delivered: forgotten; queue_new: ARRIVED
 *     incoming/   ARRIVED        take(): renamed to active/
 *     active/     ACTIVE         finish(): removed, or deferred/ with its
 *                                next attempt as the file's mtime
 *     deferred/   DEFERRED       its time comes, or flush: take()
 *     hold/       HELD           postsuper -H: deferred/, due now
 *     corrupt/    (forgotten)    by hand
 *
 * A recipient is *suspect*, that is, it may have been delivered without our
 * knowing, when its message is older than this process and was not tried by
 * it yet, or when the agent that had it died.
 */
#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include "base/list.h"
#include "base/map.h"
#include "proto/bounce.h"
#include "proto/delivery.h"
#include "proto/queue.h"
#include "queue/qfile.h"
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

enum queue_dir { ARRIVED, ACTIVE, DEFERRED, HELD, N_QUEUES,
                 OFFERED = N_QUEUES };

struct message {
    struct map_node node;     /* by id; the key points into `id` */
    struct list link;         /* in qmgr.ready while it waits to be taken */
    char id[QFILE_ID_LEN + 1];
    enum queue_dir queue;
    bool tried;               /* by this process, to the end */
    bool requeue;             /* route it again at the next attempt */
    bool deferred;            /* by this process, since it was found */
    uint64_t seen_us;         /* clock_mono_us() when it was first read */
    uint64_t seen_age_us;     /* how old it was then */
    struct timer due;         /* of a deferred one */
    uint64_t next_us;         /* wall clock of the next attempt */
    struct active *active;    /* only in ACTIVE and OFFERED, and in ARRIVED
                                 after that */
    struct offer *offer;      /* only in OFFERED */
};

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

extern struct qmgr_conf qmgr_conf;
extern const struct param qmgr_params[];
extern const struct ipc_rule qmgr_peer_rules[];

/* The one context of this daemon. */
struct qmgr {
    struct daemon *daemon;
    struct map messages;
    struct list ready;        /* messages that wait to be taken */
    size_t n_active;
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

/* --- message.c: messages in memory and on disk ------------------------- */

/* The path of a message's file below the root, valid until the next call. */
const char *message_path(const struct message *m);
const char *queue_name(enum queue_dir q);

/* Find by id; add one that is in `queue` (NULL if it is known already). */
struct message *message_find(struct view id);
struct message *message_add(struct view id, enum queue_dir queue);

/* Let it be taken as soon as there is room. */
void message_ready(struct message *m);

/* Not before `next_us`; the message is in DEFERRED. */
void message_wait(struct message *m, uint64_t next_us);

/* Move the file to another queue; on error it is where it was. */
int message_move(struct message *m, enum queue_dir to, struct error *err);

/* Is there a file of this message in that queue? */
bool message_is_in(const struct message *m, enum queue_dir q);

/* Remove the file and forget the message. False: it is still there. */
bool message_remove(struct message *m);

/* Forget the message; its file stays. */
void message_forget(struct message *m);

/* Put a file that makes no sense away, and forget it. */
void message_corrupt(struct message *m, const char *why);

/* Take ready messages while there is room: open, log, route, dispatch. */
void messages_take(void);

/* Look in incoming for messages that nobody told us of. */
void messages_arrived(void);

/* The same in all queues, and for what was active, at start. */
void messages_scan(bool at_start);

/* --- attempt.c: one attempt at a message ------------------------------- */

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
 * attempt_outcome() and attempt_job_done(). */
void schedule_job(struct active *a, const char *transport, const char *nexthop,
                  const uint32_t *indices, size_t n);

/* Forget that a destination was dead: after a flush. */
void schedule_forgive(void);

/* After a reload: no agent that was started before gets another job. */
void schedule_reloaded(void);

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
