/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests in, notifications into the queue, answers out. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memfd.h"
#include "base/utf8.h"
#include "bounce/bounce.h"
#include "proto/cleanup.h"

struct bounce_conf bounce_conf;

static void release(struct notification *n)
{
    for (size_t i = 0; i < n->n_fates; i++) {
        free(n->fates[i].text);
        free(n->fates[i].remote);
        free(n->fates[i].diag);
    }
    free(n->fates);
    io_close(&n->fd);
    *n = (struct notification){ .fd = -1 };
}

static char *copy(struct view v)
{
    return alloc_copy(v.data, v.len);
}

static int on_begin(struct notification *n, struct ipc_packet *p,
                    struct error *err)
{
    struct bounce_begin b;

    release(n);
    if (ipc_packet_decode(p, &bounce_begin_type, &b, err) < 0)
        return -1;
    n->fd = b.fd;
    n->kind = b.kind <= BOUNCE_SUCCESS ? (enum bounce_kind)b.kind
                                       : BOUNCE_FAILURE;
    n->will_retry_us = b.will_retry_us;
    view_copy(b.queue_id, n->queue_id, sizeof n->queue_id);
    return 0;
}

static int on_rcpt(struct notification *n, struct ipc_packet *p,
                   struct error *err)
{
    struct bounce_rcpt r;
    struct fate *f;

    if (ipc_packet_decode(p, &bounce_rcpt_type, &r, err) < 0)
        return -1;
    if (n->n_fates >= ENVELOPE_RCPT_MAX)
        return error_set(err, FAIL_PERM, "too many recipients");
    n->fates = alloc_resize(n->fates, n->n_fates + 1, sizeof *n->fates);
    f = &n->fates[n->n_fates++];
    *f = (struct fate){ .index = r.index, .text = copy(r.text),
                        .remote = copy(r.remote), .diag = copy(r.diag),
                        .relayed = r.relayed };
    view_copy(r.dsn, f->dsn, sizeof f->dsn);
    return 0;
}

/* --- into the queue ---------------------------------------------------- */

static int expect_250(struct ipc *c, const struct ipc_type *type,
                      const void *msg, char queue_id[17], struct error *err)
{
    struct mail_reply r;

    if (ipc_call(c, type, msg, &mail_reply_type, &r, err) < 0)
        return -1;
    if (r.code != 250)
        return error_set(err, r.code >= 500 ? FAIL_PERM : FAIL_TEMP,
                         "%u %.*s", r.code, VIEW_ARG(r.text));
    view_copy(r.queue_id, queue_id, 17);
    return 0;
}

static int send_content(struct ipc *c, const struct buf *text,
                        char queue_id[17], struct error *err)
{
    struct mail_content m = { memfd_new("notification", err), 1 };
    int rc = -1;

    if (m.fd >= 0 &&
        io_write_all(m.fd, text->data, text->len, "notification", err) == 0 &&
        memfd_seal(m.fd, err) == 0)
        rc = expect_250(c, &mail_content_type, &m, queue_id, err);
    io_close(&m.fd);
    return rc;
}

/* From <>, so that it can never be answered by a notification itself. */
static int submit(struct daemon *d, const struct qfile *q,
                  const struct buf *text, char queue_id[17],
                  struct error *err)
{
    struct mail_begin b = {
        .protocol = VIEW("local"),
        .flags = ENVELOPE_NOTIFICATION | ENVELOPE_SUBMITTED |
                 (q->e.flags & ENVELOPE_SMTPUTF8) |
                 (utf8_has_high(buf_view(text)) ? ENVELOPE_8BITMIME : 0),
    };
    struct mail_rcpt r = { .address = q->e.sender,
                           .notify = ENVELOPE_NOTIFY_NEVER };
    struct ipc c;
    int rc = -1;

    if (service_connect(d, bounce_conf.cleanup_service_name, "",
                        bounce_conf.ipc_timeout * 1000, &c, err) < 0)
        return -1;
    if (ipc_send(&c, &mail_begin_type, &b, err) == 0 &&
        expect_250(&c, &mail_rcpt_type, &r, queue_id, err) == 0)
        rc = send_content(&c, text, queue_id, err);
    ipc_release(&c);
    return rc;
}

static int check_indices(const struct notification *n, const struct qfile *q,
                         struct error *err)
{
    for (size_t i = 0; i < n->n_fates; i++)
        if (n->fates[i].index >= q->n_rcpts)
            return error_set(err, FAIL_PERM, "recipient %u of %zu",
                             n->fates[i].index, q->n_rcpts);
    return 0;
}

static int notify(struct daemon *d, const struct notification *n,
                  char queue_id[17], struct error *err)
{
    static const char *const kinds[] = {
        "sender non-delivery notification", "sender delay notification",
        "sender delivery status notification",
    };
    struct buf text = BUF_INIT;
    struct qfile q;
    int rc;

    queue_id[0] = '\0';
    if (qfile_read(&q, n->fd, n->queue_id, err) < 0)
        return -1;
    if (q.e.sender.len == 0) {
        qfile_release(&q);
        return 0;
    }
    rc = check_indices(n, &q, err);
    if (rc == 0)
        rc = report_write(&text, n, &q, err);
    if (rc == 0)
        rc = submit(d, &q, &text, queue_id, err);
    if (rc < 0 && err->kind == FAIL_PERM) {
        /* The sender does not exist: there is nobody to tell, ever. */
        log_warning("%s: %s cannot be sent to <%.*s>: %s", n->queue_id,
                    kinds[n->kind], VIEW_ARG(q.e.sender), err->text);
        queue_id[0] = '\0';
        rc = 0;
    } else if (rc == 0) {
        log_info("%s: %s: %s", n->queue_id, kinds[n->kind], queue_id);
    }
    buf_release(&text);
    qfile_release(&q);
    return rc;
}

static int on_go(struct daemon *d, struct notification *n, struct ipc *qmgr,
                 struct error *err)
{
    struct bounce_done done = { .result = 0 };
    char queue_id[17] = "";
    struct error why;

    if (notify(d, n, queue_id, &why) < 0) {
        done.result = 1;
        done.text = view_of(why.text);
    }
    done.queue_id = view_of(queue_id);
    release(n);
    return ipc_send(qmgr, &bounce_done_type, &done, err);
}

void bounce_serve(struct daemon *d, struct client *c)
{
    struct notification n = { .fd = -1 };
    struct ipc qmgr;
    struct ipc_packet p;
    struct error err;
    int got;

    ipc_init(&qmgr, c->fd, 0);
    c->fd = -1;
    while ((got = ipc_recv(&qmgr, &p, &err)) > 0) {
        int id = ipc_id(p.bytes);

        if (id == bounce_begin_type.id)
            got = on_begin(&n, &p, &err);
        else if (id == bounce_rcpt_type.id)
            got = on_rcpt(&n, &p, &err);
        else if (id == bounce_go_type.id)
            got = on_go(d, &n, &qmgr, &err);
        else
            got = error_set(&err, FAIL_PERM, "message 0x%04x is not of this "
                            "protocol", (unsigned)id);
        ipc_packet_release(&p);
        if (got < 0)
            break;
    }
    if (got < 0)
        log_warning("closing qmgr's channel: %s", err.text);
    release(&n);
    ipc_release(&qmgr);
}
