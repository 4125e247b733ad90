/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL exchanges (RFC 4422): PLAIN (RFC 4616), LOGIN, and SCRAM, whose own
 * steps are in auth_scram.c. Each exchange is one object; whatever ends it
 * frees all of it.
 */
#include "authd/authd.h"
#include "authd/delay.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "maildir/maildir.h"
#include "sasl/mechanism.h"

#define EXCHANGES_MAX 5000 /* at a time, of all peers */

static unsigned n_exchanges;
static struct list auth_peers = LIST_INIT(auth_peers);

static struct auth_peer *auth_peer_of(struct peer *p)
{
    return list_entry(p, struct auth_peer, peer);
}

/* --- what failures cost ------------------------------------------------ */

static struct delay_rules delay_rules(void)
{
    return (struct delay_rules){
        .first = authd_conf.auth_failure_delay,
        .most = authd_conf.auth_failure_delay_max,
        .failure_memory = authd_conf.auth_failure_memory,
        .success_memory = authd_conf.auth_success_memory,
    };
}

/* One account has many names: what it is known by is the folded name only
 * when there is no such account. */
static struct delay_try this_try(const struct exchange *x, struct buf *name)
{
    if (x->found)
        buf_add_text(name, x->account.address);
    else
        directory_fold(name, view_of(x->name));
    return (struct delay_try){ buf_view(name), view_of(x->client),
                               clock_mono_ms() };
}

/* The shape of these lines is what fail2ban and others look for. */
static void log_failure(const struct exchange *x, const char *why)
{
    log_info("auth: sqlite(%s,%s,<%s>): %s", x->name, x->client, x->session,
             why);
}

enum try_end { TRY_DROPPED, TRY_FAILED, TRY_SUCCEEDED };

/* However it ended; how much later to answer. */
static uint64_t end_try(struct exchange *x, enum try_end how)
{
    struct delay_rules rules = delay_rules();
    struct buf name = BUF_INIT;
    struct delay_try try;
    uint64_t ms = 0;

    if (!x->is_tried)
        return 0;
    x->is_tried = false;
    try = this_try(x, &name);
    if (how == TRY_SUCCEEDED)
        delay_succeeded(&try, &rules);
    else if (how == TRY_FAILED)
        ms = delay_failed(&try, &rules);
    else
        delay_dropped(&try, &rules);
    buf_release(&name);
    return ms;
}

/* --- an exchange's life ------------------------------------------------- */

static void exchange_free(struct exchange *x)
{
    end_try(x, TRY_DROPPED);
    timer_cancel(&x->daemon->loop, &x->delay);
    if (x->step == CHECKING)
        work_cancel(&x->work);
    list_remove(&x->link);
    io_close(&x->session_fd);
    account_wipe(&x->account);
    scram_release(&x->scram);
    buf_wipe(&x->exporter);
    buf_release(&x->endpoint);
    buf_wipe(&x->held);
    explicit_bzero(&x->keys, sizeof x->keys);
    free(x);
    n_exchanges--;
}

/* --- the proof ---------------------------------------------------------- */

static void on_turn(struct timer *t)
{
    struct exchange *x = list_entry(t, struct exchange, delay);

    x->look(x, buf_view(&x->held));
}

void exchange_prove(struct exchange *x, struct view message,
                    void (*look)(struct exchange *x, struct view message))
{
    struct delay_rules rules = delay_rules();
    struct buf name = BUF_INIT;
    struct delay_try try = this_try(x, &name);
    uint64_t ms;

    if (!delay_before(&try, &rules, &ms)) {
        log_failure(x, "too many failures, not looked at");
        exchange_finish(x, AUTH_TOO_MANY);
        buf_release(&name);
        return;
    }
    buf_release(&name);
    x->is_tried = true;
    if (ms == 0) {
        look(x, message);
    } else {
        x->step = HELD;
        x->look = look;
        buf_add_view(&x->held, message);
        x->delay.fire = on_turn;
        timer_set(&x->daemon->loop, &x->delay, ms);
    }
}

/* --- the end ----------------------------------------------------------- */

static void start_session(struct exchange *x)
{
    struct buf path = BUF_INIT;
    struct view address = view_of(x->account.address);
    struct control_session s = {
        .role = view_of(x->role),
        .tenant = view_of(x->account.tenant),
        .account = address,
        .uid = x->account.uid,
        .session = view_of(x->session),
        .quota = x->account.quota,
        .fd = x->session_fd,
    };

    buf_addf(&path, "%s/", x->account.tenant);
    maildir_account_path(&path, address); /* an account always has one */
    s.path = buf_view(&path);
    service_tell_master(x->daemon, &control_session_type, &s);
    buf_release(&path);
}

void exchange_finish(struct exchange *x, enum auth_result result)
{
    struct auth_done done = {
        .ticket = x->ticket,
        .result = result,
        .name = view_of(x->name),
    };

    if (result == AUTH_OK) {
        end_try(x, TRY_SUCCEEDED);
        done.account = view_of(x->account.address);
        view_copy(done.account, x->owner->account, sizeof x->owner->account);
        done.tenant = view_of(x->account.tenant);
        if (x->session_fd >= 0)
            start_session(x);
    }
    peer_send(&x->owner->peer, &auth_done_type, &done);
    exchange_free(x);
}

static void on_delay(struct timer *t)
{
    struct exchange *x = list_entry(t, struct exchange, delay);

    exchange_finish(x, x->result);
}

void exchange_fail(struct exchange *x, const char *why)
{
    log_failure(x, x->found ? why : "unknown user");
    x->step = WAITING;
    x->result = AUTH_WRONG;
    x->delay.fire = on_delay;
    timer_set(&x->daemon->loop, &x->delay, end_try(x, TRY_FAILED));
}

static void on_checked(struct work *w, bool ok, const struct secret *made)
{
    struct exchange *x = list_entry(w, struct exchange, work);
    struct error err;

    x->step = WAITING; /* no worker has it any more */
    if (!ok || !x->found || !x->account.enabled) {
        exchange_fail(x, "Password mismatch");
        return;
    }
    if (made->keys[0] != '\0' &&
        database_set_keys(view_of(x->account.address), x->account.hash,
                          made->keys, &err) < 0)
        log_warning("auth: %s", err.text);
    exchange_finish(x, AUTH_OK);
}

/* --- the password ------------------------------------------------------ */

/* An unknown account is checked like a known one, and is as slow. */
static void check(struct exchange *x, struct view password)
{
    x->step = CHECKING;
    x->work.done = on_checked;
    work_check(&x->work, password, x->account.hash,
               x->account.keys[0] == '\0' && auth_wants_keys());
}

static void take_password(struct exchange *x, struct view password)
{
    struct error err;
    int rc = directory_account(view_of(x->name), &x->account, &err);

    if (rc < 0) {
        log_error("auth: %s", err.text);
        exchange_finish(x, AUTH_LATER);
        return;
    }
    if (password.len == 0 || password.len > 1000 ||
        memchr(password.data, '\0', password.len) != NULL ||
        memchr(password.data, '\n', password.len) != NULL ||
        memchr(password.data, '\r', password.len) != NULL) {
        exchange_finish(x, AUTH_MALFORMED);
        return;
    }
    x->found = rc > 0;
    exchange_prove(x, password, check);
}

bool exchange_take_name(struct exchange *x, struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
            return false;
    return name.len > 0 && view_copy(name, x->name, sizeof x->name);
}

/* RFC 4616 §2: [authzid] NUL authcid NUL passwd. Acting for another identity
 * is not offered: an authzid must be the same name. */
static void plain(struct exchange *x, struct view data)
{
    struct view authzid, authcid;

    if (data.data == NULL || !view_cut(&data, '\0', &authzid) ||
        data.data == NULL || !view_cut(&data, '\0', &authcid) ||
        data.data == NULL || !exchange_take_name(x, authcid) ||
        (authzid.len > 0 && !view_eq_nocase(authzid, authcid)))
        exchange_finish(x, AUTH_MALFORMED);
    else
        take_password(x, data);
}

void exchange_challenge(struct exchange *x, struct view data)
{
    struct auth_challenge c = { x->ticket, data };

    peer_send(&x->owner->peer, &auth_challenge_type, &c);
}

static void step(struct exchange *x, struct view data)
{
    switch (x->step) {
    case PLAIN_MESSAGE:
        plain(x, data);
        return;
    case LOGIN_NAME:
        if (!exchange_take_name(x, data)) {
            exchange_finish(x, AUTH_MALFORMED);
            return;
        }
        x->step = LOGIN_PASSWORD;
        exchange_challenge(x, VIEW("Password:"));
        return;
    case LOGIN_PASSWORD:
        take_password(x, data);
        return;
    case SCRAM_FIRST:
    case SCRAM_FINAL:
    case SCRAM_END:
        scram_exchange_step(x, data);
        return;
    case HELD:
    case CHECKING:
    case WAITING:
        return; /* it spoke out of turn; the answer is on its way */
    }
}

/* --- the messages ------------------------------------------------------ */

static bool is_offered(struct view mechanism, bool is_tls)
{
    return mechanism_is_offered(authd_conf.auth_mechanisms, mechanism, is_tls);
}

bool auth_wants_keys(void)
{
    return is_offered(VIEW("SCRAM-SHA-256"), true) ||
           is_offered(VIEW("SCRAM-SHA-256-PLUS"), true);
}

/* How each mechanism begins, and what is said first when the client waits. */
static const struct mechanism {
    const char *name, *first;
    enum step step;
} mechanisms[] = {
    { "PLAIN", "", PLAIN_MESSAGE },
    { "LOGIN", "Username:", LOGIN_NAME },
    { "SCRAM-SHA-256", "", SCRAM_FIRST },
    { "SCRAM-SHA-256-PLUS", "", SCRAM_FIRST },
};

static const struct mechanism *mechanism_find(struct view name)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (view_is_nocase(name, mechanisms[i].name))
            return &mechanisms[i];
    return NULL;
}

static struct exchange *find(struct peer *p, uint32_t ticket)
{
    list_each (l, &auth_peer_of(p)->exchanges) {
        struct exchange *x = list_entry(l, struct exchange, link);

        if (x->ticket == ticket)
            return x;
    }
    return NULL;
}

static void refuse(struct peer *p, const struct auth_begin *b,
                   enum auth_result result)
{
    struct auth_done done = { .ticket = b->ticket, .result = result };

    if (b->session_fd >= 0)
        close(b->session_fd);
    peer_send(p, &auth_done_type, &done);
}

static struct exchange *exchange_new(struct peer *p,
                                     const struct auth_begin *b)
{
    struct exchange *x = alloc_zero(1, sizeof *x);

    x->owner = auth_peer_of(p);
    x->daemon = list_entry(p->loop, struct daemon, loop);
    x->ticket = b->ticket;
    x->session_fd = b->session_fd;
    view_copy(b->service, x->service, sizeof x->service);
    view_copy(b->client_address, x->client, sizeof x->client);
    view_copy(b->session, x->session, sizeof x->session);
    view_copy(b->session_role, x->role, sizeof x->role);
    list_append(&x->owner->exchanges, &x->link);
    n_exchanges++;
    return x;
}

void on_auth_begin(struct peer *p, const void *msg)
{
    const struct auth_begin *b = msg;
    const struct mechanism *m = mechanism_find(b->mechanism);
    struct exchange *x;

    if (b->session_fd >= 0 && strcmp(p->role, "login") != 0) {
        log_warning("%s[%u] asked for a session", p->role, p->pid);
        refuse(p, b, AUTH_NO_MECHANISM);
        return;
    }
    if (find(p, b->ticket) != NULL || m == NULL ||
        !is_offered(b->mechanism, b->is_tls)) {
        refuse(p, b, AUTH_NO_MECHANISM);
        return;
    }
    if (n_exchanges >= EXCHANGES_MAX) {
        refuse(p, b, AUTH_LATER);
        return;
    }
    x = exchange_new(p, b);
    x->step = m->step;
    snprintf(x->mechanism, sizeof x->mechanism, "%s", m->name);
    if (m->step == SCRAM_FIRST)
        scram_exchange_begin(x, b);
    if (b->has_initial)
        step(x, b->data);
    else
        exchange_challenge(x, view_of(m->first));
}

void on_auth_response(struct peer *p, const void *msg)
{
    const struct auth_response *r = msg;
    struct exchange *x = find(p, r->ticket);

    if (x != NULL)
        step(x, r->data);
}

void on_auth_cancel(struct peer *p, const void *msg)
{
    const struct auth_cancel *c = msg;
    struct exchange *x = find(p, c->ticket);

    if (x != NULL)
        exchange_free(x);
}

void auth_joined(struct daemon *d, struct peer *p, const struct stamp *s)
{
    struct auth_peer *a = auth_peer_of(p);

    (void)d;
    (void)s;
    list_init(&a->exchanges);
    list_append(&auth_peers, &a->link);
}

void auth_parted(struct daemon *d, struct peer *p)
{
    (void)d;
    list_each_safe (l, &auth_peer_of(p)->exchanges)
        exchange_free(list_entry(l, struct exchange, link));
    list_remove(&auth_peer_of(p)->link);
}

/* The process id is from the stamp: it is that of a process that lives, or the
 * channel would have ended. */
void on_proof_ask(struct peer *p, const void *msg)
{
    const struct proof_ask *q = msg;
    struct sender_answer answer = { 0, 0 };

    list_each (l, &auth_peers) {
        struct auth_peer *a = list_entry(l, struct auth_peer, link);

        if (a->peer.pid == q->pid && strcmp(a->peer.role, "smtpd") == 0 &&
            q->account.len > 0 && view_is(q->account, a->account))
            answer.allowed = 1;
    }
    peer_send(p, &sender_answer_type, &answer);
}
