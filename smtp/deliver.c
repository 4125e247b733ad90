/* SPDX-License-Identifier: BSD-2-Clause */
/* A delivery: hosts in order, until every recipient has a fate. */
#include "base/alloc.h"
#include "base/log.h"
#include "net/tls.h"
#include "smtp/smtp.h"

struct smtp_conf smtp_conf;

void work_result(struct work *w, size_t i, const struct agent_status *s)
{
    if (w->done[i])
        return;
    w->done[i] = true;
    w->left--;
    agent_result(w->d, i, s);
}

/* Nobody decided: all that are left wait, or never can be delivered. */
static void conclude(struct work *w, const struct trouble *t, struct buf *why)
{
    struct agent_status s = {
        .status = t->is_permanent ? RCPT_BOUNCED : RCPT_DEFERRED,
        .dsn = t->dsn[0] ? t->dsn : "4.4.1",
        .text = buf_view(&t->text),
        .relay = "none",
    };

    if (w->left > 0 && !t->is_permanent)
        buf_add_view(why, buf_view(&t->text));
    for (size_t i = 0; i < w->d->n_rcpts; i++)
        work_result(w, i, &s);
}

static void deliver(struct delivery *d, struct buf *why, void *arg)
{
    struct dns *dns = arg;
    struct work w = { d, alloc_zero(d->n_rcpts, sizeof(bool)), d->n_rcpts };
    struct trouble t = { .is_permanent = false };
    struct hosts hosts;
    char nexthop[513];

    view_copy(d->begin.nexthop, nexthop, sizeof nexthop);
    if (hosts_find(dns, nexthop, &hosts, &t) == 0)
        for (size_t i = 0; i < hosts.n && w.left > 0; i++)
            dialogue_run(&w, &hosts.list[i], &t);
    conclude(&w, &t, why);
    hosts_release(&hosts);
    buf_release(&t.text);
    free(w.done);
}

/* Reading all of the world's authorities takes a while: only if they count. */
void smtp_prepare(struct daemon *d)
{
    (void)d;
    if (smtp_conf.smtp_tls_security_level != TLS_NONE)
        tls_prepare(smtp_conf.smtp_tls_security_level == TLS_VERIFY
                        ? smtp_conf.smtp_tls_CAfile : "");
}

void smtp_serve(struct daemon *d, struct client *c)
{
    struct dns dns;
    int fd = c->fd;

    c->fd = -1;
    dns_init(&dns, d, smtp_conf.ipc_timeout * 1000);
    agent_serve(fd, deliver, &dns);
    dns_release(&dns);
}
