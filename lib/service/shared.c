/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared shape: many clients, one question after the other. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "service/internal.h"

struct asker {
    struct list link; /* in daemon.peers */
    struct watch watch;
    struct daemon *daemon;
    struct client client;
    struct ipc line;
};

static void asker_free(struct asker *a)
{
    loop_unwatch(&a->daemon->loop, &a->watch);
    list_remove(&a->link);
    ipc_release(&a->line);
    free(a);
}

/* Take one question and answer it; false when there was none. */
static bool answer_one(struct asker *a)
{
    struct daemon *d = a->daemon;
    struct ipc_packet p;
    struct error err;
    int n = ipc_recv_raw(a->line.fd, &a->line.in, &p, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n > 0) {
        n = d->service->answer(d, &a->client, &a->line, &p, &err);
        ipc_packet_release(&p);
        if (n == 0)
            return true;
        log_warning("closing the channel of %s[%u]: %s", a->client.role,
                    a->client.pid, err.text);
    }
    asker_free(a);
    return false;
}

static void on_question(struct watch *w, uint32_t events)
{
    struct asker *a = list_entry(w, struct asker, watch);
    struct daemon *d = a->daemon;

    (void)events;
    answer_one(a);
    if (d->stop)
        loop_stop(&d->loop);
}

/* One at a time: what another process of ours takes, it takes. */
static void on_accept(struct watch *w, uint32_t events)
{
    struct daemon *d = list_entry(w, struct daemon, accepting);
    struct client c;
    struct asker *a;

    (void)events;
    if (!worker_take_stamped(&c))
        return;
    a = alloc_zero(1, sizeof *a);
    a->daemon = d;
    a->client = c;
    a->watch = (struct watch){ .fd = c.fd, .ready = on_question };
    ipc_init(&a->line, c.fd, 0);
    list_append(&d->peers, &a->link);
    if (loop_watch(&d->loop, &a->watch, EPOLLIN) < 0)
        asker_free(a);
}

static void wait_for_clients(struct daemon *d)
{
    d->look = false;
    if (loop_watch(&d->loop, &d->accepting, EPOLLIN | EPOLLEXCLUSIVE) < 0)
        log_fatal("cannot wait for clients: %s", strerrordesc_np(errno));
}

static void on_master(struct watch *w, uint32_t events)
{
    struct daemon *d = list_entry(w, struct daemon, hearing);

    (void)events;
    if (!worker_hear_master(d) || d->stop) {
        loop_stop(&d->loop);
    } else if (d->look) {
        loop_unwatch(&d->loop, &d->accepting);
        wait_for_clients(d);
    }
}

/* Asked to go: what was asked before the channels close is answered. A client
 * that asks later finds its channel closed and joins another process. */
static void drain(struct daemon *d)
{
    list_each_safe (l, &d->peers) {
        struct asker *a = list_entry(l, struct asker, link);

        shutdown(a->line.fd, SHUT_RD);
        while (answer_one(a))
            continue;
    }
}

void shared_run(struct daemon *d)
{
    d->hearing = (struct watch){ .fd = FD_CONTROL, .ready = on_master };
    d->accepting = (struct watch){ .fd = FD_ACCEPT, .ready = on_accept };
    if (loop_watch(&d->loop, &d->hearing, EPOLLIN) < 0)
        log_fatal("cannot wait for master: %s", strerrordesc_np(errno));
    wait_for_clients(d);
    worker_tell_ready(d);
    loop_run(&d->loop);
    loop_unwatch(&d->loop, &d->accepting);
    drain(d);
    if (d->service->ended != NULL)
        d->service->ended(d);
}
