/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop shape: many peers, one process. */
#include "service/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

/* A joined peer, in front of what the program keeps for it. */
struct member {
    struct list link;
    struct daemon *daemon;
    struct peer peer; /* last: the program's struct continues behind it */
};

static struct daemon *daemon_of(struct peer *control)
{
    return list_entry(control, struct daemon, control);
}

/* --- peers ------------------------------------------------------------- */

static void member_gone(struct peer *p)
{
    struct member *m = list_entry(p, struct member, peer);

    if (m->daemon->service->parted != NULL)
        m->daemon->service->parted(m->daemon, p);
    list_remove(&m->link);
    free(m);
}

static void admit(struct daemon *d, const struct stamp *s)
{
    size_t size = d->service->peer_size;
    struct member *m;
    char role[32];

    if (!view_copy(s->role, role, sizeof role)) {
        close(s->fd);
        return;
    }
    if (size < sizeof(struct peer))
        size = sizeof(struct peer);
    m = alloc_zero(1, sizeof *m - sizeof m->peer + size);
    m->daemon = d;
    list_append(&d->peers, &m->link);
    peer_init(&m->peer, &d->loop, s->fd, role, s->pid, d->service->rules,
              member_gone);
    if (d->service->joined != NULL)
        d->service->joined(d, &m->peer, s);
}

static void on_accept(struct watch *w, uint32_t events)
{
    struct daemon *d = list_entry(w, struct daemon, accepting);
    static struct buf in; /* kept for its memory */

    (void)events;
    for (;;) {
        struct ipc_packet p;
        struct stamp s;
        struct error err;

        if (ipc_recv_raw(FD_ACCEPT, &in, &p, MSG_DONTWAIT) <= 0)
            return;
        if (ipc_packet_decode(&p, &stamp_type, &s, &err) < 0) {
            ipc_packet_release(&p);
            log_error("on the accept channel: %s", err.text);
            continue;
        }
        admit(d, &s);
    }
}

/* --- joining others ---------------------------------------------------- */

void service_join(struct daemon *d, const char *service, const char *account,
                  struct join *j)
{
    struct control_connect ask = { ++d->next_ticket, view_of(service),
                                   view_of(account) };

    j->ticket = ask.ticket;
    list_append(&d->joins, &j->link);
    peer_send(&d->control, &control_connect_type, &ask);
}

void service_join_cancel(struct join *j)
{
    list_remove(&j->link);
}

static void on_joined(struct peer *p, const void *msg)
{
    const struct control_joined *joined = msg;
    struct daemon *d = daemon_of(p);

    list_each (l, &d->joins) {
        struct join *j = list_entry(l, struct join, link);
        char why[201];

        if (j->ticket != joined->ticket)
            continue;
        list_remove(&j->link);
        if (!view_copy(joined->why, why, sizeof why))
            why[0] = '\0';
        j->done(j, joined->fd, why);
        return;
    }
    if (joined->fd >= 0)
        close(joined->fd);
}

/* --- a new configuration ----------------------------------------------- */

static void drop_next(struct daemon *d)
{
    if (d->next_conf != NULL)
        config_unload(d->service->params, d->next_conf);
    free(d->next_conf);
    d->next_conf = NULL;
    config_free(&d->next_config);
}

static int parse_next(struct daemon *d, int fd, struct error *err)
{
    const struct service *s = d->service;

    if (service_read_config(d, fd, &d->next_config, err) < 0)
        return -1;
    if (s->params == NULL)
        return 0;
    d->next_conf = alloc_zero(1, s->conf_size);
    if (config_load(d->next_config, s->params, d->next_conf, err) < 0) {
        free(d->next_conf);
        d->next_conf = NULL;
        return -1;
    }
    if (s->check != NULL && s->check(d, d->next_conf, err) < 0)
        return -1;
    return 0;
}

static void on_config(struct peer *p, const void *msg)
{
    const struct control_config *c = msg;
    struct daemon *d = daemon_of(p);
    struct control_config_answer answer = { 1, VIEW("") };
    struct error err;

    drop_next(d);
    if (parse_next(d, c->config, &err) < 0) {
        drop_next(d);
        answer = (struct control_config_answer){ 0, view_of(err.text) };
    }
    if (c->config >= 0)
        close(c->config);
    peer_send(p, &control_config_answer_type, &answer);
}

static void on_apply(struct peer *p, const void *msg)
{
    struct daemon *d = daemon_of(p);
    const struct service *s = d->service;

    (void)msg;
    if (d->next_config == NULL)
        return;
    config_free(&d->config);
    d->config = d->next_config;
    d->next_config = NULL;
    if (s->params != NULL) {
        config_unload(s->params, s->conf);
        memcpy(s->conf, d->next_conf, s->conf_size);
        free(d->next_conf);
        d->next_conf = NULL;
    }
    if (s->reloaded != NULL)
        s->reloaded(d);
}

static void on_discard(struct peer *p, const void *msg)
{
    (void)msg;
    drop_next(daemon_of(p));
}

/* --- master ------------------------------------------------------------ */

static void on_stop(struct peer *p, const void *msg)
{
    struct daemon *d = daemon_of(p);
    const struct control_stop *stop = msg;

    d->goodbye = d->goodbye || stop->goodbye;
    if (d->service->stopping != NULL)
        d->service->stopping(d);
    else
        service_leave(d);
}

static void on_file(struct peer *p, const void *msg)
{
    struct daemon *d = daemon_of(p);
    const struct control_file *f = msg;

    if (d->service->file != NULL)
        d->service->file(d, f);
    else if (f->fd >= 0)
        close(f->fd);
}

static void on_master_gone(struct peer *p)
{
    service_leave(daemon_of(p));
}

void service_leave(struct daemon *d)
{
    loop_stop(&d->loop);
}

void service_tell_master(struct daemon *d, const struct ipc_type *type,
                         const void *msg)
{
    peer_send(&d->control, type, msg);
}

/* Our watches are not exclusive: a client that came has woken us too. */
static void on_look(struct peer *p, const void *msg)
{
    (void)p;
    (void)msg;
}

/* Master's common rules, then the program's own. */
static const struct ipc_rule *all_rules(const struct service *s)
{
    static const struct ipc_rule common[] = {
        { &control_joined_type, NULL, on_joined },
        { &control_config_type, NULL, on_config },
        { &control_apply_type, NULL, on_apply },
        { &control_discard_type, NULL, on_discard },
        { &control_stop_type, NULL, on_stop },
        { &control_file_type, NULL, on_file },
        { &control_look_type, NULL, on_look },
    };
    size_t n = sizeof common / sizeof *common, more = 0;
    struct ipc_rule *rules;

    while (s->master_rules != NULL && s->master_rules[more].type != NULL)
        more++;
    rules = alloc_zero(n + more + 1, sizeof *rules);
    memcpy(rules, common, sizeof common);
    if (more > 0)
        memcpy(rules + n, s->master_rules, more * sizeof *rules);
    return rules; /* lives as long as the process */
}

void service_accept(struct daemon *d)
{
    if (d->accepting.events == 0)
        loop_watch(&d->loop, &d->accepting, EPOLLIN); /* some have none */
}

void hub_run(struct daemon *d)
{
    struct control_ready ready = { d->walls };

    /* Master does not answer what it did not ask: start needs no waiting. */
    peer_init(&d->control, &d->loop, FD_CONTROL, "", 0, all_rules(d->service),
              on_master_gone);
    d->accepting = (struct watch){ .fd = FD_ACCEPT, .ready = on_accept };
    if (!d->service->waits_for_files)
        service_accept(d);
    if (d->service->start != NULL)
        d->service->start(d);
    peer_send(&d->control, &control_ready_type, &ready);
    loop_run(&d->loop);
}
