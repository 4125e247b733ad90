/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes, again: what cleanup found when the message came may have changed by
 * the time it is tried again. One channel to mapd, questions answered in
 * order; when mapd is away the old routes are used.
 */
#include "qmgr/qmgr.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/resolve.h"

struct question {
    struct list link;
    struct active *a;
    size_t index;
};

static struct {
    struct peer mapd;
    struct join join;
    struct timer patience; /* with the oldest question */
    bool connected, joining;
    struct list questions; /* asked, or to be asked when connected */
} route = { .questions = LIST_INIT(route.questions) };

/* A mapd that hangs keeps no message: as if it had gone away. */
static void on_patience(struct timer *t)
{
    (void)t;
    log_warning("mapd did not answer for %u seconds; using the old routes",
                qmgr_conf.ipc_timeout);
    peer_close(&route.mapd);
}

static void be_patient(void)
{
    route.patience.fire = on_patience;
    timer_set(&qmgr.daemon->loop, &route.patience,
              qmgr_conf.ipc_timeout * 1000ULL);
}

static void ask(const struct question *q)
{
    struct resolve_ask msg = { q->a->q.rcpts[q->index].r.address };

    if (route.patience.place == 0)
        be_patient();
    peer_send(&route.mapd, &resolve_ask_type, &msg);
}

/* gcc 12 does not see that what list_remove() took out is nobody's next. */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-use-after-free"
#endif
/* Take the oldest question off the list; its attempt goes on when that was
 * its last. */
static void answered(struct question *q)
{
    struct active *a = q->a;

    list_remove(&q->link);
    free(q);
    if (--a->routing == 0)
        attempt_dispatch(a);
}
#pragma GCC diagnostic pop

static void use_route(struct outcome *o, const struct resolve_answer *r)
{
    o->transport = alloc_copy(r->transport.data, r->transport.len);
    o->nexthop = alloc_copy(r->nexthop.data, r->nexthop.len);
    o->account = alloc_copy(r->account.data, r->account.len);
    o->quota = r->quota;
}

/* The recipient was there when the message was taken and is not any more. */
static void gone(struct active *a, size_t i, const struct resolve_answer *r)
{
    const char *dsn = resolve_dsn(r->result);
    struct delivery_result result = { .dsn = view_of(dsn), .text = r->text };

    log_info("%s: to=<%.*s>, relay=none, delay=0, delays=0/0/0/0, dsn=%s, "
             "status=bounced (%.*s)", a->m->id,
             VIEW_ARG(a->q.rcpts[i].r.address), dsn, VIEW_ARG(r->text));
    attempt_outcome(a, (uint32_t)i, RCPT_BOUNCED, &result);
}

static void on_answer(struct peer *p, const void *msg)
{
    const struct resolve_answer *r = msg;
    struct question *q;

    if (list_empty(&route.questions)) {
        peer_close(p);
        return;
    }
    q = list_entry(route.questions.next, struct question, link);
    if (r->result == RESOLVE_OK && r->transport.len > 0)
        use_route(&q->a->outcomes[q->index], r);
    else if (r->result != RESOLVE_OK && r->result != RESOLVE_LATER)
        gone(q->a, q->index, r);
    answered(q);
    if (list_empty(&route.questions))
        timer_cancel(&qmgr.daemon->loop, &route.patience);
    else
        be_patient();
}

static const struct ipc_rule rules[] = {
    { &resolve_answer_type, NULL, on_answer },
    { NULL, NULL, NULL },
};

static void give_up(void)
{
    while (!list_empty(&route.questions))
        /* As above. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        answered(list_entry(route.questions.next, struct question, link));
}

static void on_gone(struct peer *p)
{
    (void)p;
    route.connected = false;
    timer_cancel(&qmgr.daemon->loop, &route.patience);
    give_up();
}

static void on_joined(struct join *j, int fd, const char *why)
{
    (void)j;
    route.joining = false;
    if (fd < 0) {
        log_warning("cannot ask mapd for routes: %s; using the old ones", why);
        give_up();
        return;
    }
    peer_init(&route.mapd, &qmgr.daemon->loop, fd, "mapd", 0, rules, on_gone);
    route.connected = true;
    list_each (l, &route.questions)
        ask(list_entry(l, struct question, link));
}

void route_begin(struct active *a)
{
    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct question *q;

        if (a->outcomes[i].done_before)
            continue;
        q = alloc_zero(1, sizeof *q);
        *q = (struct question){ .a = a, .index = i };
        list_append(&route.questions, &q->link);
        a->routing++;
        if (route.connected)
            ask(q);
    }
    if (a->routing == 0) {
        attempt_dispatch(a);
    } else if (!route.connected && !route.joining) {
        route.joining = true;
        route.join.done = on_joined;
        service_join(qmgr.daemon, "mapd", "", &route.join);
    }
}
