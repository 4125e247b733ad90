/* SPDX-License-Identifier: BSD-2-Clause */
/* The process: accepting, limits, and what all clients share. */
#include "login/login.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

struct login_conf login_conf;
struct login login = { .clients = LIST_INIT(login.clients),
                       .keyd = { .fd = -1 } };

static void listen_on(uint32_t events)
{
    for (size_t i = 0; i < login.daemon->n_listeners; i++) {
        if (events != 0)
            loop_watch(&login.daemon->loop, &login.listeners[i], events);
        else
            loop_unwatch(&login.daemon->loop, &login.listeners[i]);
    }
}

void login_found(void)
{
    if (login.awaited > 0)
        login.awaited--;
    if (login.awaited == 0 && !login.full && !login.stopping)
        listen_on(EPOLLIN);
}

/* --- accepting --------------------------------------------------------- */

/* Master keeps one process ready that is not full. */
static void take_no_more(void)
{
    struct control_busy busy = { 0 };

    login.full = true;
    listen_on(0);
    service_tell_master(login.daemon, &control_busy_type, &busy);
}

static void on_client(struct watch *w, uint32_t events)
{
    int one = 1, fd;

    (void)events;
    fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
            log_warning("login: cannot accept a connection: %s",
                        strerrordesc_np(errno));
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    login.n_clients++;
    if (login.n_clients >= login_conf.login_client_limit)
        take_no_more();
    client_start(fd);
}

void login_client_left(void)
{
    login.n_clients--;
    if (login.stopping) {
        if (login.n_clients == 0)
            service_leave(login.daemon);
        return;
    }
    if (login.full) {
        login.full = false;
        service_tell_master(login.daemon, &control_idle_type, NULL);
        listen_on(EPOLLIN);
    }
}

/* --- life -------------------------------------------------------------- */

void login_prepare(struct daemon *d)
{
    (void)d;
    tls_prepare("");
}

void login_start(struct daemon *d)
{
    login.daemon = d;
    login.tls = tls_server_new(&login.keyd);
    for (size_t i = 0; i < d->n_listeners; i++)
        login.listeners[i] = (struct watch){ .fd = d->listeners[i],
                                             .ready = on_client };
    /* Clients come when it is known whether there is TLS, and who asks for
     * their passwords. */
    login.awaited = 2;
    key_reach();
    auth_reach();
}

/* Sessions say good-bye themselves: who is relayed waits for that. */
static void send_clients_away(void)
{
    list_each_safe (l, &login.clients) {
        struct login_client *c = list_entry(l, struct login_client, link);

        if (c->state != RELAYING && c->state != LEAVING)
            client_dismiss(c, "The server is shutting down");
    }
}

void login_stopping(struct daemon *d)
{
    login.stopping = true;
    listen_on(0);
    if (d->goodbye)
        send_clients_away();
    if (login.n_clients == 0)
        service_leave(d);
}
