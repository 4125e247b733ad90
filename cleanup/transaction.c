/* SPDX-License-Identifier: BSD-2-Clause */
/* What the client says, in its order. */
#include "cleanup/cleanup.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "proto/auth.h"

struct cleanup_conf cleanup_conf;

int reply_set(struct reply *r, unsigned code, const char *dsn,
              const char *fmt, ...)
{
    va_list ap;

    r->code = code;
    snprintf(r->dsn, sizeof r->dsn, "%s", dsn);
    va_start(ap, fmt);
    vsnprintf(r->text, sizeof r->text, fmt, ap);
    va_end(ap);
    return code / 100 == 2 ? 0 : -1;
}

static void reset(struct transaction *t)
{
    commit_abort(t);
    expand_release(t);
    buf_release(&t->header.message_id);
    buf_release(&t->envelope_bytes);
    t->header = (struct header_facts){ .hops = 0 };
    t->e = (struct envelope){ .flags = 0 };
    t->queue_id[0] = '\0';
    t->begun = false;
    t->proven = false;
    t->size = 0;
    t->last = '\n';
}

/* The envelope's texts point into the packet: keep a copy of its bytes and
 * decode that. */
static int on_begin(struct transaction *t, struct ipc_packet *p,
                    struct error *err)
{
    reset(t);
    buf_add_view(&t->envelope_bytes, p->bytes);
    if (ipc_decode(buf_view(&t->envelope_bytes), p->fds, p->n_fds,
                   &mail_begin_type, &t->e, err) < 0)
        return -1;
    t->begun = true;
    return 0;
}

static int answer(struct transaction *t, const struct reply *r,
                  struct error *err)
{
    struct mail_reply msg = { r->code, view_of(r->dsn), view_of(r->text),
                              view_of(t->queue_id) };

    return ipc_send(t->client, &mail_reply_type, &msg, err);
}

static void log_client(const struct transaction *t)
{
    const struct envelope *e = &t->e;

    if (e->flags & ENVELOPE_NOTIFICATION)
        return; /* bounce says whose notification it is */
    if (e->account.len > 0 && e->sasl_method.len > 0)
        log_debug("%s: client=%.*s[%.*s], sasl_method=%.*s", t->queue_id,
                  VIEW_ARG(e->client_name), VIEW_ARG(e->client_address),
                  VIEW_ARG(e->sasl_method));
}

/* Nobody's mail is queued as an account's that authd has not seen log in over
 * the very process that says so. */
static int prove(struct transaction *t, struct reply *reply)
{
    struct proof_ask ask = { t->client_pid, t->e.account };
    struct sender_answer a;
    struct error err;

    if (t->e.account.len == 0 || t->proven)
        return 0;
    if (service_call(t->daemon, "authd", cleanup_conf.ipc_timeout * 1000,
                     t->authd, &proof_ask_type, &ask, &sender_answer_type, &a,
                     &err) < 0) {
        log_warning("cannot ask authd about %.*s: %s", VIEW_ARG(t->e.account),
                    err.text);
        return reply_set(reply, 451, "4.3.0", "Error: temporary lookup "
                         "failure");
    }
    if (!a.allowed) {
        /* So it is, too, when authd was started anew since the login. */
        log_warning("process %u names the account %.*s, which did not log in "
                    "over it", t->client_pid, VIEW_ARG(t->e.account));
        return reply_set(reply, 451, "4.7.0", "Error: log in again");
    }
    t->proven = true;
    return 0;
}

static int on_rcpt(struct transaction *t, struct ipc_packet *p,
                   struct error *err)
{
    struct reply reply = { .code = 0 };
    struct mail_rcpt r;

    if (ipc_packet_decode(p, &mail_rcpt_type, &r, err) < 0)
        return -1;
    if (!t->begun || t->fd >= 0) {
        reply_set(&reply, 503, "5.5.1", "Recipient out of place");
    } else if (prove(t, &reply) == 0) {
        bool first = t->queue_id[0] == '\0';

        if (first)
            commit_make_id(t->daemon, t->queue_id);
        if (expand_recipient(t, &r, &reply) == 0)
            reply_set(&reply, 250, "2.1.5", "Ok");
        if (reply.code != 250 && first)
            t->queue_id[0] = '\0';
        else if (first)
            log_client(t);
    }
    return answer(t, &reply, err);
}

static int on_content(struct transaction *t, struct ipc_packet *p,
                      struct error *err)
{
    struct reply reply = { .code = 0 };
    struct mail_content c;
    int rc;

    if (ipc_packet_decode(p, &mail_content_type, &c, err) < 0)
        return -1;
    if (t->n_order == 0)
        rc = reply_set(&reply, 503, "5.5.1", "Content without a recipient");
    else
        rc = commit_content(t, c.fd, c.last, &reply);
    io_close(&c.fd);
    if (rc == 0 && c.last)
        commit_finish(t, &reply);
    else if (rc == 0)
        reply_set(&reply, 250, "2.0.0", "Go on");
    rc = answer(t, &reply, err);
    if (c.last || reply.code != 250)
        reset(t);
    return rc;
}

static int on_packet(struct transaction *t, struct ipc_packet *p,
                     struct error *err)
{
    int id = ipc_id(p->bytes);

    if (id == mail_begin_type.id)
        return on_begin(t, p, err);
    if (id == mail_rcpt_type.id)
        return on_rcpt(t, p, err);
    if (id == mail_content_type.id)
        return on_content(t, p, err);
    if (id == mail_abort_type.id) {
        reset(t);
        return 0;
    }
    return error_set(err, FAIL_PERM, "message 0x%04x is not of this protocol",
                     (unsigned)id);
}

void cleanup_serve(struct daemon *d, struct client *c)
{
    struct ipc client;
    /* Kept for the next client. */
    static struct ipc qmgr = { .fd = -1 }, mapd = { .fd = -1 },
                      authd = { .fd = -1 };
    struct transaction t = { .daemon = d, .client = &client,
                             .client_pid = c->pid, .mapd = &mapd,
                             .qmgr = &qmgr, .authd = &authd, .fd = -1 };
    struct ipc_packet p;
    struct error err;
    int n;

    ipc_init(&client, c->fd, 0); /* a client may be idle for long */
    c->fd = -1;
    while ((n = ipc_recv(&client, &p, &err)) > 0) {
        n = on_packet(&t, &p, &err);
        ipc_packet_release(&p);
        if (n < 0)
            break;
    }
    if (n < 0)
        log_warning("closing the channel of %s[%u]: %s", c->role, c->pid,
                    err.text);
    reset(&t);
    ipc_release(&client);
}
