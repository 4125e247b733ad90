/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path: messages that cleanup offers before they are on disk
 * (proto/queue.h). An offer lives until its message is delivered, committed,
 * or dropped because the cleanup that made it is gone.
 */
#include "qmgr/qmgr.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/memfd.h"

struct offer {
    struct list link;       /* in `offers` */
    struct message *m;
    struct peer *cleanup;   /* NULL: gone */
    struct timer patience;
    bool answered;          /* QUEUE_COMMIT was said */
    bool attempted;         /* and the attempt waits for the commit */
};

static struct list offers = LIST_INIT(offers);

static void answer(struct offer *o, enum queue_verdict_kind kind)
{
    struct queue_verdict v = { .queue_id = view_of(o->m->id),
                               .verdict = kind };

    if (kind == QUEUE_REFUSED) {
        const struct outcome *first = &o->m->active->outcomes[0];

        v.dsn = view_of(first->dsn);
        v.text = view_sub(view_of(first->text), 0, 1000);
    }
    if (o->cleanup != NULL)
        peer_send(o->cleanup, &queue_verdict_type, &v);
}

static void say_commit(struct offer *o)
{
    if (o->answered)
        return;
    o->answered = true;
    answer(o, QUEUE_COMMIT);
}

static void on_patience(struct timer *t)
{
    say_commit(list_entry(t, struct offer, patience));
}

static void offer_free(struct offer *o)
{
    timer_cancel(&qmgr.daemon->loop, &o->patience);
    list_remove(&o->link);
    o->m->offer = NULL;
    free(o);
}

void offer_begin(struct peer *p, const struct queue_offer *msg)
{
    struct offer *o;
    struct message *m;
    struct error err;
    uint64_t size;

    if (memfd_check(msg->fd, QUEUE_OFFER_MAX, &size, &err) < 0) {
        log_warning("%.*s: the offer is refused: %s", VIEW_ARG(msg->queue_id),
                    err.text);
        close(msg->fd);
        peer_close(p);
        return;
    }
    m = qmgr_has_room() ? message_add(msg->queue_id, OFFERED) : NULL;
    if (m == NULL) {
        struct queue_verdict v = { .queue_id = msg->queue_id,
                                   .verdict = QUEUE_COMMIT };

        close(msg->fd);
        peer_send(p, &queue_verdict_type, &v);
        return;
    }
    o = alloc_zero(1, sizeof *o);
    o->m = m;
    o->cleanup = p;
    o->patience.fire = on_patience;
    m->offer = o;
    list_append(&offers, &o->link);
    timer_set(&qmgr.daemon->loop, &o->patience, msg->patience_ms);
    attempt_begin(m, msg->fd);
}

static void drop(struct offer *o)
{
    struct active *a = o->m->active;

    offer_free(o);
    attempt_drop(a);
}

/* Nobody is there to commit it, unless that was done just before. */
static void offer_abandoned(struct offer *o)
{
    if (message_is_in(o->m, ARRIVED)) {
        offer_committed(o->m);
        return;
    }
    log_info("%s: not queued: its client went away before that", o->m->id);
    drop(o);
}

void offer_attempted(struct message *m, enum queue_verdict_kind kind)
{
    struct offer *o = m->offer;

    if (kind != QUEUE_COMMIT && !o->answered) {
        answer(o, kind);
        log_info("%s: removed", m->id);
        drop(o);
        return;
    }
    o->attempted = true;
    say_commit(o);
    if (o->cleanup == NULL)
        offer_abandoned(o);
}

void offer_committed(struct message *m)
{
    struct offer *o = m->offer;
    bool attempted = o->attempted;

    m->queue = ARRIVED;
    offer_free(o);
    if (attempted)
        attempt_settle(m->active);
}

void offer_failed(struct message *m)
{
    say_commit(m->offer);
    offer_free(m->offer);
    message_forget(m);
}

void offers_parted(struct peer *p)
{
    list_each_safe (l, &offers) {
        struct offer *o = list_entry(l, struct offer, link);

        if (o->cleanup != p)
            continue;
        o->cleanup = NULL;
        timer_cancel(&qmgr.daemon->loop, &o->patience);
        if (o->attempted)
            offer_abandoned(o);
    }
}
