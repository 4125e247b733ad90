/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL: one channel to authd for all clients, told apart by tickets. With the
 * first message goes one end of the pair that the session will speak over;
 * authd hands it to master only when the client has proved who it is.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "login/login.h"
#include "net/tls.h"
#include "sasl/mechanism.h"

#define LINE_MAX_AUTH (AUTH_DATA_MAX * 4 / 3 + 8)

static struct {
    struct peer peer;
    struct join join;
    bool connected, joining;
} authd;

static struct login_client *find(uint32_t ticket)
{
    list_each (l, &login.clients) {
        struct login_client *c = list_entry(l, struct login_client, link);

        if (ticket != 0 && c->ticket == ticket)
            return c;
    }
    return NULL;
}

/* --- the end of an exchange -------------------------------------------- */

static void finish(struct login_client *c, enum auth_result result)
{
    c->ticket = 0;
    timer_cancel(&login.daemon->loop, &c->patience);
    if (result == AUTH_OK) {
        c->protocol->accepted(c);
        client_relay(c);
        client_resume(c);
        return;
    }
    io_close(&c->session_fd);
    c->state = COMMANDS;
    if (result == AUTH_WRONG || result == AUTH_MALFORMED ||
        result == AUTH_TOO_MANY)
        c->attempts++;
    c->protocol->refused(c, result);
    if (c->attempts >= login_conf.login_auth_limit)
        client_leave(c, "Too many failed logins");
    client_resume(c);
}

void auth_forget(struct login_client *c)
{
    struct auth_cancel cancel = { c->ticket };

    if (c->ticket != 0 && authd.connected)
        peer_send(&authd.peer, &auth_cancel_type, &cancel);
    c->ticket = 0;
    timer_cancel(&login.daemon->loop, &c->patience);
    io_close(&c->session_fd);
}

/* authd hangs: the client is told so, and not left to wonder. */
static void on_patience(struct timer *t)
{
    struct login_client *c = list_entry(t, struct login_client, patience);

    log_warning("login: authd did not answer for %u seconds",
                login_conf.auth_timeout);
    auth_forget(c);
    finish(c, AUTH_LATER);
}

static void wait_for_authd(struct login_client *c)
{
    c->patience.fire = on_patience;
    timer_set(&login.daemon->loop, &c->patience,
              login_conf.auth_timeout * 1000ULL);
}

/* --- what authd says --------------------------------------------------- */

/* The same line in IMAP (RFC 3501 section 6.2.2) and POP3 (RFC 5034). */
static void say_challenge(struct login_client *c, struct view data)
{
    struct buf *out = &c->stream.out;

    buf_add_text(out, "+ ");
    encode_base64(out, data);
    buf_add_text(out, "\r\n");
}

static void on_challenge(struct peer *p, const void *msg)
{
    const struct auth_challenge *a = msg;
    struct login_client *c = find(a->ticket);

    (void)p;
    if (c == NULL)
        return;
    c->state = ANSWER;
    timer_cancel(&login.daemon->loop, &c->patience);
    say_challenge(c, a->data);
    client_resume(c);
}

static void on_done(struct peer *p, const void *msg)
{
    const struct auth_done *a = msg;
    struct login_client *c = find(a->ticket);

    (void)p;
    if (c == NULL)
        return;
    view_copy(a->result == AUTH_OK ? a->account : a->name, c->user,
              sizeof c->user);
    finish(c, a->result <= AUTH_TOO_MANY ? (enum auth_result)a->result
                                         : AUTH_LATER);
}

static const struct ipc_rule rules[] = {
    { &auth_challenge_type, NULL, on_challenge },
    { &auth_done_type, NULL, on_done },
    { NULL, NULL, NULL },
};

static void on_gone(struct peer *p)
{
    (void)p;
    authd.connected = false;
    list_each_safe (l, &login.clients) {
        struct login_client *c = list_entry(l, struct login_client, link);

        if (c->ticket != 0)
            finish(c, AUTH_LATER);
    }
}

/* --- asking ------------------------------------------------------------ */

static void send_begin(struct login_client *c, bool has_initial,
                       struct view initial)
{
    struct buf exporter = BUF_INIT, endpoint = BUF_INIT;
    int pair[2];
    struct auth_begin b = {
        .ticket = c->ticket,
        .service = view_of(c->protocol->name),
        .mechanism = view_of(c->mechanism),
        .client_address = view_of(c->address),
        .session = view_of(c->session),
        .is_tls = c->is_tls,
        .has_initial = has_initial,
        .data = initial,
        .session_role = view_of(c->protocol->role),
    };

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) < 0) {
        finish(c, AUTH_LATER);
        return;
    }
    c->session_fd = pair[0];
    b.session_fd = pair[1];
    tls_bindings(&c->stream, &exporter, &endpoint);
    b.exporter = buf_view(&exporter);
    b.endpoint = buf_view(&endpoint);
    b.plus_offered = mechanism_is_offered(login_conf.login_mechanisms,
                                          VIEW("SCRAM-SHA-256-PLUS"),
                                          c->is_tls);
    wait_for_authd(c);
    peer_send(&authd.peer, &auth_begin_type, &b);
    close(pair[1]);
    buf_wipe(&exporter);
    buf_release(&endpoint);
}

static void on_joined(struct join *j, int fd, const char *why)
{
    (void)j;
    authd.joining = false;
    if (fd < 0) {
        log_warning("login: cannot reach authd: %s", why);
        login_found();
        return;
    }
    peer_init(&authd.peer, &login.daemon->loop, fd, "authd", 0, rules,
              on_gone);
    authd.connected = true;
    login_found();
}

void auth_reach(void)
{
    if (authd.connected || authd.joining)
        return;
    authd.joining = true;
    authd.join.done = on_joined;
    service_join(login.daemon, "authd", "", &authd.join);
}

void auth_start(struct login_client *c, struct view mechanism,
                bool has_initial, struct view initial)
{
    c->state = ASKING;
    if (++login.next_ticket == 0)
        login.next_ticket = 1;
    c->ticket = login.next_ticket;
    view_copy(mechanism, c->mechanism, sizeof c->mechanism);
    c->user[0] = '\0';
    if (!authd.connected) { /* a password is not kept until it is there */
        auth_reach();
        finish(c, AUTH_LATER);
        return;
    }
    send_begin(c, has_initial, initial);
}

void auth_answer(struct login_client *c, struct view line)
{
    struct buf data = BUF_INIT;
    struct auth_response r = { .ticket = c->ticket };

    c->state = ASKING;
    if (view_is(line, "*") || line.len > LINE_MAX_AUTH ||
        decode_base64(&data, line) < 0 || data.len > AUTH_DATA_MAX) {
        auth_forget(c);
        finish(c, AUTH_MALFORMED);
    } else {
        r.data = buf_view(&data);
        wait_for_authd(c);
        peer_send(&authd.peer, &auth_response_type, &r);
    }
    buf_wipe(&data);
}
