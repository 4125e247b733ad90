/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyd. It is asked in the middle of a handshake, and all clients wait until it
 * has answered. So a channel to it is used only when it has shown that somebody
 * is there: the first question on it is one that nobody waits for. A keyd that
 * stops answering holds us up once, for key_timeout; then there is no TLS, but
 * sessions go on, until it answers.
 */
#include "base/log.h"
#include "login/login.h"
#include "proto/sign.h"

#define AGAIN_MS 1000

static struct {
    struct join join;
    bool joining, told;
    struct ipc knock;   /* asked, not answered; then it becomes login.keyd */
    struct watch watch; /* on the one or on the other */
    struct timer timer; /* to reach again, or to let clients in without TLS */
} key = { .knock = { .fd = -1 } };

/* Clients may come, with or without TLS. */
static void tell(void)
{
    if (!key.told)
        login_found();
    key.told = true;
}

static void again(const char *why)
{
    log_warning("login: no TLS: %s", why);
    tell();
    timer_set(&login.daemon->loop, &key.timer, AGAIN_MS);
}

static void on_timer(struct timer *t)
{
    (void)t;
    if (key.knock.fd >= 0)
        again("keyd does not answer");
    else
        key_reach();
}

/* It ended: who comes next must not be the one who finds out. */
static void on_end(struct watch *w, uint32_t events)
{
    (void)events;
    loop_unwatch(&login.daemon->loop, w);
    ipc_release(&login.keyd);
    key_reach();
}

static void on_answer(struct watch *w, uint32_t events)
{
    struct loop *l = &login.daemon->loop;
    struct ipc_packet p;
    struct error err;

    (void)events;
    loop_unwatch(l, w);
    timer_cancel(l, &key.timer);
    if (ipc_recv(&key.knock, &p, &err) <= 0) {
        ipc_release(&key.knock);
        again("keyd went away");
        return;
    }
    ipc_packet_release(&p);
    login.keyd = key.knock;
    key.knock = (struct ipc){ .fd = -1 };
    w->ready = on_end;
    /* Ask now: no client should have to wait for a process to start. */
    if (tls_server_ready(login.tls, &err))
        loop_watch(l, w, EPOLLRDHUP);
    else
        again(err.text);
    tell();
}

static void on_joined(struct join *j, int fd, const char *why)
{
    struct cert_ask first = { VIEW("") };
    struct error err;

    (void)j;
    key.joining = false;
    if (fd < 0) {
        again(why);
        return;
    }
    ipc_init(&key.knock, fd, login_conf.key_timeout * 1000);
    key.watch = (struct watch){ .fd = fd, .ready = on_answer };
    if (ipc_send(&key.knock, &cert_ask_type, &first, &err) < 0 ||
        loop_watch(&login.daemon->loop, &key.watch, EPOLLIN) < 0) {
        ipc_release(&key.knock);
        again("keyd cannot be asked");
        return;
    }
    timer_set(&login.daemon->loop, &key.timer,
              login_conf.key_timeout * 1000ULL);
}

void key_reach(void)
{
    if (login.keyd.fd >= 0 || key.joining || key.knock.fd >= 0)
        return;
    loop_unwatch(&login.daemon->loop, &key.watch);
    key.joining = true;
    key.join.done = on_joined;
    key.timer.fire = on_timer;
    service_join(login.daemon, "keyd", "", &key.join);
}

bool login_has_tls(void)
{
    struct error err;
    bool has = login.keyd.fd >= 0 && tls_server_ready(login.tls, &err);

    key_reach();
    return has;
}
