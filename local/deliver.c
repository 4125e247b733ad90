/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "index/store.h"
#include "local/local.h"
#include "maildir/maildir.h"
#include "maildir/quota.h"
#include "queue/agent.h"

#define LOCK_MS 2000 /* wait at most this long for an account's index */

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

/* One recipient's delivery at work. */
struct delivering {
    struct daemon *daemon;
    struct delivery *d;
    const struct delivery_rcpt *r;
    struct buf path, head, name;
    struct maildir maildir;
    struct maildir_message msg;
};

static void delivering_release(struct delivering *w)
{
    maildir_close(&w->maildir);
    buf_release(&w->path);
    buf_release(&w->head);
    buf_release(&w->name);
}

static int prepare(struct delivering *w, struct error *err)
{
    const struct delivery_begin *b = &w->d->begin;

    if (!maildir_account_path(&w->path, w->r->account))
        return error_set(err, FAIL_PERM, "\"%.*s\" is no account",
                         VIEW_ARG(w->r->account));
    make_head(&w->head, w->d, w->r);
    w->msg = (struct maildir_message){ .head = buf_view(&w->head),
                                       .fd = b->fd,
                                       .offset = b->content_offset,
                                       .len = b->content_len };
    maildir_delivery_name(&w->name, b->arrival_us, b->queue_id, w->r->address,
                          local_conf.myhostname, w->head.len + w->msg.len);
    return maildir_open(&w->maildir, w->daemon->root, buf_text(&w->path), true,
                        err);
}

/* A delivery in doubt may have been read and expunged since. When that cannot
 * be known, one message too many is better than none. */
static bool was_expunged(struct delivering *w)
{
    char account[321];
    struct store_options o = {
        .account = account,
        .path = buf_text(&w->path), /* the root is the working directory */
        .host = local_conf.myhostname,
        .lock_ms = LOCK_MS,
    };
    struct error err;
    bool was = false;

    if (!w->r->suspect)
        return false;
    view_copy(w->r->account, account, sizeof account);
    if (store_was_expunged(w->maildir.dir, &o, buf_view(&w->name), &was,
                           &err) < 0)
        log_warning("%s: cannot tell whether it was delivered before: %s",
                    w->d->queue_id, err.text);
    return was;
}

static int take_quota(struct delivering *w, struct error *err)
{
    bool taken;

    if (quota_take(w->maildir.dir, w->r->quota, w->head.len + w->msg.len, 1,
                   &taken, err) < 0)
        return -1;
    if (taken)
        return 0;
    error_set(err, FAIL_PERM, "the mailbox is full");
    err->sys = EDQUOT;
    return -1;
}

static int into_maildir(struct delivering *w, enum maildir_result *result,
                        struct error *err)
{
    int rc;

    *result = MAILDIR_ALREADY;
    if (prepare(w, err) < 0)
        return -1;
    if (was_expunged(w))
        return 0;
    /* What may be there already is not refused for want of room. */
    if (!w->r->suspect && take_quota(w, err) < 0)
        return -1;
    rc = maildir_deliver(&w->maildir, buf_text(&w->name), &w->msg,
                         clock_real_us(), w->r->suspect, result, err);
    if (w->r->suspect)
        quota_forget(w->maildir.dir);
    else if (rc < 0 || *result == MAILDIR_ALREADY)
        quota_note(w->maildir.dir, w->r->quota,
                   -(int64_t)(w->head.len + w->msg.len), -1);
    return rc;
}

static const char *failure_dsn(const struct error *err)
{
    bool for_good = err->kind == FAIL_PERM;

    if (err->sys == EDQUOT)
        return for_good ? "5.2.2" : "4.2.2";
    if (err->sys == ENOSPC)
        return "4.3.1";
    return for_good ? "5.2.0" : "4.2.0";
}

static void deliver_one(struct daemon *daemon, struct delivery *d, size_t i)
{
    enum maildir_result result = MAILDIR_ALREADY;
    struct agent_status s = { .status = RCPT_DELIVERED, .dsn = "2.0.0",
                              .text = VIEW("delivered to maildir"),
                              .relay = "local" };
    struct delivering w = { .daemon = daemon, .d = d, .r = &d->rcpts[i],
                            .maildir = { -1, -1, -1, NULL } };
    struct error err;

    if (into_maildir(&w, &result, &err) < 0) {
        s.status = err.kind == FAIL_PERM ? RCPT_BOUNCED : RCPT_DEFERRED;
        s.dsn = failure_dsn(&err);
        s.text = view_of(err.text);
    } else if (result == MAILDIR_ALREADY) {
        s.text = VIEW("delivered to maildir before");
    }
    agent_result(d, i, &s);
    if (s.status == RCPT_DELIVERED && result == MAILDIR_DELIVERED)
        local_tell(daemon, d->rcpts[i].account);
    delivering_release(&w);
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
