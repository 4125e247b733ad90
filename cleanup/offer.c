/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path (proto/queue.h): a message for a few of our own mailboxes is
 * delivered before it is answered, and then needs no queue file. That is one
 * durable write instead of two.
 */
#include "cleanup/cleanup.h"

#include "base/log.h"
#include "base/memfd.h"
#include "proto/queue.h"

/* Deliveries to one domain follow one another: a client that waits for many
 * would wait long. */
#define RCPTS_MAX 5

/* qmgr is to answer in time; when it hangs we do without. */
#define GRACE_MS 1000

bool offer_allowed(const struct transaction *t)
{
    if (cleanup_conf.fast_delivery_time == 0 || t->n_order > RCPTS_MAX)
        return false;
    for (size_t i = 0; i < t->n_order; i++) {
        const struct recipient *r = t->order[i];

        if (strcmp(r->transport, "local") != 0 || r->account[0] == '\0' ||
            (r->notify & ENVELOPE_NOTIFY_SUCCESS))
            return false;
    }
    return true;
}

/* The codes that Postfix's clients know: 552 for a full mailbox. */
static enum offer_result refused(struct reply *reply,
                                 const struct queue_verdict *v)
{
    char dsn[17];

    view_copy(v->dsn, dsn, sizeof dsn);
    reply_set(reply, strcmp(dsn, "5.2.2") == 0 ? 552 : 554,
              dsn[0] == '5' ? dsn : "5.0.0", "%.*s", VIEW_ARG(v->text));
    return OFFER_REFUSED;
}

enum offer_result offer_make(struct transaction *t, struct reply *reply,
                             struct error *err)
{
    struct queue_offer msg = {
        .queue_id = view_of(t->queue_id),
        .fd = t->fd,
        .patience_ms = cleanup_conf.fast_delivery_time * 1000,
    };
    struct queue_verdict v;
    int n;

    if (memfd_seal(t->fd, err) < 0 || commit_join_qmgr(t, err) < 0)
        return OFFER_NOT_MADE;
    t->qmgr->timeout_ms = msg.patience_ms + GRACE_MS;
    n = ipc_call(t->qmgr, &queue_offer_type, &msg, &queue_verdict_type, &v,
                 err);
    if (n == 0 && !view_is(v.queue_id, t->queue_id))
        n = error_set(err, FAIL_PERM, "qmgr spoke of another message");
    t->qmgr->timeout_ms = cleanup_conf.ipc_timeout * 1000;
    if (n < 0) {
        /* It may have been delivered, so it counts as offered. */
        log_warning("%s: no verdict: %s", t->queue_id, err->text);
        ipc_release(t->qmgr);
        return OFFER_COMMIT;
    }
    if (v.verdict == QUEUE_REFUSED)
        return refused(reply, &v);
    return v.verdict == QUEUE_DELIVERED ? OFFER_DELIVERED : OFFER_COMMIT;
}
