/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands ask over public/qmgr, and the text of public/showq. */
#include "qmgr/qmgr.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "event/listener.h"

#define SHARE 50               /* messages listed before others get a turn */
#define VISITORS_MAX 50        /* commands served at a time */
#define PRESSURE (512u * 1024) /* bytes a reader may be behind */

/* A command, or a reader of showq, going through a list of ids. */
struct visitor {
    struct peer peer;      /* over public/qmgr */
    struct watch stream;   /* or over public/showq */
    struct buf text;       /* showq's, to be written */
    struct timer step;
    bool may_change;
    char (*ids)[QFILE_ID_LEN + 1];
    size_t n_ids, at, count;
    void (*each)(struct visitor *v, struct message *m);
    struct queue_change change;
};

static struct {
    struct listener commands, showq;
    unsigned n_visitors;
} admin;

static struct visitor *visitor_of(struct peer *p)
{
    return list_entry(p, struct visitor, peer);
}

static void visitor_free(struct visitor *v)
{
    timer_cancel(&qmgr.daemon->loop, &v->step);
    loop_unwatch(&qmgr.daemon->loop, &v->stream);
    if (v->stream.fd >= 0)
        close(v->stream.fd);
    buf_release(&v->text);
    free(v->ids);
    free(v);
    admin.n_visitors--;
}

static void done(struct visitor *v, const char *why)
{
    struct queue_done d = { (uint32_t)v->count, view_of(why) };

    peer_send(&v->peer, &queue_done_type, &d);
}

/* --- going through messages -------------------------------------------- */

struct collect {
    struct visitor *v;
    const char *queue; /* NULL: all */
};

static void collect_one(struct map_node *n, void *arg)
{
    struct collect *c = arg;
    struct message *m = map_entry(n, struct message, node);

    if (m->queue == OFFERED)
        return; /* not in the queue yet */
    if (c->queue == NULL || strcmp(queue_name(m->queue), c->queue) == 0)
        memcpy(c->v->ids[c->v->n_ids++], m->id, sizeof m->id);
}

/* Take the ids of one message, or of all (of one queue); the list is walked
 * in steps, and what is gone by then is passed over. */
static void collect(struct visitor *v, struct view id, const char *queue)
{
    struct collect c = { v, queue };

    free(v->ids);
    v->n_ids = v->at = v->count = 0;
    if (id.len > 0) {
        v->ids = alloc_zero(1, sizeof *v->ids);
        v->n_ids = view_copy(id, v->ids[0], sizeof *v->ids);
        return;
    }
    v->ids = alloc_zero(qmgr.messages.count, sizeof *v->ids);
    map_each(&qmgr.messages, collect_one, &c);
}

static bool is_behind(const struct visitor *v)
{
    return v->peer.queued > PRESSURE || v->text.len > PRESSURE;
}

static void step(struct timer *t)
{
    struct visitor *v = list_entry(t, struct visitor, step);

    for (int i = 0; i < SHARE && v->at < v->n_ids && !is_behind(v); i++) {
        struct message *m = message_find(view_of(v->ids[v->at++]));

        if (m != NULL && m->queue != OFFERED)
            v->each(v, m);
    }
    if (v->at < v->n_ids)
        timer_set(&qmgr.daemon->loop, t, is_behind(v) ? 20 : 0);
    else if (v->stream.fd < 0)
        done(v, "");
    if (v->stream.fd >= 0)
        loop_watch(&qmgr.daemon->loop, &v->stream, EPOLLOUT);
}

/* --- listing ----------------------------------------------------------- */

/* A message as it is listed: from memory while it is tried, else from disk. */
static bool look(struct message *m, struct qfile *own, struct qfile **q)
{
    struct error err;
    int fd, rc;

    if (m->active != NULL) {
        *q = &m->active->q;
        return true;
    }
    fd = openat(qmgr.daemon->root, message_path(m),
                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    rc = qfile_read(own, fd, m->id, &err);
    close(fd);
    *q = own;
    return rc == 0;
}

static bool is_left(const struct message *m, const struct qfile *q, size_t i)
{
    enum rcpt_status s = m->active ? m->active->outcomes[i].status
                                   : q->rcpts[i].status;

    return s == RCPT_PENDING || s == RCPT_DEFERRED;
}

static void list_message(struct visitor *v, struct message *m)
{
    struct qfile own = { .n_rcpts = 0 }, *q;

    if (!look(m, &own, &q))
        return;
    struct queue_item item = {
        .queue_name = view_of(queue_name(m->queue)),
        .queue_id = view_of(m->id),
        .arrival_us = q->arrival_us,
        .size = q->content_len,
        .next_us = m->next_us,
        .sender = q->e.sender,
    };
    peer_send(&v->peer, &queue_item_type, &item);
    for (size_t i = 0; i < q->n_rcpts; i++) {
        struct queue_item_rcpt r = { q->rcpts[i].r.address, q->rcpts[i].text };

        if (is_left(m, q, i))
            peer_send(&v->peer, &queue_item_rcpt_type, &r);
    }
    v->count++;
    qfile_release(&own);
}

static void on_list(struct peer *p, const void *msg)
{
    const struct queue_list *l = msg;
    struct visitor *v = visitor_of(p);

    v->each = list_message;
    collect(v, l->queue_id, NULL);
    timer_set(&qmgr.daemon->loop, &v->step, 0);
}

/* --- showq: the same as text that monitoring tools read (NUL-separated)  */

static void put(struct visitor *v, const char *name, struct view value)
{
    buf_add(&v->text, name, strlen(name) + 1);
    buf_add_view(&v->text, value);
    buf_add_char(&v->text, '\0');
}

static void put_number(struct visitor *v, const char *name, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    put(v, name, view_of(text));
}

static void show_message(struct visitor *v, struct message *m)
{
    struct qfile own = { .n_rcpts = 0 }, *q;

    if (!look(m, &own, &q))
        return;
    put(v, "queue_name", view_of(queue_name(m->queue)));
    put(v, "queue_id", view_of(m->id));
    put_number(v, "time", q->arrival_us / 1000000);
    put_number(v, "size", q->content_len);
    put_number(v, "forced_expire", 0);
    put(v, "sender", q->e.sender);
    for (size_t i = 0; i < q->n_rcpts; i++) {
        if (!is_left(m, q, i))
            continue;
        put(v, "recipient", q->rcpts[i].r.address);
        put(v, "reason", q->rcpts[i].text);
    }
    buf_add_char(&v->text, '\0');
    qfile_release(&own);
}

static void on_stream(struct watch *w, uint32_t events)
{
    struct visitor *v = list_entry(w, struct visitor, stream);

    while (!(events & (EPOLLERR | EPOLLHUP)) && v->text.len > 0) {
        ssize_t n = send(w->fd, v->text.data, v->text.len,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        buf_drop(&v->text, (size_t)n);
    }
    if (v->text.len > 0 || v->at >= v->n_ids)
        visitor_free(v); /* the reader left, or all is said */
    else
        loop_unwatch(&qmgr.daemon->loop, w); /* until the next step */
}

/* --- changing ---------------------------------------------------------- */

static void release(struct message *m, bool requeue)
{
    struct error err;

    m->requeue = requeue;
    if (m->queue == HELD && message_move(m, DEFERRED, &err) < 0) {
        log_error("%s: %s", m->id, err.text);
        return;
    }
    message_ready(m);
}

static void hold(struct message *m)
{
    struct error err;

    if (m->queue == HELD)
        return;
    timer_cancel(&qmgr.daemon->loop, &m->due);
    list_remove(&m->link);
    if (message_move(m, HELD, &err) < 0)
        log_error("%s: %s", m->id, err.text);
}

/* A message that is being delivered is left alone: what its agents do can no
 * longer be taken back. The command may be repeated. */
static void change_message(struct visitor *v, struct message *m)
{
    struct queue_changed changed;
    char id[QFILE_ID_LEN + 1];

    if (m->active != NULL)
        return;
    memcpy(id, m->id, sizeof id);
    switch (v->change.change) {
    case QUEUE_DELETE:
        if (!message_remove(m))
            return;
        break;
    case QUEUE_HOLD:
        hold(m);
        break;
    case QUEUE_RELEASE:
        if (m->queue != HELD)
            return;
        release(m, false);
        break;
    default:
        release(m, true);
        break;
    }
    v->count++;
    changed.queue_id = view_of(id);
    peer_send(&v->peer, &queue_changed_type, &changed);
    timer_set(&qmgr.daemon->loop, &qmgr.take_timer, 0);
}

static void on_change(struct peer *p, const void *msg)
{
    const struct queue_change *c = msg;
    struct visitor *v = visitor_of(p);
    char queue[17];

    if (!v->may_change) {
        done(v, "only root and the owner of the mail system may do this");
        return;
    }
    v->change.change = c->change;
    v->each = change_message;
    view_copy(c->queue_name, queue, sizeof queue);
    collect(v, view_is(c->queue_id, "ALL") ? VIEW("") : c->queue_id,
            queue[0] ? queue : NULL);
    timer_set(&qmgr.daemon->loop, &v->step, 0);
}

/* --- flushing ---------------------------------------------------------- */

static void flush_message(struct visitor *v, struct message *m)
{
    if (m->queue != DEFERRED)
        return;
    v->count++;
    message_ready(m);
    timer_set(&qmgr.daemon->loop, &qmgr.take_timer, 0);
}

static void on_flush(struct peer *p, const void *msg)
{
    const struct queue_flush *f = msg;
    struct visitor *v = visitor_of(p);

    schedule_forgive();
    v->each = flush_message;
    collect(v, f->queue_id, NULL);
    timer_set(&qmgr.daemon->loop, &v->step, 0);
}

/* --- reading ----------------------------------------------------------- */

static void on_open(struct peer *p, const void *msg)
{
    const struct queue_open *o = msg;
    struct visitor *v = visitor_of(p);
    struct message *m = message_find(o->queue_id);
    struct queue_opened answer;

    v->count = 0;
    if (!v->may_change) {
        done(v, "only root and the owner of the mail system may do this");
        return;
    }
    if (m == NULL || m->queue == OFFERED) {
        done(v, "there is no such message in the queue");
        return;
    }
    answer.queue_name = view_of(queue_name(m->queue));
    answer.fd = openat(qmgr.daemon->root, message_path(m),
                       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (answer.fd < 0) {
        done(v, "its file cannot be opened");
        return;
    }
    peer_send(p, &queue_opened_type, &answer);
    close(answer.fd);
}

static const struct ipc_rule rules[] = {
    { &queue_list_type, NULL, on_list },
    { &queue_flush_type, NULL, on_flush },
    { &queue_change_type, NULL, on_change },
    { &queue_open_type, NULL, on_open },
    { NULL, NULL, NULL },
};

/* --- accepting --------------------------------------------------------- */

static void on_gone(struct peer *p)
{
    visitor_free(visitor_of(p));
}

static struct visitor *visitor_new(int fd, struct ucred *who)
{
    socklen_t len = sizeof *who;
    struct visitor *v;

    if (admin.n_visitors >= VISITORS_MAX ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) < 0) {
        close(fd);
        return NULL;
    }
    v = alloc_zero(1, sizeof *v);
    v->stream.fd = -1;
    v->step.fire = step;
    v->may_change = who->uid == 0 || who->uid == qmgr.daemon->uid;
    admin.n_visitors++;
    return v;
}

static void on_command(struct listener *l, int fd)
{
    struct ucred who;
    struct visitor *v = visitor_new(fd, &who);

    if (v != NULL)
        peer_init(&v->peer, l->loop, fd, "command",
                  (uint32_t)who.pid, rules, on_gone);
}

static void on_showq(struct listener *l, int fd)
{
    struct ucred who;
    struct visitor *v = visitor_new(fd, &who);

    if (v == NULL)
        return;
    v->stream = (struct watch){ .fd = fd, .ready = on_stream };
    v->each = show_message;
    collect(v, VIEW(""), NULL);
    timer_set(l->loop, &v->step, 0);
}

/* Master bound them in this order: qmgr, showq. */
void admin_start(struct daemon *d)
{
    if (d->n_listeners != 2)
        log_fatal("expected the sockets qmgr and showq, got %zu",
                  d->n_listeners);
    listener_init(&admin.commands, &d->loop, d->listeners[0], 0, on_command);
    listener_init(&admin.showq, &d->loop, d->listeners[1], 0, on_showq);
    listener_start(&admin.commands);
    listener_start(&admin.showq);
}
