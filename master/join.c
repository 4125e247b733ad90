/* SPDX-License-Identifier: BSD-2-Clause */
/* What children say, and joining them to each other. */
#include "master/master.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/log.h"

/* A join to a per-tenant program that waits for authd to say which tenant. */
struct ask {
    struct list link;
    uint32_t ticket;        /* ours, to authd */
    uint32_t child_ticket;  /* the asking child's */
    unsigned slot;          /* the asking child, if it still lives */
    pid_t pid;
    struct pool *row_pool;
};

static void refuse(struct child *c, uint32_t ticket, const char *why)
{
    struct control_joined no = { ticket, -1, view_of(why) };

    peer_send(&c->control, &control_joined_type, &no);
}

/* Send one end of a new pair, stamped, to the pool, and keep the other; or,
 * without a client_end, the descriptor that is in the stamp. NULL, or why
 * not. */
static const char *stamp_to(struct pool *p, struct stamp *s, int *client_end)
{
    struct buf bytes = BUF_INIT;
    int pair[2], fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    struct error err;
    const char *why = NULL;

    if (p->master->stopping && p->total == 0)
        return "it has ended, since all stops";
    if (pool_does_not_start(p))
        return "its program does not start";
    if (client_end != NULL && ipc_pair(pair, &err) < 0)
        return "no descriptors left";
    if (client_end != NULL) {
        s->fd = pair[1];
        *client_end = pair[0];
    }
    if (ipc_encode(&bytes, &stamp_type, s, fds, &n_fds, &err) < 0)
        why = "its stamp is too long";
    else if (ipc_send_raw(p->channel[0], buf_view(&bytes), fds, n_fds,
                          MSG_DONTWAIT) < 0)
        why = errno == EAGAIN ? "too many wait for it" : "it cannot be reached";
    buf_release(&bytes);
    if (client_end != NULL)
        close(s->fd);
    if (why != NULL && client_end != NULL) {
        close(*client_end);
        *client_end = -1;
    }
    if (why == NULL)
        p->pending++;
    pool_adjust(p);
    return why;
}

static void join(struct child *c, uint32_t ticket, struct pool *to)
{
    struct stamp s = {
        .role = view_of(c->pool->role->name),
        .service = view_of(c->pool->row->name),
        .pid = (uint32_t)c->pid,
        .tenant = view_of(c->pool->tenant),
        .account = view_of(c->pool->account),
        .fd = -1,
    };
    struct control_joined yes = { ticket, -1, VIEW("") };
    const char *why = stamp_to(to, &s, &yes.fd);

    if (why != NULL) {
        refuse(c, ticket, why);
        return;
    }
    peer_send(&c->control, &control_joined_type, &yes);
    close(yes.fd);
}

/* --- programs that run per tenant -------------------------------------- */

/* A tenant's name becomes a directory: no separators, no leading dot. */
static bool is_component(struct view v)
{
    if (v.len == 0 || v.len > 255 || v.data[0] == '.')
        return false;
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] == '/' || ascii_is_control(v.data[i]))
            return false;
    return true;
}

static bool in_tenant_range(const struct master *m, uint32_t uid)
{
    return uid >= m->conf.tenant_uid_base && uid != (uint32_t)-1;
}

static struct pool *tenant_pool(struct pool *row_pool, struct view tenant,
                                uid_t uid)
{
    struct master *m = row_pool->master;
    char name[ACCOUNT_MAX + 1];

    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->parent == row_pool && view_is(tenant, p->tenant))
            return p;
    }
    if (!view_copy(tenant, name, sizeof name))
        return NULL;
    return pool_derive(row_pool, name, uid, NULL);
}

static void ask_tenant(struct child *c, uint32_t ticket, struct pool *row_pool,
                       struct view account)
{
    struct master *m = row_pool->master;
    struct pool *authd = pool_of_role(m, "authd");
    struct control_whereis q = { ++m->next_ticket, account };
    struct ask *a;
    struct child *to;

    if (authd == NULL || list_empty(&authd->children)) {
        refuse(c, ticket, "authd is away");
        return;
    }
    to = list_entry(authd->children.next, struct child, link);
    a = alloc_zero(1, sizeof *a);
    *a = (struct ask){ .ticket = q.ticket, .child_ticket = ticket,
                       .slot = c->slot, .pid = c->pid, .row_pool = row_pool };
    list_append(&m->asks, &a->link);
    peer_send(&to->control, &control_whereis_type, &q);
}

static struct child *asker(const struct master *m, const struct ask *a)
{
    struct child *c = m->slots[a->slot];

    return c != NULL && c->pid == a->pid ? c : NULL;
}

static void ask_free(struct ask *a)
{
    list_remove(&a->link);
    free(a);
}

void joins_fail(struct master *m)
{
    list_each_safe (l, &m->asks) {
        struct ask *a = list_entry(l, struct ask, link);

        if (asker(m, a) != NULL)
            refuse(asker(m, a), a->child_ticket, "authd went away");
        ask_free(a);
    }
}

static void answer_ask(struct ask *a, const struct control_here *here)
{
    struct master *m = a->row_pool->master;
    struct child *c = asker(m, a);
    struct pool *p;

    if (c == NULL)
        return;
    if (here->uid == 0) {
        refuse(c, a->child_ticket, here->retry ? "authd cannot say at the "
               "moment" : "no such account");
        return;
    }
    if (!is_component(here->tenant) || !in_tenant_range(m, here->uid)) {
        log_error("authd named tenant \"%.*s\" with uid %u, which is not one",
                  VIEW_ARG(here->tenant), here->uid);
        refuse(c, a->child_ticket, "its tenant makes no sense");
        return;
    }
    if (!places_store_ready(m)) {
        refuse(c, a->child_ticket, "the mail store is not there");
        return;
    }
    p = tenant_pool(a->row_pool, here->tenant, here->uid);
    if (p == NULL)
        refuse(c, a->child_ticket, "no descriptors left");
    else
        join(c, a->child_ticket, p);
}

static void on_here(struct peer *peer, const void *msg)
{
    const struct control_here *here = msg;
    struct master *m = child_of(peer)->pool->master;

    list_each_safe (l, &m->asks) {
        struct ask *a = list_entry(l, struct ask, link);

        if (a->ticket == here->ticket) {
            answer_ask(a, here);
            ask_free(a);
            return;
        }
    }
}

/* --- sessions ---------------------------------------------------------- */

static bool is_path(struct view v)
{
    struct view part;

    if (v.len == 0)
        return false;
    while (view_cut(&v, '/', &part))
        if (!is_component(part))
            return false;
    return true;
}

static const char *start_session(struct master *m,
                                 const struct control_session *s)
{
    struct pool *row_pool = pool_find(m, s->role);
    char tenant[ACCOUNT_MAX + 1], path[1001];
    struct stamp stamp = { .role = VIEW("authd"), .service = s->role,
                           .tenant = s->tenant, .account = s->account,
                           .session = s->session, .quota = s->quota,
                           .fd = s->fd };
    struct pool *p;
    const char *why;

    if (row_pool == NULL || row_pool->role->per != PER_SESSION)
        return "there is no such service in master.cf";
    if (!is_component(s->tenant) || !in_tenant_range(m, s->uid) ||
        !is_path(s->path) || !view_copy(s->tenant, tenant, sizeof tenant) ||
        !view_copy(s->path, path, sizeof path))
        return "its tenant, uid or path makes no sense";
    if (!places_store_ready(m))
        return "the mail store is not there";
    p = pool_derive(row_pool, tenant, s->uid, path);
    if (p == NULL)
        return "no descriptors left";
    view_copy(s->account, p->account, sizeof p->account);
    why = stamp_to(p, &stamp, NULL);
    if (why != NULL && p->total == 0)
        pool_free(p);
    return why;
}

static void on_session(struct peer *peer, const void *msg)
{
    const struct control_session *s = msg;
    const char *why = start_session(child_of(peer)->pool->master, s);

    if (why != NULL)
        log_error("cannot start a session of %.*s for %.*s: %s",
                  VIEW_ARG(s->role), VIEW_ARG(s->account), why);
    if (s->fd >= 0)
        close(s->fd); /* closed unserved, it tells login that it failed */
}

/* --- the rest ---------------------------------------------------------- */

static void on_connect(struct peer *peer, const void *msg)
{
    const struct control_connect *q = msg;
    struct child *c = child_of(peer);
    struct pool *to = pool_find(c->pool->master, q->service);

    if (to == NULL)
        refuse(c, q->ticket, "there is no such service in master.cf");
    else if (!role_may_join(c->pool->role, to->role)) {
        log_error("%s[%d] asked for %s, which it may not join",
                  c->pool->role->name, c->pid, to->row->name);
        refuse(c, q->ticket, "that is not for you to join");
    } else if (to->role->per == PER_TENANT)
        ask_tenant(c, q->ticket, to, q->account);
    else if (to->role->per == PER_SESSION)
        refuse(c, q->ticket, "only authd starts sessions");
    else
        join(c, q->ticket, to);
}

static void on_ready(struct peer *peer, const void *msg)
{
    const struct control_ready *ready = msg;
    struct child *c = child_of(peer);

    c->walls = ready->walls;
    if (c->state == CHILD_STARTING)
        c->state = CHILD_IDLE;
    c->was_ready = true;
    files_send(c);
    master_progress(c->pool->master);
}

static void on_busy(struct peer *peer, const void *msg)
{
    const struct control_busy *busy = msg;
    struct child *c = child_of(peer);
    struct pool *p = c->pool;

    if (busy->from_channel && p->pending > 0)
        p->pending--;
    if (c->state != CHILD_IDLE)
        return;
    c->state = CHILD_BUSY;
    p->idle--;
    pool_adjust(p);
}

static void on_idle(struct peer *peer, const void *msg)
{
    struct child *c = child_of(peer);

    (void)msg;
    if (c->state != CHILD_BUSY)
        return;
    c->state = CHILD_IDLE;
    c->pool->idle++;
    pool_adjust(c->pool);
}

static void on_config_answer(struct peer *peer, const void *msg)
{
    const struct control_config_answer *a = msg;

    reload_answer(child_of(peer), a->accepted, a->why);
}

static void on_log_wanted(struct peer *peer, const void *msg)
{
    (void)msg;
    files_try_log(child_of(peer));
}

const struct ipc_rule master_rules[] = {
    { &control_ready_type, NULL, on_ready },
    { &control_busy_type, NULL, on_busy },
    { &control_idle_type, NULL, on_idle },
    { &control_connect_type, NULL, on_connect },
    { &control_config_answer_type, NULL, on_config_answer },
    { &control_session_type, "authd", on_session },
    { &control_here_type, "authd", on_here },
    { &control_log_wanted_type, "logd", on_log_wanted },
    { NULL, NULL, NULL },
};
