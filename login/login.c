/* SPDX-License-Identifier: BSD-2-Clause */
/* The process: accepting, limits, and what all clients share. */
#include "login/login.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

struct login_conf login_conf;
struct login login = { .clients = LIST_INIT(login.clients),
                       .keyd = { .fd = -1 } };

static void each_listener(void (*call)(struct listener *l))
{
    for (size_t i = 0; i < login.daemon->n_listeners; i++)
        call(&login.listeners[i]);
}

void login_found(void)
{
    if (login.awaited > 0)
        login.awaited--;
    if (login.awaited == 0 && !login.full && !login.stopping)
        each_listener(listener_start);
}

/* --- accepting --------------------------------------------------------- */

/* Master keeps one process ready that is not full. */
static void take_no_more(void)
{
    struct control_busy busy = { 0 };

    login.full = true;
    each_listener(listener_stop);
    service_tell_master(login.daemon, &control_busy_type, &busy);
}

static void on_client(struct listener *l, int fd)
{
    int one = 1;

    (void)l;
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
        each_listener(listener_start);
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
        listener_init(&login.listeners[i], &d->loop, d->listeners[i],
                      SOCK_NONBLOCK, on_client);
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
    each_listener(listener_stop);
    if (d->goodbye)
        send_clients_away();
    if (login.n_clients == 0)
        service_leave(d);
}
