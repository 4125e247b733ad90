/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Destinations, jobs and agents. A destination is a transport and a next hop;
 * its jobs wait in order, and a bounded number of agents works on them, each a
 * channel to a delivery program. A transport has a bounded number of agents,
 * which go round its destinations, so that one large destination does not
 * starve the others. An agent without a job is kept for a moment, since finding
 * one takes longer than a delivery, unless another destination waits for it.
 */
#include "qmgr/qmgr.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define IDLE_MS 1000 /* how long an agent without a job is kept */

struct transport {
    struct map_node node;
    char name[65];
    unsigned agents;
    struct list waiting; /* destinations with jobs and room for an agent */
    struct list idle;    /* agents, the longest idle first */
    struct timer again;  /* after a join that failed */
};

struct destination {
    struct map_node node; /* "transport nexthop" */
    struct list link;     /* in transport.waiting */
    struct transport *transport;
    char key[65 + 513];
    char nexthop[513];
    struct list jobs;
    struct list idle; /* agents; empty while there are jobs */
    unsigned agents;
    unsigned joined; /* agents that stand: their join was answered */
    uint64_t dead_until_ms; /* it could not be reached: wait until then, by
                             * the clock that nobody sets */
    char *dead_why;
};

struct job {
    struct list link;
    struct active *a;
    size_t n;
    uint32_t indices[];
};

enum agent_state { JOINING, IDLE, BUSY };

struct agent {
    struct peer peer;
    struct join join;
    struct timer patience;
    struct destination *dest;
    struct job *job;
    enum agent_state state;
    unsigned generation;            /* of the configuration it has */
    struct list of_transport, of_dest; /* in their lists of idle agents */
};

static struct {
    struct map transports, destinations;
    unsigned generation; /* one more at each reload */
} schedule;

static void run(struct transport *t);

/* --- destinations ------------------------------------------------------ */

static struct transport *transport_get(const char *name)
{
    struct map_node *n = map_find(&schedule.transports, view_of(name));
    struct transport *t;

    if (n != NULL)
        return map_entry(n, struct transport, node);
    t = alloc_zero(1, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    t->node.key = view_of(t->name);
    list_init(&t->waiting);
    list_init(&t->idle);
    map_add(&schedule.transports, &t->node);
    return t;
}

static struct destination *destination_get(const char *transport,
                                           const char *nexthop)
{
    char key[65 + 513];
    struct map_node *n;
    struct destination *d;

    snprintf(key, sizeof key, "%s %s", transport, nexthop);
    n = map_find(&schedule.destinations, view_of(key));
    if (n != NULL)
        return map_entry(n, struct destination, node);
    d = alloc_zero(1, sizeof *d);
    memcpy(d->key, key, sizeof d->key);
    d->node.key = view_of(d->key);
    snprintf(d->nexthop, sizeof d->nexthop, "%s", nexthop);
    d->transport = transport_get(transport);
    list_init(&d->link);
    list_init(&d->jobs);
    list_init(&d->idle);
    map_add(&schedule.destinations, &d->node);
    return d;
}

/* Keep a destination only as long as there is something to know of it. */
static void destination_drop(struct destination *d)
{
    if (d->agents > 0 || !list_empty(&d->jobs) ||
        d->dead_until_ms > clock_mono_ms())
        return;
    list_remove(&d->link);
    map_remove(&schedule.destinations, &d->node);
    free(d->dead_why);
    free(d);
}

static unsigned limit_of(const struct destination *d)
{
    return strcmp(d->transport->name, "local") == 0
               ? qmgr_conf.local_destination_concurrency_limit
               : qmgr_conf.default_destination_concurrency_limit;
}

static void want_agent(struct destination *d)
{
    if (!list_empty(&d->jobs) && d->agents < limit_of(d) &&
        list_empty(&d->link))
        list_append(&d->transport->waiting, &d->link);
}

/* --- jobs that are not done by an agent -------------------------------- */

static void job_end(struct job *j)
{
    struct active *a = j->a;

    list_remove(&j->link);
    free(j);
    attempt_job_done(a);
}

/* Put off every recipient of a job for one reason. */
static void defer_job(struct job *j, struct view why)
{
    struct active *a = j->a;

    for (size_t i = 0; i < j->n; i++) {
        struct delivery_result r = { .dsn = VIEW("4.4.1"), .text = why };

        if (a->outcomes[j->indices[i]].status != RCPT_PENDING)
            continue;
        log_info("%s: to=<%.*s>, relay=none, delay=0, delays=0/0/0/0, "
                 "dsn=4.4.1, status=deferred (%.*s)", a->m->id,
                 VIEW_ARG(a->q.rcpts[j->indices[i]].r.address),
                 VIEW_ARG(why));
        attempt_outcome(a, j->indices[i], RCPT_DEFERRED, &r);
    }
    job_end(j);
}

static void defer_waiting(struct destination *d)
{
    char why[1000];

    snprintf(why, sizeof why, "delivery temporarily suspended: %.900s",
             d->dead_why);
    list_remove(&d->link);
    list_each_safe (l, &d->jobs)
        defer_job(list_entry(l, struct job, link), view_of(why));
}

/* Only the deadline is forgotten; nodes go when they are next used. */
static void forgive(struct map_node *n, void *unused)
{
    (void)unused;
    map_entry(n, struct destination, node)->dead_until_ms = 0;
}

void schedule_forgive(void)
{
    map_each(&schedule.destinations, forgive, NULL);
}

static void end_waiting(struct map_node *n, void *unused)
{
    struct destination *d = map_entry(n, struct destination, node);

    (void)unused;
    list_remove(&d->link);
    list_each_safe (l, &d->jobs)
        job_end(list_entry(l, struct job, link));
}

void schedule_stopping(void)
{
    schedule_reloaded();
    map_each(&schedule.destinations, end_waiting, NULL);
}

/* --- agents ------------------------------------------------------------ */

/* End the agent's job. Recipients that were not answered for stay pending;
 * settle() makes them suspect. */
static void agent_job_end(struct agent *g)
{
    struct job *j = g->job;

    g->job = NULL;
    if (j != NULL)
        job_end(j);
}

static void agent_free(struct agent *g)
{
    struct destination *d = g->dest;

    service_join_cancel(&g->join);
    timer_cancel(&qmgr.daemon->loop, &g->patience);
    list_remove(&g->of_transport);
    list_remove(&g->of_dest);
    d->joined -= g->state != JOINING;
    d->agents--;
    d->transport->agents--;
    free(g);
    want_agent(d);
    destination_drop(d);
}

static void on_agent_gone(struct peer *p)
{
    struct agent *g = list_entry(p, struct agent, peer);
    struct transport *t = g->dest->transport;

    if (g->state == BUSY)
        log_warning("%s: the %s agent went away in mid-delivery",
                    g->job->a->m->id, g->dest->transport->name);
    agent_job_end(g);
    agent_free(g);
    run(t);
}

static void on_patience(struct timer *t)
{
    struct agent *g = list_entry(t, struct agent, patience);

    if (g->state == BUSY)
        log_warning("%s: the %s agent did not answer for %u seconds",
                    g->job->a->m->id, g->dest->transport->name,
                    qmgr_conf.daemon_timeout);
    peer_close(&g->peer);
}

static void send_rcpt(struct agent *g, uint32_t index)
{
    struct active *a = g->job->a;
    const struct envelope_rcpt *r = &a->q.rcpts[index].r;
    const struct outcome *o = &a->outcomes[index];
    struct delivery_rcpt msg = {
        .index = index,
        .address = r->address,
        .original = r->original,
        .orcpt = r->orcpt,
        .notify = r->notify,
        .account = o->account ? view_of(o->account) : r->account,
        .quota = o->account ? o->quota : r->quota,
        .suspect = o->suspect,
    };

    peer_send(&g->peer, &delivery_rcpt_type, &msg);
}

static void send_job(struct agent *g)
{
    struct active *a = g->job->a;
    struct delivery_begin begin = {
        .queue_id = view_of(a->m->id),
        .fd = a->fd,
        .content_offset = a->q.content_offset,
        .content_len = a->q.content_len,
        .content_crc = a->q.content_crc,
        .sender = a->q.e.sender,
        .envid = a->q.e.envid,
        .ret = a->q.e.ret,
        .flags = a->q.e.flags,
        .nexthop = view_of(g->dest->nexthop),
        .arrival_us = a->q.arrival_us,
        .active_us = a->since_us,
    };

    g->state = BUSY;
    peer_send(&g->peer, &delivery_begin_type, &begin);
    for (size_t i = 0; i < g->job->n; i++)
        send_rcpt(g, g->job->indices[i]);
    peer_send(&g->peer, &delivery_go_type, NULL);
    timer_set(&qmgr.daemon->loop, &g->patience,
              qmgr_conf.daemon_timeout * 1000ULL);
}

/* Keep an agent that has nothing to do for the next job, unless its place is
 * wanted. */
static void rest(struct agent *g)
{
    struct transport *t = g->dest->transport;

    if (!list_empty(&t->waiting)) {
        peer_close(&g->peer);
        return;
    }
    list_append(&t->idle, &g->of_transport);
    list_append(&g->dest->idle, &g->of_dest);
    timer_set(&qmgr.daemon->loop, &g->patience, IDLE_MS);
}

/* Give an agent the destination's next job, or let it rest; one that was
 * started before the last reload is let go. */
static void next_job(struct agent *g)
{
    struct destination *d = g->dest;

    g->state = IDLE;
    list_remove(&g->of_transport);
    list_remove(&g->of_dest);
    if (g->generation != schedule.generation) {
        peer_close(&g->peer);
        return;
    }
    if (list_empty(&d->jobs)) {
        rest(g);
        return;
    }
    g->job = list_entry(d->jobs.next, struct job, link);
    list_remove(&g->job->link);
    if (list_empty(&d->jobs))
        list_remove(&d->link);
    send_job(g);
}

/* --- what agents say --------------------------------------------------- */

static bool is_of_job(const struct job *j, uint32_t index)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->indices[i] == index)
            return true;
    return false;
}

static void on_result(struct peer *p, const void *msg)
{
    const struct delivery_result *r = msg;
    struct agent *g = list_entry(p, struct agent, peer);

    if (g->job == NULL || !is_of_job(g->job, r->index) ||
        r->status < RCPT_DELIVERED || r->status > RCPT_BOUNCED) {
        log_warning("the %s agent spoke of a recipient it does not have",
                    g->dest->transport->name);
        peer_close(p);
        return;
    }
    attempt_outcome(g->job->a, r->index, (enum rcpt_status)r->status, r);
}

static void on_end(struct peer *p, const void *msg)
{
    const struct delivery_end *e = msg;
    struct agent *g = list_entry(p, struct agent, peer);
    struct destination *d = g->dest;

    if (g->job == NULL) {
        peer_close(p);
        return;
    }
    timer_cancel(&qmgr.daemon->loop, &g->patience);
    if (e->damaged)
        g->job->a->damaged = true;
    if (e->why.len > 0) {
        d->dead_until_ms = clock_mono_ms() +
                           qmgr_conf.minimal_backoff_time * 1000ULL;
        free(d->dead_why);
        d->dead_why = alloc_copy(e->why.data, e->why.len);
        defer_waiting(d);
    } else {
        d->dead_until_ms = 0;
    }
    agent_job_end(g);
    next_job(g);
}

static const struct ipc_rule rules[] = {
    { &delivery_result_type, NULL, on_result },
    { &delivery_end_type, NULL, on_end },
    { NULL, NULL, NULL },
};

/* --- finding agents ---------------------------------------------------- */

static void on_again(struct timer *t)
{
    run(list_entry(t, struct transport, again));
}

/* No agent: the destination's jobs are put off, when there is no other agent
 * that will come to them. Nobody is asked again before a second is over. */
static void no_agent(struct agent *g, const char *why)
{
    struct destination *d = g->dest;
    struct transport *t = d->transport;
    char text[300];

    snprintf(text, sizeof text, "mail transport %s: %s", t->name, why);
    if (d->joined == 0) {
        list_remove(&d->link);
        list_each_safe (l, &d->jobs)
            defer_job(list_entry(l, struct job, link), view_of(text));
    }
    t->again.fire = on_again;
    timer_set(&qmgr.daemon->loop, &t->again, 1000);
    agent_free(g);
}

static void on_joined(struct join *j, int fd, const char *why)
{
    struct agent *g = list_entry(j, struct agent, join);

    if (fd < 0) {
        no_agent(g, why);
        return;
    }
    g->dest->joined++;
    peer_init(&g->peer, &qmgr.daemon->loop, fd, g->dest->transport->name, 0,
              rules, on_agent_gone);
    next_job(g);
}

/* A program that runs per tenant is chosen by the account of the job. */
static const char *account_of(const struct job *j)
{
    static char account[321];
    const struct outcome *o = &j->a->outcomes[j->indices[0]];

    if (o->account != NULL)
        return o->account;
    view_copy(j->a->q.rcpts[j->indices[0]].r.account, account, sizeof account);
    return account;
}

static void start_agent(struct destination *d)
{
    struct agent *g = alloc_zero(1, sizeof *g);
    struct job *first = list_entry(d->jobs.next, struct job, link);

    g->dest = d;
    g->state = JOINING;
    g->patience.fire = on_patience;
    g->join.done = on_joined;
    g->generation = schedule.generation;
    list_init(&g->of_transport);
    list_init(&g->of_dest);
    d->agents++;
    d->transport->agents++;
    service_join(qmgr.daemon, d->transport->name, account_of(first), &g->join);
}

/* Start agents for waiting destinations, each in its turn. A destination gets
 * one more agent than it has only while it has jobs for it. */
static void run(struct transport *t)
{
    /* The end of this one brings us back. */
    if (!list_empty(&t->waiting) && !list_empty(&t->idle) &&
        t->agents >= qmgr_conf.default_process_limit)
        peer_close(&list_entry(t->idle.next, struct agent, of_transport)->peer);
    while (!list_empty(&t->waiting) &&
           t->agents < qmgr_conf.default_process_limit) {
        struct destination *d = list_entry(t->waiting.next,
                                           struct destination, link);

        list_remove(&d->link);
        if (!list_empty(&d->jobs) && d->agents < limit_of(d))
            start_agent(d);
    }
}

void schedule_job(struct active *a, const char *transport, const char *nexthop,
                  const uint32_t *indices, size_t n)
{
    struct destination *d;
    struct job *j;

    if (qmgr.stopping) {
        attempt_job_done(a);
        return;
    }
    d = destination_get(transport, nexthop);
    j = alloc(sizeof *j + n * sizeof *indices);
    *j = (struct job){ .a = a, .n = n };
    memcpy(j->indices, indices, n * sizeof *indices);
    list_append(&d->jobs, &j->link);
    if (d->dead_until_ms > clock_mono_ms() && d->dead_why != NULL) {
        defer_waiting(d);
        destination_drop(d);
        return;
    }
    if (!list_empty(&d->idle)) {
        next_job(list_entry(d->idle.next, struct agent, of_dest));
        return;
    }
    want_agent(d);
    run(d->transport);
}

void schedule_reloaded(void)
{
    schedule.generation++;
}
