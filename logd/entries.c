/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that postlog(1) brings, with tags of their own. */
#include "logd/logd.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/log.h"

#define VISITORS_MAX 50

static struct {
    struct loop *loop;
    struct watch listener;
    unsigned n_visitors;
    uid_t uid;
} entries;

static void on_entry(struct peer *p, const void *msg)
{
    const struct log_entry *e = msg;
    char tag[LOG_TAG_MAX + 1];

    if (!log_is_tag(e->tag) || e->level > LEVEL_DEBUG) {
        peer_close(p);
        return;
    }
    view_copy(e->tag, tag, sizeof tag);
    out_line(tag, (pid_t)p->pid, e->level, e->text);
    peer_send(p, &log_entered_type, NULL);
}

static const struct ipc_rule rules[] = {
    { &log_entry_type, NULL, on_entry },
    { NULL, NULL, NULL },
};

static void on_gone(struct peer *p)
{
    free(p);
    entries.n_visitors--;
}

static void on_connection(struct watch *w, uint32_t events)
{
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
    struct ucred who;
    socklen_t len = sizeof who;
    struct peer *p;

    (void)events;
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
        (who.uid != 0 && who.uid != entries.uid) ||
        entries.n_visitors == VISITORS_MAX) {
        close(fd);
        return;
    }
    entries.n_visitors++;
    p = alloc_zero(1, sizeof *p);
    peer_init(p, entries.loop, fd, "postlog", (uint32_t)who.pid, rules,
              on_gone);
}

void entries_start(struct daemon *d)
{
    if (d->n_listeners != 1)
        log_fatal("expected the socket log, got %zu", d->n_listeners);
    entries.loop = &d->loop;
    entries.uid = d->uid;
    entries.listener = (struct watch){ .fd = d->listeners[0],
                                       .ready = on_connection };
    loop_watch(&d->loop, &entries.listener, EPOLLIN);
}
