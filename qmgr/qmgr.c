/* SPDX-License-Identifier: BSD-2-Clause */
#include "qmgr/qmgr.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define ARRIVED_DELAY_MS 100

struct qmgr_conf qmgr_conf;
struct qmgr qmgr = { .ready = LIST_INIT(qmgr.ready) };

static void on_scan(struct timer *t)
{
    messages_scan(false);
    timer_set(&qmgr.daemon->loop, t, qmgr_conf.queue_run_delay * 1000ULL);
}

static void on_take(struct timer *t)
{
    (void)t;
    messages_take();
}

static void on_arrived(struct timer *t)
{
    (void)t;
    messages_arrived();
}

/* A cleanup that ended by a signal may have committed a message and not told
 * us. One look serves all that end together. */
void qmgr_parted(struct daemon *d, struct peer *p)
{
    if (strcmp(p->role, "cleanup") != 0)
        return;
    offers_parted(p);
    if (qmgr.arrived_timer.place == 0)
        timer_set(&d->loop, &qmgr.arrived_timer, ARRIVED_DELAY_MS);
}

void qmgr_prepare(struct daemon *d)
{
    (void)d;
    sync_prepare();
}

/* Ids are made from a clock of their own that never goes back; what was made
 * before we started is told by that clock. */
void qmgr_start(struct daemon *d)
{
    qmgr.daemon = d;
    qmgr.start_us = d->id_base;
    qmgr.scan_timer.fire = on_scan;
    qmgr.take_timer.fire = on_take;
    qmgr.arrived_timer.fire = on_arrived;
    sync_start(d);
    admin_start(d);
    messages_scan(true);
    timer_set(&d->loop, &qmgr.scan_timer, qmgr_conf.queue_run_delay * 1000ULL);
    timer_set(&d->loop, &qmgr.take_timer, 0);
}

void qmgr_reloaded(struct daemon *d)
{
    schedule_reloaded();
    timer_set(&d->loop, &qmgr.scan_timer, qmgr_conf.queue_run_delay * 1000ULL);
}

/* An agent that could not say what became of a message would make the next
 * qmgr deliver it again. */
void qmgr_stopping(struct daemon *d)
{
    (void)d;
    if (qmgr.stopping)
        return;
    qmgr.stopping = true;
    qmgr.n_active++; /* until this has looked at all */
    schedule_stopping();
    qmgr_attempt_ended();
}

bool qmgr_has_room(void)
{
    return !qmgr.stopping &&
           qmgr.n_active < qmgr_conf.qmgr_message_active_limit;
}

void qmgr_attempt_ended(void)
{
    if (--qmgr.n_active == 0 && qmgr.stopping)
        service_leave(qmgr.daemon);
}

/* --- what cleanup says ------------------------------------------------- */

static bool is_id(struct view id)
{
    if (qfile_is_id(id))
        return true;
    log_warning("cleanup told of \"%.*s\", which is no queue id",
                VIEW_ARG(id));
    return false;
}

static void on_new(struct peer *p, const void *msg)
{
    const struct queue_new *n = msg;
    struct message *m;

    (void)p;
    if (!is_id(n->queue_id))
        return;
    m = message_find(n->queue_id);
    if (m != NULL && m->queue == OFFERED) {
        offer_committed(m);
        return;
    }
    m = message_add(n->queue_id, ARRIVED);
    if (m == NULL)
        return; /* the scan was faster */
    message_ready(m);
    messages_take();
}

static void on_offer(struct peer *p, const void *msg)
{
    const struct queue_offer *o = msg;

    if (is_id(o->queue_id))
        offer_begin(p, o);
    else
        close(o->fd);
}

const struct ipc_rule qmgr_peer_rules[] = {
    { &queue_new_type, "cleanup", on_new },
    { &queue_offer_type, "cleanup", on_offer },
    { NULL, NULL, NULL },
};
