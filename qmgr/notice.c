/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking bounce to tell senders. One channel and one request at a time: a
 * flood of bad mail must not become a flood of processes.
 */
#include "qmgr/qmgr.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

struct notice {
    struct list link;
    struct active *a;
    enum bounce_kind kind;
    uint64_t retry_us;
    size_t n;
    uint32_t indices[];
};

static struct {
    struct peer bounce;
    struct join join;
    struct timer patience;  /* with `current` */
    bool connected, joining;
    struct notice *current; /* asked, not answered */
    struct list waiting;
} notices = { .waiting = LIST_INIT(notices.waiting) };

static void next(void);

static void end(struct notice *n, bool ok)
{
    struct active *a = n->a;

    free(n);
    attempt_notice_done(a, ok);
}

static void fail_all(void)
{
    struct notice *n = notices.current;

    notices.current = NULL;
    if (n != NULL)
        end(n, false);
    while (!list_empty(&notices.waiting)) {
        n = list_entry(notices.waiting.next, struct notice, link);
        list_remove(&n->link);
        end(n, false);
    }
}

static void on_done(struct peer *p, const void *msg)
{
    static const char *const kinds[] = { "non-delivery", "delay",
                                         "delivery status" };
    const struct bounce_done *done = msg;
    struct notice *n = notices.current;

    if (n == NULL) {
        peer_close(p);
        return;
    }
    notices.current = NULL;
    timer_cancel(&qmgr.daemon->loop, &notices.patience);
    if (done->result != 0)
        log_warning("%s: no %s notification: %.*s; trying again later",
                    n->a->m->id, kinds[n->kind], VIEW_ARG(done->text));
    end(n, done->result == 0);
    next();
}

static const struct ipc_rule rules[] = {
    { &bounce_done_type, NULL, on_done },
    { NULL, NULL, NULL },
};

static void on_gone(struct peer *p)
{
    (void)p;
    notices.connected = false;
    timer_cancel(&qmgr.daemon->loop, &notices.patience);
    fail_all();
}

static void on_joined(struct join *j, int fd, const char *why)
{
    (void)j;
    notices.joining = false;
    if (fd < 0) {
        log_warning("cannot reach bounce: %s", why);
        fail_all();
        return;
    }
    peer_init(&notices.bounce, &qmgr.daemon->loop, fd, "bounce", 0, rules,
              on_gone);
    notices.connected = true;
    next();
}

/* One that comes after all makes the sender be told twice. */
static void on_patience(struct timer *t)
{
    (void)t;
    log_warning("bounce did not answer for %u seconds",
                qmgr_conf.ipc_timeout);
    peer_close(&notices.bounce);
}

static void ask(const struct notice *n)
{
    struct active *a = n->a;
    struct bounce_begin begin = {
        .queue_id = view_of(a->m->id), .kind = n->kind, .fd = a->fd,
        .will_retry_us = n->retry_us,
    };

    peer_send(&notices.bounce, &bounce_begin_type, &begin);
    for (size_t i = 0; i < n->n; i++) {
        const struct outcome *o = &a->outcomes[n->indices[i]];
        struct bounce_rcpt r = {
            .index = n->indices[i],
            .dsn = view_of(o->dsn),
            .text = view_of(o->text),
            .remote = view_of(o->remote),
            .diag = view_of(o->diag),
            .relayed = o->relayed,
        };

        peer_send(&notices.bounce, &bounce_rcpt_type, &r);
    }
    peer_send(&notices.bounce, &bounce_go_type, NULL);
    notices.patience.fire = on_patience;
    timer_set(&qmgr.daemon->loop, &notices.patience,
              qmgr_conf.ipc_timeout * 1000ULL);
}

static void next(void)
{
    if (notices.current != NULL || list_empty(&notices.waiting))
        return;
    if (!notices.connected) {
        if (!notices.joining) {
            notices.joining = true;
            notices.join.done = on_joined;
            service_join(qmgr.daemon, "bounce", "", &notices.join);
        }
        return;
    }
    notices.current = list_entry(notices.waiting.next, struct notice, link);
    list_remove(&notices.current->link);
    ask(notices.current);
}

void notice_send(struct active *a, enum bounce_kind kind, uint64_t retry_us,
                 bool (*wants)(const struct active *a, size_t i))
{
    struct notice *n;

    if (a->q.e.sender.len == 0)
        return; /* nobody to tell: never a bounce for a bounce */
    n = alloc(sizeof *n + a->q.n_rcpts * sizeof n->indices[0]);
    *n = (struct notice){ .a = a, .kind = kind, .retry_us = retry_us };
    for (size_t i = 0; i < a->q.n_rcpts; i++)
        if (wants(a, i))
            n->indices[n->n++] = (uint32_t)i;
    if (n->n == 0) {
        free(n);
        return;
    }
    a->notices++;
    list_append(&notices.waiting, &n->link);
    next();
}
