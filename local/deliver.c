/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "local/local.h"
#include "maildir/maildir.h"
#include "queue/agent.h"

struct local_conf local_conf;

void local_prepare(struct daemon *d)
{
    (void)d;
    maildir_prepare();
}

/* RFC 5321 §4.4: the last hop writes the envelope's sender into the message;
 * Delivered-To lets a loop be seen. */
static void make_head(struct buf *out, const struct delivery *d,
                      const struct delivery_rcpt *r)
{
    buf_addf(out, "Return-Path: <%.*s>\r\n", VIEW_ARG(d->begin.sender));
    if (r->original.len > 0)
        buf_addf(out, "X-Original-To: %.*s\r\n", VIEW_ARG(r->original));
    buf_addf(out, "Delivered-To: %.*s\r\n", VIEW_ARG(r->address));
}

static int into_maildir(struct daemon *daemon, struct delivery *d,
                        const struct delivery_rcpt *r,
                        enum maildir_result *result, struct error *err)
{
    struct buf path = BUF_INIT, head = BUF_INIT, name = BUF_INIT;
    struct maildir_message msg = { .fd = d->begin.fd,
                                   .offset = d->begin.content_offset,
                                   .len = d->begin.content_len };
    struct maildir m;
    int rc = -1;

    if (!maildir_account_path(&path, r->account)) {
        error_set(err, FAIL_PERM, "\"%.*s\" is no account",
                  VIEW_ARG(r->account));
        goto out;
    }
    make_head(&head, d, r);
    msg.head = buf_view(&head);
    maildir_delivery_name(&name, d->begin.arrival_us, d->begin.queue_id,
                          r->address, local_conf.myhostname,
                          head.len + msg.len);
    if (maildir_open(&m, daemon->root, buf_text(&path), true, err) < 0)
        goto out;
    rc = maildir_deliver(&m, buf_text(&name), &msg, clock_real_us(),
                         r->suspect, result, err);
    maildir_close(&m);
out:
    buf_release(&path);
    buf_release(&head);
    buf_release(&name);
    return rc;
}

static const char *failure_dsn(const struct error *err)
{
    if (err->sys == ENOSPC || err->sys == EDQUOT)
        return err->sys == EDQUOT ? "4.2.2" : "4.3.1";
    return err->kind == FAIL_PERM ? "5.2.0" : "4.2.0";
}

static void deliver_one(struct daemon *daemon, struct delivery *d, size_t i)
{
    enum maildir_result result = MAILDIR_ALREADY;
    struct agent_status s = { .status = RCPT_DELIVERED, .dsn = "2.0.0",
                              .text = VIEW("delivered to maildir"),
                              .relay = "local" };
    struct error err;

    if (into_maildir(daemon, d, &d->rcpts[i], &result, &err) < 0) {
        s.status = err.kind == FAIL_PERM ? RCPT_BOUNCED : RCPT_DEFERRED;
        s.dsn = failure_dsn(&err);
        s.text = view_of(err.text);
    } else if (result == MAILDIR_ALREADY) {
        s.text = VIEW("delivered to maildir before");
    }
    agent_result(d, i, &s);
    if (s.status == RCPT_DELIVERED && result == MAILDIR_DELIVERED)
        local_tell(daemon, d->rcpts[i].account);
}

static void deliver(struct delivery *d, struct buf *why, void *arg)
{
    (void)why;
    for (size_t i = 0; i < d->n_rcpts; i++)
        deliver_one(arg, d, i);
}

void local_serve(struct daemon *d, struct client *c)
{
    int fd = c->fd;

    c->fd = -1;
    agent_serve(fd, deliver, d);
}
