/* SPDX-License-Identifier: BSD-2-Clause */
/* Recipients: what one stands for, each once. */
#include "cleanup/cleanup.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/resolve.h"

static void recipient_free(struct recipient *r)
{
    free(r->key);
    free(r->address);
    free(r->original);
    free(r->orcpt);
    free(r->transport);
    free(r->nexthop);
    free(r->account);
    free(r);
}

void expand_release(struct transaction *t)
{
    for (size_t i = 0; i < t->n_order; i++) {
        map_remove(&t->recipients, &t->order[i]->node);
        recipient_free(t->order[i]);
    }
    free(t->order);
    t->order = NULL;
    t->n_order = t->cap_order = 0;
}

/* The same mailbox under two names gets one copy, unless the names are to be
 * kept apart. */
static struct view make_key(struct recipient *r)
{
    struct buf b = BUF_INIT;
    size_t len;

    buf_add_text(&b, r->address);
    if (cleanup_conf.enable_original_recipient && r->original[0] != '\0')
        buf_addf(&b, "\n%s", r->original);
    len = b.len;
    r->key = buf_take(&b);
    return (struct view){ r->key, len };
}

static char *copy(struct view v)
{
    return alloc_copy(v.data, v.len);
}

static void add(struct transaction *t, const struct mail_rcpt *asked,
                const struct expand_rcpt *x)
{
    struct recipient *r = alloc_zero(1, sizeof *r);
    bool same = view_eq(asked->address, x->address);

    r->address = copy(x->address);
    r->original = same ? alloc_text("") : copy(asked->address);
    r->orcpt = copy(asked->orcpt);
    r->transport = copy(x->transport);
    r->nexthop = copy(x->nexthop);
    r->account = copy(x->account);
    r->notify = asked->notify;
    r->quota = x->quota;
    r->node.key = make_key(r);
    if (!map_add(&t->recipients, &r->node)) {
        recipient_free(r);
        return;
    }
    if (t->n_order == t->cap_order) {
        t->cap_order = t->cap_order ? t->cap_order * 2 : 8;
        t->order = alloc_resize(t->order, t->cap_order, sizeof *t->order);
    }
    t->order[t->n_order++] = r;
}

static int need_mapd(struct transaction *t, struct error *err)
{
    if (t->mapd->fd >= 0)
        return 0;
    return service_connect(t->daemon, "mapd", "",
                           cleanup_conf.ipc_timeout * 1000, t->mapd, err);
}

/* Read what mapd answers: recipients, then the result. */
static int read_answer(struct transaction *t, const struct mail_rcpt *asked,
                       struct resolve_answer *a, struct error *err)
{
    size_t n = 0;

    for (;;) {
        struct ipc_packet p;
        struct expand_rcpt x;
        int got = ipc_recv(t->mapd, &p, err);

        if (got < 0)
            return -1;
        if (got == 0)
            return error_set(err, FAIL_TEMP, "mapd went away");
        if (ipc_id(p.bytes) == resolve_answer_type.id)
            return ipc_packet_decode(&p, &resolve_answer_type, a, err);
        if (ipc_packet_decode(&p, &expand_rcpt_type, &x, err) < 0)
            return -1;
        if (++n <= cleanup_conf.virtual_alias_expansion_limit &&
            t->n_order < ENVELOPE_RCPT_MAX)
            add(t, asked, &x);
    }
}

static int reply_result(const struct mail_rcpt *r,
                        const struct resolve_answer *a, struct reply *reply)
{
    switch (a->result) {
    case RESOLVE_OK:
        return 0;
    case RESOLVE_UNKNOWN:
    case RESOLVE_REFUSED:
    case RESOLVE_DISABLED:
        return reply_set(reply, 550, resolve_dsn(a->result),
                         "<%.*s>: Recipient address rejected: %.*s",
                         VIEW_ARG(r->address), VIEW_ARG(a->text));
    default:
        return reply_set(reply, 451, "4.3.0",
                         "<%.*s>: Temporary lookup failure",
                         VIEW_ARG(r->address));
    }
}

/* Undo what a recipient that was refused after all had added. */
static void forget_from(struct transaction *t, size_t keep)
{
    while (t->n_order > keep) {
        struct recipient *r = t->order[--t->n_order];

        map_remove(&t->recipients, &r->node);
        recipient_free(r);
    }
}

/* Over a line of an earlier client, whose other end may have gone, it is
 * tried once more; a recipient is added once however often it is told. */
static int ask_mapd(struct transaction *t, const struct mail_rcpt *asked,
                    struct resolve_answer *a, struct error *err)
{
    struct expand_ask ask = { asked->address };

    for (;;) {
        bool is_new = t->mapd->fd < 0;

        if (need_mapd(t, err) < 0)
            return -1;
        if (ipc_send(t->mapd, &expand_ask_type, &ask, err) == 0 &&
            read_answer(t, asked, a, err) == 0)
            return 0;
        ipc_release(t->mapd);
        if (is_new || err->sys == ETIMEDOUT)
            return -1;
    }
}

int expand_recipient(struct transaction *t, const struct mail_rcpt *r,
                     struct reply *reply)
{
    struct mail_rcpt asked = *r;
    struct resolve_answer a;
    size_t before = t->n_order;
    struct error err;
    int rc;

    if (ask_mapd(t, &asked, &a, &err) < 0) {
        log_warning("%s: cannot expand <%.*s>: %s", t->queue_id,
                    VIEW_ARG(asked.address), err.text);
        forget_from(t, before);
        return reply_set(reply, 451, "4.3.0", "<%.*s>: Temporary lookup "
                         "failure", VIEW_ARG(asked.address));
    }
    rc = reply_result(&asked, &a, reply);
    if (rc < 0)
        forget_from(t, before);
    return rc;
}
