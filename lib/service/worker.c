/* SPDX-License-Identifier: BSD-2-Clause */
/* The straight-line shape: one client after the other. */
#include "service/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "event/listener.h"

#define REST_MS 1000 /* without a client, before service.rest */

static void add(int epoll_fd, int fd, uint32_t flags)
{
    struct epoll_event ev = { .events = EPOLLIN | flags, .data.fd = fd };

    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* look again */
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
        log_fatal("cannot wait for descriptor %d: %s", fd,
                  strerrordesc_np(errno));
}

/* One arrival wakes one of the workers that share a descriptor. What arrived
 * before is seen too. */
static void wait_for_clients(struct daemon *d, int epoll_fd)
{
    d->look = false;
    if (d->has_channel)
        add(epoll_fd, FD_ACCEPT, EPOLLEXCLUSIVE);
    for (size_t i = 0; i < d->n_listeners; i++)
        add(epoll_fd, d->listeners[i], EPOLLEXCLUSIVE);
}

int worker_epoll(struct daemon *d)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (epoll_fd < 0)
        log_fatal("cannot make an event queue: %s", strerrordesc_np(errno));
    add(epoll_fd, FD_CONTROL, 0);
    d->has_channel = fcntl(FD_ACCEPT, F_GETFD) >= 0;
    wait_for_clients(d, epoll_fd);
    return epoll_fd;
}

/* What master says unasked; false: it is something else. */
static bool heard(struct daemon *d, struct ipc_packet *p)
{
    struct control_stop stop;
    struct error err;

    if (ipc_id(p->bytes) == control_look_type.id) {
        d->look = true;
        return true;
    }
    if (ipc_packet_decode(p, &control_stop_type, &stop, &err) < 0)
        return false;
    d->stop = true;
    d->goodbye = d->goodbye || stop.goodbye;
    return true;
}

/* A joined that nobody waits for any more is dropped. False when master is
 * gone. */
bool worker_hear_master(struct daemon *d)
{
    struct ipc_packet p;
    struct error err;
    int n = ipc_recv(&d->control_line, &p, &err);

    if (n <= 0)
        return false;
    heard(d, &p);
    ipc_packet_release(&p);
    return true;
}

/* Another worker may have been faster: then there is no client, and no
 * error. */
bool worker_take_stamped(struct client *c)
{
    static struct buf in; /* kept for its memory */
    struct ipc_packet p;
    struct stamp s;
    struct error err;

    if (ipc_recv_raw(FD_ACCEPT, &in, &p, MSG_DONTWAIT) <= 0)
        return false;
    if (ipc_packet_decode(&p, &stamp_type, &s, &err) < 0) {
        ipc_packet_release(&p);
        log_error("on the accept channel: %s", err.text);
        return false;
    }
    *c = (struct client){ .fd = s.fd, .is_channel = true, .pid = s.pid,
                          .quota = s.quota };
    return view_copy(s.role, c->role, sizeof c->role) &&
           view_copy(s.service, c->service, sizeof c->service) &&
           view_copy(s.tenant, c->tenant, sizeof c->tenant) &&
           view_copy(s.account, c->account, sizeof c->account) &&
           view_copy(s.session, c->session, sizeof c->session);
}

static bool take_connection(struct daemon *d, int fd, struct client *c)
{
    struct pollfd master = { .fd = FD_CONTROL, .events = POLLIN };
    int one = 1;
    bool pause;
    int conn = listener_accept(fd, 0, &pause);

    if (pause) /* but master may want us to end */
        poll(&master, 1, LISTENER_PAUSE_MS);
    if (conn < 0)
        return false;
    /* A reply goes out when it is written; fails on a Unix socket, fine. */
    setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *c = (struct client){ .fd = conn };
    for (size_t i = 0; i < d->n_listeners; i++)
        if (d->listeners[i] == fd)
            c->listener = (int)i;
    return true;
}

static void tell(struct daemon *d, const struct ipc_type *type,
                 const void *msg)
{
    struct error err;

    if (ipc_send(&d->control_line, type, msg, &err) < 0)
        d->stop = true; /* master is gone; so are we, after this client */
}

void worker_tell_ready(struct daemon *d)
{
    struct control_ready ready = { d->walls };

    tell(d, &control_ready_type, &ready);
}

static void serve_one(struct daemon *d, struct client *c)
{
    struct control_busy busy = { c->is_channel };

    tell(d, &control_busy_type, &busy);
    d->service->serve(d, c);
    if (c->fd >= 0)
        close(c->fd);
    if (c->authenticated)
        d->stop = true;
    else
        tell(d, &control_idle_type, NULL);
}

/* Wait for something to do: the descriptor, or -1 when the time is over. What
 * master says comes first: it may be that this program has been replaced. */
static int wait_for_work(int epoll_fd, int timeout_ms)
{
    struct epoll_event ev[2 + SERVICE_LISTENERS_MAX];
    int n = epoll_wait(epoll_fd, ev, sizeof ev / sizeof *ev, timeout_ms);

    for (int i = 0; i < n; i++)
        if (ev[i].data.fd == FD_CONTROL)
            return FD_CONTROL;
    return n > 0 ? ev[0].data.fd : -1;
}

void worker_run(struct daemon *d, const struct service_conf *sc, int epoll_fd)
{
    unsigned served = 0;
    bool rested = true;

    worker_tell_ready(d);
    while (!d->stop && served < sc->max_use) {
        struct client c;
        int fd = wait_for_work(epoll_fd, rested ? -1 : REST_MS);

        if (fd < 0) {
            if (!rested)
                d->service->rest(d);
            rested = true;
            continue;
        }
        if (fd == FD_CONTROL) {
            if (!worker_hear_master(d))
                return;
            if (d->look)
                wait_for_clients(d, epoll_fd);
            continue;
        }
        if (fd == FD_ACCEPT ? !worker_take_stamped(&c)
                            : !take_connection(d, fd, &c))
            continue;
        serve_one(d, &c);
        rested = d->service->rest == NULL;
        served++;
    }
}

int service_wake_fd(const struct daemon *d)
{
    return d->control_line.fd;
}

void service_hear(struct daemon *d)
{
    if (!worker_hear_master(d))
        d->stop = d->goodbye = true;
}

void service_last_client(struct daemon *d)
{
    d->stop = true;
}

int service_connect(struct daemon *d, const char *service, const char *account,
                    unsigned timeout_ms, struct ipc *out, struct error *err)
{
    struct control_connect ask = { ++d->next_ticket, view_of(service),
                                   view_of(account) };

    if (ipc_send(&d->control_line, &control_connect_type, &ask, err) < 0)
        return -1;
    for (;;) {
        struct ipc_packet p;
        struct control_joined j;
        int n = ipc_recv(&d->control_line, &p, err);

        if (n < 0)
            return error_prefix(err, "asking for %s", service);
        if (n == 0) {
            d->stop = true;
            return error_set(err, FAIL_TEMP, "master went away");
        }
        if (heard(d, &p))
            continue;
        if (ipc_packet_decode(&p, &control_joined_type, &j, err) < 0) {
            ipc_packet_release(&p);
            return -1;
        }
        if (j.ticket != ask.ticket) { /* of an earlier call that gave up */
            if (j.fd >= 0)
                close(j.fd);
            continue;
        }
        if (j.fd < 0)
            return error_set(err, FAIL_TEMP, "no %s: %.*s", service,
                             VIEW_ARG(j.why));
        ipc_init(out, j.fd, timeout_ms);
        return 0;
    }
}

int service_call(struct daemon *d, const char *service, unsigned timeout_ms,
                 struct ipc *line, const struct ipc_type *ask,
                 const void *request, const struct ipc_type *answer,
                 void *reply, struct error *err)
{
    bool is_new = false;

    for (;;) {
        if (line->fd < 0) {
            is_new = true;
            if (service_connect(d, service, "", timeout_ms, line, err) < 0)
                return -1;
        }
        if (ipc_call(line, ask, request, answer, reply, err) == 0)
            return 0;
        ipc_release(line);
        if (is_new || err->sys == ETIMEDOUT)
            return -1;
    }
}

/* An answer that comes later is dropped by the next call, or by
 * worker_hear_master(). */
int service_connect_soon(struct daemon *d, const char *service,
                         unsigned wait_ms, struct ipc *out,
                         struct error *err)
{
    unsigned usual = d->control_line.timeout_ms;
    int rc;

    d->control_line.timeout_ms = wait_ms;
    rc = service_connect(d, service, "", wait_ms, out, err);
    d->control_line.timeout_ms = usual;
    return rc;
}
