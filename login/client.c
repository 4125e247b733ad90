/* SPDX-License-Identifier: BSD-2-Clause */
/* One client: bytes in and out, TLS, and the relay to its session. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "login/login.h"

#define AUTH_LINE_MAX 16500      /* base64 of a SASL message */
#define RELAY_MAX     (64u << 10) /* bytes that wait for a slow client */
#define TURN_FILLS    16         /* reads of one client before the others */
#define LEAVE_MS      5000       /* for the last words to go out */

static void run(struct login_client *c);

/* A client that cannot be waited for goes, in the next turn. */
static void await(struct login_client *c, struct watch *w, uint32_t events)
{
    struct loop *l = &login.daemon->loop;

    if (events == 0) {
        loop_unwatch(l, w);
    } else if (loop_watch(l, w, events) < 0) {
        log_error("cannot wait for the client %s: %s", c->address,
                  strerrordesc_np(errno));
        c->state = LEAVING;
        timer_set(l, &c->timer, 0);
    }
}

/* --- the log ----------------------------------------------------------- */

static void log_where(struct login_client *c, const char *what)
{
    log_info("%s-login: %s: user=<%s>, %s%s%srip=%s, lip=%s%s, session=<%s>",
             c->protocol->name, what, c->user, c->mechanism[0] ? "method=" : "",
             c->mechanism, c->mechanism[0] ? ", " : "", c->address, c->local,
             c->is_tls ? ", TLS" : "", c->session);
}

static void log_end(struct login_client *c, const char *why)
{
    unsigned seconds = (unsigned)((clock_mono_ms() - c->since_ms) / 1000);
    /* One whose answer nobody waited for counts. */
    unsigned attempts = c->attempts + (c->ticket != 0);
    char text[300];

    if (c->state == RELAYING)
        return; /* its session tells more */
    if (attempts > 0)
        snprintf(text, sizeof text, "Disconnected: %s (auth failed, %u "
                 "attempts in %u secs)", why, attempts, seconds);
    else
        snprintf(text, sizeof text, "Disconnected: %s (no auth attempts in "
                 "%u secs)", why, seconds);
    log_where(c, text);
}

/* --- life -------------------------------------------------------------- */

static void client_free(struct login_client *c)
{
    struct loop *l = &login.daemon->loop;

    auth_forget(c);
    loop_unwatch(l, &c->watch);
    loop_unwatch(l, &c->relay);
    timer_cancel(l, &c->timer);
    timer_cancel(l, &c->resume);
    io_close(&c->session_fd);
    stream_release(&c->stream);
    list_remove(&c->link);
    explicit_bzero(c, sizeof *c);
    free(c);
    login_client_left();
}

/* Gone at once, with nothing more to say. */
static void client_drop(struct login_client *c, const char *why)
{
    if (c->state != LEAVING)
        log_end(c, why);
    client_free(c);
}

void client_dismiss(struct login_client *c, const char *why)
{
    if (c->state == LEAVING || c->state == SHAKING) {
        client_drop(c, why);
    } else {
        client_leave(c, why);
        run(c);
    }
}

static void on_timer(struct timer *t)
{
    client_dismiss(list_entry(t, struct login_client, timer), "Inactivity");
}

void client_leave(struct login_client *c, const char *why)
{
    if (c->state == LEAVING)
        return;
    log_end(c, why);
    auth_forget(c);
    c->protocol->bye(c, why);
    c->state = LEAVING;
    timer_set(&login.daemon->loop, &c->timer, LEAVE_MS);
}

void client_say(struct login_client *c, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_add_text(&c->stream.out, text);
}

bool client_bad(struct login_client *c)
{
    if (++c->bad <= login_conf.login_bad_command_limit)
        return true;
    client_leave(c, "Too many invalid commands");
    return false;
}

bool client_may_login(const struct login_client *c)
{
    return c->is_tls || !login_conf.disable_plaintext_auth;
}

/* --- before the client is known ---------------------------------------- */

/* 1: in TLS now; 0: wait; -1: the client is gone. */
static int shake(struct login_client *c, short *events)
{
    struct error err;
    int rc = tls_step(&c->stream, events, &err);
    char text[600];

    if (rc < 0) {
        key_reach();
        snprintf(text, sizeof text, "TLS handshaking: %s", err.text);
        client_drop(c, text);
    }
    if (rc <= 0)
        return rc;
    c->is_tls = true;
    c->state = COMMANDS;
    if (login_conf.login_tls_wrappermode)
        c->protocol->greet(c);
    return 1;
}

static bool answer(struct login_client *c)
{
    struct view line;
    enum stream_end end;

    switch (stream_next_line(&c->stream, AUTH_LINE_MAX, &line, &end)) {
    case STREAM_LINE:
        auth_answer(c, line);
        return true;
    case STREAM_LONG:
        client_leave(c, "Authentication line too long");
        return true;
    default:
        return false;
    }
}

/* Nothing that was said in clear may be heard as if it were said in TLS. */
static bool begin_tls(struct login_client *c)
{
    struct error err;

    c->starttls = false;
    c->name[0] = '\0';
    if (stream_pending(&c->stream)) {
        client_drop(c, "Something was sent behind STARTTLS");
        return false;
    }
    if (tls_begin(&c->stream, login.tls, c->protocol->name, &err) < 0) {
        client_drop(c, err.text);
        return false;
    }
    c->state = SHAKING;
    return true;
}

/* Read and run commands; false when the client is gone. */
static bool hear(struct login_client *c, short *events)
{
    struct error err;

    for (;;) {
        bool got = c->state == ANSWER ? answer(c) : c->protocol->command(c);

        if (got)
            stream_forget(&c->stream); /* refused or not, it had a password */
        if (c->starttls || (c->state != COMMANDS && c->state != ANSWER))
            return true;
        if (got)
            continue;
        switch (stream_fill(&c->stream, events, &err)) {
        case STREAM_LINE:
            break;
        case STREAM_AGAIN:
            return true;
        case STREAM_CLOSED:
            client_drop(c, "Connection closed");
            return false;
        default:
            client_drop(c, err.text);
            return false;
        }
    }
}

/* --- the relay --------------------------------------------------------- */

/* From the client to the session; false when there is no more to do now. */
static bool pass_in(struct login_client *c, short *events)
{
    struct view in = stream_input(&c->stream);
    struct error err;
    ssize_t n;

    if (in.len == 0) {
        enum stream_result r = stream_fill(&c->stream, events, &err);

        if (r == STREAM_AGAIN)
            return false;
        if (r != STREAM_LINE) {
            c->session_over = true; /* its session has nobody to talk to */
            return false;
        }
        in = stream_input(&c->stream);
    }
    n = send(c->session_fd, in.data, in.len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        c->session_over = true;
    if (n <= 0)
        return false;
    stream_took(&c->stream, (size_t)n);
    return true;
}

/* From the session to the client. */
static bool pass_out(struct login_client *c, short *events, bool *ended)
{
    struct error err;
    ssize_t n;

    if (c->stream.out.len < RELAY_MAX) {
        n = recv(c->session_fd, buf_room(&c->stream.out, 16384), 16384, 0);
        if (n > 0)
            c->stream.out.len += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
            *ended = true;
    } else {
        n = 0;
    }
    if (c->stream.out.len > 0 && stream_drain(&c->stream, events, &err) < 0)
        c->session_over = true;
    return n > 0 && c->stream.out.len == 0;
}

/* Pass on what there is; false when the client is gone. */
static bool relay(struct login_client *c, short *events)
{
    bool more = true, ended = false;
    short in_events = 0, out_events = 0;
    struct loop *l = &login.daemon->loop;

    for (int i = 0; more && i < TURN_FILLS; i++) {
        more = pass_in(c, &in_events);
        more = (!ended && pass_out(c, &out_events, &ended)) || more;
        if (c->session_over) {
            client_free(c);
            return false;
        }
    }
    if (ended && c->stream.out.len == 0) { /* its last word is out */
        client_free(c);
        return false;
    }
    if (ended) {
        c->state = LEAVING;
        loop_unwatch(l, &c->relay);
        io_close(&c->session_fd);
        timer_set(l, &c->timer, LEAVE_MS);
        *events = out_events;
        return true;
    }
    if (more)
        client_resume(c);
    await(c, &c->relay,
          (c->stream.out.len < RELAY_MAX ? EPOLLIN : 0u) |
              (stream_pending(&c->stream) ? EPOLLOUT : 0u));
    *events = (short)((stream_pending(&c->stream) ? 0 : in_events) |
                      (c->stream.out.len > 0 ? out_events : 0));
    stream_shrink(&c->stream);
    return true;
}

void client_relay(struct login_client *c)
{
    log_where(c, "Login");
    c->state = RELAYING;
    c->relay.fd = c->session_fd;
    timer_cancel(&login.daemon->loop, &c->timer);
}

/* --- a turn ------------------------------------------------------------ */

/* Do all that can be done now and say in *events what to wait for; false when
 * the client is gone. */
static bool advance(struct login_client *c, short *events)
{
    struct error err;
    int rc = 1;

    if (c->state == SHAKING)
        rc = shake(c, events);
    if (rc <= 0)
        return rc == 0;
    if ((c->state == COMMANDS || c->state == ANSWER) && !hear(c, events))
        return false;
    if (c->state == RELAYING)
        return relay(c, events);
    rc = c->stream.out.len > 0 ? stream_drain(&c->stream, events, &err) : 1;
    if (rc < 0 || (rc > 0 && c->state == LEAVING)) {
        client_drop(c, "Connection closed");
        return false;
    }
    if (rc > 0 && c->starttls)
        return begin_tls(c) && advance(c, events);
    if (rc > 0 && c->state == ASKING)
        *events = POLLRDHUP;
    return true;
}

static void run(struct login_client *c)
{
    short events = POLLIN;

    if (advance(c, &events))
        await(c, &c->watch, (uint32_t)events);
}

static void on_resume(struct timer *t)
{
    run(list_entry(t, struct login_client, resume));
}

/* In the next turn: the caller may be at work on the client. */
void client_resume(struct login_client *c)
{
    timer_set(&login.daemon->loop, &c->resume, 0);
}

static void on_ready(struct watch *w, uint32_t events)
{
    struct login_client *c = list_entry(w, struct login_client, watch);

    if (c->state == ASKING && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        client_drop(c, "Connection closed");
    else
        run(c);
}

static void on_session(struct watch *w, uint32_t events)
{
    (void)events;
    run(list_entry(w, struct login_client, relay));
}

/* --- the beginning ----------------------------------------------------- */

static void name_end(int fd, int (*get)(int, struct sockaddr *, socklen_t *),
                     char *text, size_t size)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a;
    socklen_t len = sizeof a;

    snprintf(text, size, "unknown");
    if (get(fd, &a.sa, &len) < 0)
        return;
    if (a.sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.in.sin_addr, text, (socklen_t)size);
    else if (a.sa.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a.in6.sin6_addr, text, (socklen_t)size);
}

static void make_session(struct login_client *c)
{
    unsigned char bytes[8];
    struct buf hex = BUF_INIT;
    ssize_t ignored = getrandom(bytes, sizeof bytes, 0);

    (void)ignored;
    encode_hex(&hex, (struct view){ (char *)bytes, sizeof bytes });
    view_copy(buf_view(&hex), c->session, sizeof c->session);
    buf_release(&hex);
}

void client_start(int fd)
{
    struct login_client *c = alloc_zero(1, sizeof *c);
    struct error err;

    c->protocol = login_conf.login_protocol == LOGIN_POP3 ? &pop3_protocol
                                                          : &imap_protocol;
    c->session_fd = -1;
    c->since_ms = clock_mono_ms();
    stream_init(&c->stream, fd, 0);
    c->watch = (struct watch){ .fd = fd, .ready = on_ready };
    c->relay = (struct watch){ .fd = -1, .ready = on_session };
    c->timer.fire = on_timer;
    c->resume.fire = on_resume;
    list_append(&login.clients, &c->link);
    name_end(fd, getpeername, c->address, sizeof c->address);
    name_end(fd, getsockname, c->local, sizeof c->local);
    make_session(c);
    timer_set(&login.daemon->loop, &c->timer,
              login_conf.login_timeout * 1000ULL);
    auth_reach();
    c->state = COMMANDS;
    if (!login_conf.login_tls_wrappermode) {
        c->protocol->greet(c);
    } else if (!login_has_tls() ||
               tls_begin(&c->stream, login.tls, c->protocol->name, &err) < 0) {
        client_drop(c, "No TLS to be had");
        return;
    } else {
        c->state = SHAKING;
    }
    run(c);
}
