/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection: greeting, envelope, content (RFC 5321 §3). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utf8.h"
#include "mail/esmtp.h"
#include "net/tls.h"
#include "smtp/smtp.h"

#define REPLY_LINE_MAX  2048 /* of one line; RFC 5321 says 512 */
#define REPLY_LINES_MAX 100
#define TEXT_MAX        900 /* of a reply, kept */

enum feature {
    HAS_SIZE = 1 << 0,
    HAS_8BITMIME = 1 << 1,
    HAS_SMTPUTF8 = 1 << 2,
    HAS_DSN = 1 << 3,
    HAS_STARTTLS = 1 << 4,
};

struct reply {
    unsigned code;    /* 0: the server went away or talks nonsense */
    char dsn[17];     /* its own, or made of the code */
    struct buf text;  /* all lines, joined by blanks, visible, in UTF-8 */
};

struct dialogue {
    struct work *w;
    const struct host *host;
    struct trouble *t;
    struct stream s;
    unsigned features;
    uint64_t size_limit;
    char relay[DNS_NAME_MAX + 60]; /* "mx[192.0.2.1]:25" */
    bool *accepted;                /* recipients that RCPT accepted */
    size_t n_accepted;
    struct reply r;
    bool clear;                    /* TLS failed before: without it */
    bool tls_failed;               /* in this connection */
};

/* --- connecting -------------------------------------------------------- */

static int make_address(const struct host *h, struct sockaddr_storage *a,
                        socklen_t *len)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)a;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)a;

    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, h->address, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)h->port);
        *len = sizeof *in;
        return 0;
    }
    if (inet_pton(AF_INET6, h->address, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)h->port);
        *len = sizeof *in6;
        return 0;
    }
    return -1;
}

static int wait_connected(int fd)
{
    int problem = 0;
    socklen_t len = sizeof problem;
    int n = io_wait(fd, POLLOUT, (int)smtp_conf.smtp_connect_timeout * 1000);

    if (n == 0)
        errno = ETIMEDOUT;
    if (n <= 0)
        return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &len) == 0)
        errno = problem;
    return problem == 0 ? 0 : -1;
}

static int connect_host(struct dialogue *g)
{
    struct sockaddr_storage a;
    socklen_t len = 0;
    int fd = -1;

    if (make_address(g->host, &a, &len) == 0)
        fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    0);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&a, len) == 0 ||
                    (errno == EINPROGRESS && wait_connected(fd) == 0)))
        return fd;
    trouble_set(g->t, false, "4.4.1", "connect to %s: %s", g->relay,
                strerrordesc_np(errno));
    log_info("%s", buf_text(&g->t->text));
    io_close(&fd);
    return -1;
}

/* --- replies ----------------------------------------------------------- */

/* "5.1.1" at the front of a reply's text, if it fits the code (RFC 3463). A
 * 3xx that nobody asked for is no failure for good, and has no class. */
static void take_dsn(struct reply *r, struct view text)
{
    unsigned class = r->code / 100 == 3 ? 4 : r->code / 100;
    size_t at = view_index(text, ' ');
    struct view dsn = view_sub(text, 0, at);
    unsigned dots = 0;
    bool good = dsn.len >= 5 && dsn.len <= 11 &&
                dsn.data[0] == (char)('0' + class) &&
                dsn.data[1] == '.';

    for (size_t i = 0; good && i < dsn.len; i++) {
        dots += dsn.data[i] == '.';
        good = ascii_is_digit(dsn.data[i]) || dsn.data[i] == '.';
    }
    if (good && dots == 2)
        view_copy(dsn, r->dsn, sizeof r->dsn);
    else
        snprintf(r->dsn, sizeof r->dsn, "%u.0.0", class);
}

/* For the log and for people, as much as is sensible. */
static void add_text(struct buf *out, struct view v)
{
    struct buf shown = BUF_INIT;
    size_t room = out->len < TEXT_MAX ? TEXT_MAX - out->len : 0;

    utf8_add_visible(&shown, v);
    v = buf_view(&shown);
    buf_add_view(out, view_sub(v, 0, utf8_prefix(v, room)));
    buf_release(&shown);
}

static bool lost(struct dialogue *g, const char *during, const char *how)
{
    g->r.code = 0;
    trouble_set(g->t, false, "4.4.2", "%s with %s while %s", how, g->relay,
                during);
    log_info("%s: %s", g->w->d->queue_id, buf_text(&g->t->text));
    return false;
}

/* "250", "250 text" or "250-text", ended as it must be: what others may take
 * for one line is not to be two for us, or the other way round. */
static bool is_reply_line(struct view line, enum stream_end end,
                          uint64_t *code)
{
    return end == STREAM_CRLF && memchr(line.data, '\0', line.len) == NULL &&
           view_number(view_sub(line, 0, 3), 599, code) && *code >= 200 &&
           (line.len == 3 || line.data[3] == ' ' || line.data[3] == '-');
}

/* Read a whole reply; false when there is none. `line_seen` is told of each
 * line's text. */
static bool read_reply(struct dialogue *g, const char *during,
                       unsigned seconds,
                       void (*line_seen)(struct dialogue *, struct view))
{
    struct reply *r = &g->r;

    buf_reset(&r->text);
    r->code = 0;
    stream_deadline(&g->s, seconds * 1000ULL);
    for (unsigned n = 0; n < REPLY_LINES_MAX; n++) {
        struct view line;
        enum stream_end end;
        struct error err;
        uint64_t code;
        enum stream_result got = stream_line(&g->s, REPLY_LINE_MAX, &line,
                                             &end, &err);

        if (got == STREAM_TIMEOUT)
            return lost(g, during, "conversation timed out");
        if (got != STREAM_LINE)
            return lost(g, during, "lost connection");
        if (!is_reply_line(line, end, &code))
            return lost(g, during, "protocol error");
        /* Lines of one reply have one code (RFC 5321 §4.2.1); of those that
         * have not, the last counts, and then its status as well. */
        if (r->code != code) {
            r->code = (unsigned)code;
            take_dsn(r, view_sub(line, 4, line.len));
        }
        if (n > 0)
            buf_add_char(&r->text, ' ');
        add_text(&r->text, line);
        if (line_seen != NULL)
            line_seen(g, view_sub(line, 4, line.len));
        if (line.len < 4 || line.data[3] == ' ')
            return true;
    }
    return lost(g, during, "reply of too many lines");
}

static bool command(struct dialogue *g, const char *during, unsigned seconds,
                    const struct buf *line)
{
    struct error err;

    if (stream_write(&g->s, buf_view(line), &err) < 0 ||
        stream_write(&g->s, VIEW("\r\n"), &err) < 0)
        return lost(g, during, "lost connection");
    return read_reply(g, during, seconds, NULL);
}

/* --- results ----------------------------------------------------------- */

/* The server's words decide about a recipient. */
static void result(struct dialogue *g, size_t i, const char *in_reply_to)
{
    struct buf text = BUF_INIT, diag = BUF_INIT;
    struct agent_status s = {
        .status = g->r.code / 100 == 2 ? RCPT_DELIVERED
                : g->r.code / 100 == 5 ? RCPT_BOUNCED : RCPT_DEFERRED,
        .dsn = g->r.dsn,
        .relay = g->relay,
        .remote = view_of(g->host->name),
        .relayed = !(g->features & HAS_DSN),
    };

    if (s.status == RCPT_DELIVERED)
        buf_add_view(&text, buf_view(&g->r.text));
    else
        buf_addf(&text, "host %s[%s] said: %s (in reply to %s)",
                 g->host->name, g->host->address, buf_text(&g->r.text),
                 in_reply_to);
    buf_addf(&diag, "smtp; %s", buf_text(&g->r.text));
    s.text = buf_view(&text);
    s.diag = buf_view(&diag);
    work_result(g->w, i, &s);
    buf_release(&text);
    buf_release(&diag);
}

/* The same for all that are left (and, if asked for, were accepted). */
static void result_all(struct dialogue *g, bool only_accepted,
                       const char *in_reply_to)
{
    for (size_t i = 0; i < g->w->d->n_rcpts; i++)
        if (!g->w->done[i] && (!only_accepted || g->accepted[i]))
            result(g, i, in_reply_to);
}

/* A server that does not want us at all: the next one may. */
static bool refused(struct dialogue *g, const char *in_reply_to)
{
    trouble_set(g->t, g->r.code / 100 == 5, g->r.dsn,
                "host %s[%s] said: %s (in reply to %s)", g->host->name,
                g->host->address, buf_text(&g->r.text), in_reply_to);
    return false;
}

/* --- the dialogue ------------------------------------------------------ */

static void note_feature(struct dialogue *g, struct view line)
{
    struct view word;
    uint64_t limit;

    if (!view_word(&line, " ", &word))
        return;
    if (view_is_nocase(word, "8BITMIME"))
        g->features |= HAS_8BITMIME;
    else if (view_is_nocase(word, "SMTPUTF8"))
        g->features |= HAS_SMTPUTF8;
    else if (view_is_nocase(word, "DSN"))
        g->features |= HAS_DSN;
    else if (view_is_nocase(word, "STARTTLS"))
        g->features |= HAS_STARTTLS;
    else if (view_is_nocase(word, "SIZE")) {
        g->features |= HAS_SIZE;
        if (view_number(view_trim(line), UINT64_MAX, &limit))
            g->size_limit = limit;
    }
}

static bool hello(struct dialogue *g)
{
    struct buf line = BUF_INIT;
    struct error err;
    bool ok;

    g->features = 0;
    g->size_limit = 0;
    if (stream_printf(&g->s, &err, "EHLO %s\r\n", smtp_conf.smtp_helo_name) <
        0)
        return lost(g, "sending EHLO", "lost connection");
    if (!read_reply(g, "performing the EHLO handshake",
                    smtp_conf.smtp_helo_timeout, note_feature))
        return false;
    if (g->r.code / 100 == 2)
        return true;
    g->features = 0;
    buf_addf(&line, "HELO %s", smtp_conf.smtp_helo_name);
    ok = command(g, "performing the HELO handshake",
                 smtp_conf.smtp_helo_timeout, &line);
    buf_release(&line);
    return ok && (g->r.code / 100 == 2 || refused(g, "HELO command"));
}

static bool greet(struct dialogue *g)
{
    if (!read_reply(g, "receiving the initial server greeting",
                    smtp_conf.smtp_helo_timeout, NULL))
        return false;
    if (g->r.code / 100 != 2)
        return refused(g, "initial greeting");
    return hello(g);
}

/* --- TLS (RFC 3207) ---------------------------------------------------- */

static bool no_tls(struct dialogue *g, const char *why)
{
    g->tls_failed = true;
    trouble_set(g->t, false, "4.7.5", "TLS with %s: %s", g->relay, why);
    return false;
}

static bool shake(struct dialogue *g)
{
    struct buf text = BUF_INIT;
    struct error err;

    g->s.timeout_ms = smtp_conf.smtp_starttls_timeout * 1000;
    if (tls_connect(&g->s, g->host->name,
                    smtp_conf.smtp_tls_security_level == TLS_VERIFY
                        ? TLS_TRUSTED : TLS_ANYONE, &err) < 0) {
        log_info("SSL_connect error to %s: %s", g->relay, err.text);
        return no_tls(g, err.text);
    }
    g->s.timeout_ms = smtp_conf.smtp_helo_timeout * 1000;
    tls_describe(&g->s, &text);
    log_info("%s TLS connection established to %s: %s",
             tls_is_trusted(&g->s) ? "Verified" : "Untrusted", g->relay,
             buf_text(&text));
    buf_release(&text);
    return hello(g);
}

/* As the level says; an offer is never refused, but it may fail. */
static bool protect(struct dialogue *g)
{
    struct buf line = BUF_INIT;
    bool ok;

    if (smtp_conf.smtp_tls_security_level == TLS_NONE || g->clear)
        return true;
    if (!(g->features & HAS_STARTTLS)) {
        if (smtp_conf.smtp_tls_security_level == TLS_MAY)
            return true;
        trouble_set(g->t, false, "4.7.4", "TLS is required, but was not "
                    "offered by host %s", g->relay);
        log_info("%s: %s", g->w->d->queue_id, buf_text(&g->t->text));
        return false;
    }
    buf_add_text(&line, "STARTTLS");
    ok = command(g, "sending STARTTLS", smtp_conf.smtp_starttls_timeout,
                 &line);
    buf_release(&line);
    if (!ok)
        return false;
    /* Whoever put it there wants it to be taken for what comes inside. */
    if (g->r.code == 220 && stream_pending(&g->s))
        return lost(g, "starting TLS", "text in clear behind the reply");
    if (g->r.code == 220)
        return shake(g);
    if (smtp_conf.smtp_tls_security_level == TLS_MAY)
        return true;
    return refused(g, "STARTTLS command");
}

/* What this message needs and this server does not have. */
static bool can_take(struct dialogue *g)
{
    const struct delivery_begin *b = &g->w->d->begin;
    struct agent_status s = { .status = RCPT_BOUNCED, .relay = g->relay,
                              .remote = view_of(g->host->name) };

    if ((b->flags & ENVELOPE_SMTPUTF8) && !(g->features & HAS_SMTPUTF8)) {
        s.dsn = "5.6.7";
        s.text = VIEW("SMTPUTF8 is required, but was not offered by the "
                      "server");
    } else if (g->size_limit > 0 && b->content_len > g->size_limit) {
        s.dsn = "5.3.4";
        s.text = VIEW("message size exceeds the limit of the server");
    } else {
        return true;
    }
    for (size_t i = 0; i < g->w->d->n_rcpts; i++)
        work_result(g->w, i, &s);
    return false;
}

static bool send_mail(struct dialogue *g)
{
    const struct delivery_begin *b = &g->w->d->begin;
    struct buf line = BUF_INIT;
    bool ok;

    buf_addf(&line, "MAIL FROM:<%.*s>", VIEW_ARG(b->sender));
    if (g->features & HAS_SIZE)
        buf_addf(&line, " SIZE=%llu", (unsigned long long)b->content_len);
    if ((g->features & HAS_8BITMIME) && (b->flags & ENVELOPE_8BITMIME))
        buf_add_text(&line, " BODY=8BITMIME");
    if (b->flags & ENVELOPE_SMTPUTF8)
        buf_add_text(&line, " SMTPUTF8");
    if ((g->features & HAS_DSN) && b->ret != ENVELOPE_RET_NONE)
        buf_addf(&line, " RET=%s",
                 b->ret == ENVELOPE_RET_FULL ? "FULL" : "HDRS");
    if ((g->features & HAS_DSN) && b->envid.len > 0)
        buf_addf(&line, " ENVID=%.*s", VIEW_ARG(b->envid));
    ok = command(g, "sending MAIL FROM", smtp_conf.smtp_mail_timeout, &line);
    buf_release(&line);
    if (ok && g->r.code / 100 != 2) {
        result_all(g, false, "MAIL FROM command");
        return false;
    }
    return ok;
}

static void add_notify(struct buf *line, uint32_t notify)
{
    static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE",
                                         "DELAY" };
    const char *before = " NOTIFY=";

    for (unsigned i = 0; i < 4; i++) {
        if (notify & (1u << i)) {
            buf_addf(line, "%s%s", before, words[i]);
            before = ",";
        }
    }
}

static bool send_rcpt(struct dialogue *g, size_t i)
{
    const struct delivery_rcpt *r = &g->w->d->rcpts[i];
    struct buf line = BUF_INIT;
    bool ok;

    buf_addf(&line, "RCPT TO:<%.*s>", VIEW_ARG(r->address));
    if (g->features & HAS_DSN) {
        add_notify(&line, r->notify);
        if (r->orcpt.len > 0)
            buf_addf(&line, " ORCPT=%.*s", VIEW_ARG(r->orcpt));
    }
    ok = command(g, "sending RCPT TO", smtp_conf.smtp_mail_timeout, &line);
    buf_release(&line);
    if (!ok)
        return false;
    g->accepted[i] = g->r.code / 100 == 2;
    g->n_accepted += g->accepted[i];
    if (!g->accepted[i])
        result(g, i, "RCPT TO command");
    return true;
}

static void send_data(struct dialogue *g)
{
    struct buf line = BUF_INIT;
    struct error err;
    bool ok;

    buf_add_text(&line, "DATA");
    ok = command(g, "sending DATA command", smtp_conf.smtp_mail_timeout,
                 &line);
    buf_release(&line);
    if (!ok)
        return;
    if (g->r.code / 100 != 3) {
        result_all(g, true, "DATA command");
        return;
    }
    if (content_send(&g->s, &g->w->d->begin, &err) < 0) {
        lost(g, "sending message body", "lost connection");
        return;
    }
    if (!read_reply(g, "sending end of data -- message may be sent more than "
                    "once", smtp_conf.smtp_data_done_timeout, NULL))
        return;
    result_all(g, true, "end of DATA command");
}

static void converse(struct dialogue *g)
{
    struct buf quit = BUF_INIT;

    if (!greet(g) || !protect(g) || !can_take(g) || !send_mail(g))
        return;
    for (size_t i = 0; i < g->w->d->n_rcpts; i++)
        if (!g->w->done[i] && !send_rcpt(g, i))
            return;
    if (g->n_accepted > 0)
        send_data(g);
    buf_add_text(&quit, "QUIT");
    if (g->r.code != 0 && g->w->left == 0)
        command(g, "sending QUIT", 5, &quit);
    buf_release(&quit);
}

static bool run_once(struct work *w, const struct host *h, struct trouble *t,
                     bool clear)
{
    struct dialogue g = { .w = w, .host = h, .t = t, .clear = clear };
    int fd;

    snprintf(g.relay, sizeof g.relay, "%s[%s]:%u", h->name, h->address,
             h->port);
    fd = connect_host(&g);
    if (fd < 0)
        return true;
    w->d->connected_us = clock_real_us();
    stream_init(&g.s, fd, smtp_conf.smtp_helo_timeout * 1000);
    g.accepted = alloc_zero(w->d->n_rcpts, sizeof(bool));
    converse(&g);
    free(g.accepted);
    buf_release(&g.r.text);
    stream_release(&g.s);
    return !g.tls_failed;
}

/* Opportunistic TLS (RFC 7435): a handshake that fails is no reason not to
 * send what would have gone in clear anyway. */
void dialogue_run(struct work *w, const struct host *h, struct trouble *t)
{
    if (!run_once(w, h, t, false) &&
        smtp_conf.smtp_tls_security_level == TLS_MAY) {
        buf_reset(&t->text);
        run_once(w, h, t, true);
    }
}
