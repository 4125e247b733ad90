/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that postlog(1) brings, with tags of their own. */
#include "logd/logd.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "event/listener.h"
#include "proto/log.h"

#define VISITORS_MAX 50

static struct {
    struct listener listener;
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

static void on_connection(struct listener *l, int fd)
{
    uint32_t pid;
    struct peer *p;

    if (entries.n_visitors == VISITORS_MAX ||
        !ipc_is_from(fd, entries.uid, &pid)) {
        close(fd);
        return;
    }
    entries.n_visitors++;
    p = alloc_zero(1, sizeof *p);
    peer_init(p, l->loop, fd, "postlog", pid, rules, on_gone);
}

void entries_start(struct daemon *d)
{
    if (d->n_listeners != 1)
        log_fatal("expected the socket log, got %zu", d->n_listeners);
    entries.uid = d->uid;
    listener_init(&entries.listener, &d->loop, d->listeners[0], 0,
                  on_connection);
    listener_start(&entries.listener);
}
