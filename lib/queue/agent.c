/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue/agent.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "queue/qfile.h"

#define DELIVERY_RCPT_MAX 50000

static void delivery_release(struct delivery *d)
{
    for (size_t i = 0; i <= d->n_rcpts && d->bytes != NULL; i++)
        buf_release(&d->bytes[i]);
    io_close(&d->begin.fd);
    free(d->bytes);
    free(d->rcpts);
    free(d->answered);
}

/* Packets are decoded from a copy, which the views then point into. */
static int keep(struct buf *b, struct ipc_packet *p,
                const struct ipc_type *type, void *msg, struct error *err)
{
    buf_add_view(b, p->bytes);
    if (ipc_decode(buf_view(b), p->fds, p->n_fds, type, msg, err) < 0)
        return -1;
    p->n_fds = 0;
    return 0;
}

static int add_rcpt(struct delivery *d, struct ipc_packet *p,
                    struct error *err)
{
    size_t n = d->n_rcpts;

    if (n == DELIVERY_RCPT_MAX)
        return error_set(err, FAIL_PERM, "too many recipients");
    if ((n & (n - 1)) == 0) { /* at every power of two */
        size_t cap = n ? 2 * n : 1;

        d->rcpts = alloc_resize(d->rcpts, cap, sizeof *d->rcpts);
        d->bytes = alloc_resize(d->bytes, cap + 1, sizeof *d->bytes);
    }
    d->bytes[n + 1] = BUF_INIT;
    d->n_rcpts++;
    return keep(&d->bytes[n + 1], p, &delivery_rcpt_type, &d->rcpts[n], err);
}

/* Read one delivery: 1, or 0 when qmgr is done with us. */
static int read_delivery(struct delivery *d, struct error *err)
{
    for (;;) {
        struct ipc_packet p;
        int n = ipc_recv(d->qmgr, &p, err);
        int id, rc;

        if (n <= 0)
            return n;
        id = ipc_id(p.bytes);
        if (d->bytes == NULL && id == delivery_begin_type.id) {
            d->bytes = alloc_zero(1, sizeof *d->bytes);
            rc = keep(&d->bytes[0], &p, &delivery_begin_type, &d->begin, err);
        } else if (d->bytes != NULL && id == delivery_rcpt_type.id) {
            rc = add_rcpt(d, &p, err);
        } else if (d->bytes != NULL && id == delivery_go_type.id) {
            return 1;
        } else {
            rc = error_set(err, FAIL_PERM, "message 0x%04x is out of place",
                           (unsigned)id);
        }
        ipc_packet_release(&p);
        if (rc < 0)
            return -1;
    }
}

/* Defer all that has no answer yet, for this reason. */
static void defer_rest(struct delivery *d, const char *text)
{
    struct agent_status s = { .status = RCPT_DEFERRED, .dsn = "4.3.0",
                              .text = view_of(text), .relay = "none" };

    for (size_t i = 0; i < d->n_rcpts; i++)
        if (!d->answered[i])
            agent_result(d, i, &s);
}

/* Nobody gets what was not accepted. */
static bool is_intact(struct delivery *d, struct error *err)
{
    return qfile_check_content(d->begin.fd, d->begin.content_offset,
                               d->begin.content_len, d->begin.content_crc,
                               d->queue_id, err) == 0;
}

static int serve_one(struct delivery *d,
                     void (*deliver)(struct delivery *d, struct buf *why,
                                     void *arg),
                     void *arg, struct error *err)
{
    struct delivery_end end = { .damaged = false };
    struct buf why = BUF_INIT;
    int rc;

    if (is_intact(d, err)) {
        deliver(d, &why, arg);
        defer_rest(d, "no result");
    } else {
        end.damaged = err->kind == FAIL_PERM;
        defer_rest(d, err->text);
    }
    buf_cut(&why, 1000);
    end.why = buf_view(&why);
    rc = ipc_send(d->qmgr, &delivery_end_type, &end, err);
    buf_release(&why);
    return rc;
}

void agent_serve(int fd,
                 void (*deliver)(struct delivery *d, struct buf *why,
                                 void *arg),
                 void *arg)
{
    struct ipc qmgr;
    struct error err;
    int n;

    ipc_init(&qmgr, fd, 0);
    do {
        struct delivery d = { .qmgr = &qmgr, .begin.fd = -1 };

        n = read_delivery(&d, &err);
        if (n > 0) {
            view_copy(d.begin.queue_id, d.queue_id, sizeof d.queue_id);
            d.answered = alloc_zero(d.n_rcpts, sizeof *d.answered);
            d.taken_us = clock_real_us();
            n = serve_one(&d, deliver, arg, &err) < 0 ? -1 : 1;
        }
        delivery_release(&d);
    } while (n > 0);
    if (n < 0)
        log_warning("closing qmgr's channel: %s", err.text);
    ipc_release(&qmgr);
}

/* Seconds with the few digits that Postfix prints. */
static void add_delay(struct buf *b, uint64_t from, uint64_t to)
{
    double s = to > from ? (double)(to - from) / 1e6 : 0;

    if (s < 0.0001)
        buf_add_char(b, '0');
    else
        buf_addf(b, s >= 10 ? "%.0f" : "%.2g", s);
}

static const char *status_word(enum rcpt_status s)
{
    return s == RCPT_DELIVERED ? "sent" : s == RCPT_BOUNCED ? "bounced"
                                                            : "deferred";
}

static void log_result(const struct delivery *d, size_t i,
                       const struct agent_status *s)
{
    const struct delivery_rcpt *r = &d->rcpts[i];
    const struct delivery_begin *b = &d->begin;
    uint64_t now = clock_real_us();
    uint64_t up = d->connected_us ? d->connected_us : d->taken_us;
    struct buf line = BUF_INIT;

    buf_addf(&line, "%s: to=<%.*s>, ", d->queue_id, VIEW_ARG(r->address));
    if (r->original.len > 0 && !view_eq(r->original, r->address))
        buf_addf(&line, "orig_to=<%.*s>, ", VIEW_ARG(r->original));
    buf_addf(&line, "relay=%s, delay=", s->relay);
    add_delay(&line, b->arrival_us, now);
    buf_add_text(&line, ", delays=");
    add_delay(&line, b->arrival_us, b->active_us);
    buf_add_char(&line, '/');
    add_delay(&line, b->active_us, d->taken_us);
    buf_add_char(&line, '/');
    add_delay(&line, d->taken_us, up);
    buf_add_char(&line, '/');
    add_delay(&line, up, now);
    buf_addf(&line, ", dsn=%s, status=%s (%.*s)", s->dsn,
             status_word(s->status), VIEW_ARG(s->text));
    log_info("%s", buf_text(&line));
    buf_release(&line);
}

void agent_result(struct delivery *d, size_t i, const struct agent_status *s)
{
    struct delivery_result r = {
        .index = d->rcpts[i].index,
        .status = s->status,
        .dsn = view_of(s->dsn),
        .text = view_sub(s->text, 0, 1000),
        .remote = view_sub(s->remote, 0, 255),
        .diag = view_sub(s->diag, 0, 1000),
        .relayed = s->relayed,
    };
    struct error err;

    d->answered[i] = true;
    log_result(d, i, s);
    if (ipc_send(d->qmgr, &delivery_result_type, &r, &err) < 0)
        log_warning("%s: cannot tell qmgr: %s", d->queue_id, err.text);
}
