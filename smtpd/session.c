/* SPDX-License-Identifier: BSD-2-Clause */
/* The dialogue: the protocol's order is the table below. */
#include <stdarg.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/log.h"
#include "smtpd/access.h"
#include "smtpd/smtpd.h"

struct smtpd_conf smtpd_conf;
struct smtp_lines smtp_lines = { .cleanup = { .fd = -1 },
                                 .mapd = { .fd = -1 },
                                 .authd = { .fd = -1 } };

enum {
    LAST = 1 << 0, /* must end a pipelined group (RFC 2920 §3.1) */
    JUNK = 1 << 1, /* brings no mail forward */
    CLEAR = 1 << 2, /* may be said before TLS where that is required */
};

static const struct smtp_command commands[] = {
    { "HELO", SMTP_ANY & ~SMTP_BDAT, LAST | CLEAR, cmd_helo },
    { "EHLO", SMTP_ANY & ~SMTP_BDAT, LAST | CLEAR, cmd_ehlo },
    { "STARTTLS", SMTP_READY, LAST | CLEAR, cmd_starttls },
    { "AUTH", SMTP_READY, LAST, cmd_auth },
    { "MAIL", SMTP_HELLO | SMTP_READY, 0, cmd_mail },
    { "RCPT", SMTP_MAIL | SMTP_RCPT, 0, cmd_rcpt },
    { "DATA", SMTP_MAIL | SMTP_RCPT, LAST, cmd_data },
    { "BDAT", SMTP_ANY, 0, cmd_bdat }, /* always eats its chunk */
    { "RSET", SMTP_ANY, JUNK | CLEAR, cmd_rset },
    { "NOOP", SMTP_ANY, JUNK | CLEAR, cmd_noop },
    { "VRFY", SMTP_ANY, JUNK | LAST, cmd_vrfy },
    { "QUIT", SMTP_ANY, LAST | CLEAR, cmd_quit },
};
#define N_COMMANDS (sizeof commands / sizeof *commands)
_Static_assert(N_COMMANDS < SMTP_COMMANDS_MAX, "room for the counters");

/* --- replies ----------------------------------------------------------- */

/* Nothing that a client said may end a line or move a cursor. */
static void make_text(struct buf *out, const char *fmt, va_list ap)
{
    char text[1000];

    vsnprintf(text, sizeof text, fmt, ap);
    for (char *c = text; *c != '\0'; c++)
        buf_add_char(out, ascii_is_control(*c) ? '?' : *c);
    if (out->len > 480)
        buf_cut(out, 480); /* RFC 5321 §4.5.3.1.5: 512 with all else */
}

static void send_reply(struct smtp_session *s, unsigned code, const char *dsn,
                       const struct buf *text)
{
    struct error err;

    if (code >= 400) {
        s->failed = true;
        s->errors++;
        if (s->errors > smtpd_conf.smtpd_soft_error_limit) {
            struct timespec ts = { smtpd_conf.smtpd_error_sleep_time, 0 };

            nanosleep(&ts, NULL);
        }
    }
    if (stream_printf(&s->stream, &err, "%u %s%s%s\r\n", code, dsn,
                      dsn[0] ? " " : "", buf_text(text)) < 0)
        smtp_end(s, END_LOST);
}

void smtp_reply(struct smtp_session *s, unsigned code, const char *dsn,
                const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    make_text(&text, fmt, ap);
    va_end(ap);
    send_reply(s, code, dsn, &text);
    buf_release(&text);
}

void smtp_reject(struct smtp_session *s, struct view rcpt, unsigned code,
                 const char *dsn, const char *fmt, ...)
{
    struct buf text = BUF_INIT, to = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    make_text(&text, fmt, ap);
    va_end(ap);
    if (rcpt.len > 0)
        buf_addf(&to, " to=<%.*s>", VIEW_ARG(rcpt));
    log_info("%s: reject: %s from %s[%s]: %u %s %s; from=<%s>%s proto=%s "
             "helo=<%s>", s->t.queue_id[0] ? s->t.queue_id : "NOQUEUE",
             s->last_verb, s->client_name, s->client_address, code, dsn,
             buf_text(&text), buf_text(&s->t.sender), buf_text(&to),
             smtp_protocol(s), s->helo);
    send_reply(s, code, dsn, &text);
    buf_release(&text);
    buf_release(&to);
}

const char *smtp_protocol(const struct smtp_session *s)
{
    static const char *const names[2][2][2] = {
        /* RFC 3848, RFC 6531 §4.3: UTF8SMTP, S for TLS, A for AUTH */
        { { "ESMTP", "ESMTPA" }, { "ESMTPS", "ESMTPSA" } },
        { { "UTF8SMTP", "UTF8SMTPA" }, { "UTF8SMTPS", "UTF8SMTPSA" } },
    };

    if (!s->is_esmtp)
        return "SMTP";
    return names[(s->t.flags & ENVELOPE_SMTPUTF8) != 0][s->is_tls]
                [s->account[0] != '\0'];
}

void smtp_end(struct smtp_session *s, enum smtp_end why)
{
    if (s->end == END_NONE)
        s->end = why;
}

/* --- transactions ------------------------------------------------------ */

static void transaction_release(struct smtp_transaction *t)
{
    buf_release(&t->sender);
    buf_release(&t->first_rcpt);
    buf_release(&t->envid);
    buf_release(&t->piece);
    *t = (struct smtp_transaction){ .last = '\n' };
}

void smtp_reset(struct smtp_session *s)
{
    struct error err;

    if (s->t.begun && smtp_lines.cleanup.fd >= 0 &&
        ipc_send(&smtp_lines.cleanup, &mail_abort_type, NULL, &err) < 0)
        ipc_release(&smtp_lines.cleanup);
    transaction_release(&s->t);
    if (s->state != SMTP_HELLO)
        s->state = SMTP_READY;
}

int smtp_need(struct smtp_session *s, const char *service, unsigned timeout,
              struct ipc *c, struct error *err)
{
    if (ipc_is_open(c))
        return 0;
    ipc_release(c);
    return service_connect(s->daemon, service, "", timeout * 1000, c, err);
}

/* --- commands ---------------------------------------------------------- */

static const struct smtp_command *find_command(struct view line,
                                               struct view *args)
{
    size_t at = view_index(line, ' ');

    *args = view_trim(view_sub(line, at, line.len));
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (view_is_nocase(view_sub(line, 0, at), commands[i].verb))
            return &commands[i];
    return NULL;
}

static void unknown_command(struct smtp_session *s, struct view line)
{
    s->last_verb = "UNKNOWN";
    if (stream_is_http(line)) {
        log_warning("non-SMTP command from %s[%s]: %.*s", s->client_name,
                    s->client_address, (int)(line.len < 100 ? line.len : 100),
                    line.data);
        smtp_reply(s, 221, "2.7.0", "Error: I can break rules, too. Goodbye.");
        smtp_end(s, END_CLOSE);
        return;
    }
    smtp_reply(s, 500, "5.5.2", "Error: command not recognized");
}

static void out_of_place(struct smtp_session *s, const struct smtp_command *c)
{
    if ((c->run == cmd_auth || c->run == cmd_starttls) &&
        s->state == SMTP_HELLO)
        smtp_reply(s, 503, "5.5.1", "Error: send EHLO first");
    else if (c->run == cmd_mail)
        smtp_reply(s, 503, "5.5.1", "Error: nested MAIL command");
    else if (c->run == cmd_rcpt || c->run == cmd_data)
        smtp_reply(s, 503, "5.5.1", "Error: need MAIL command");
    else
        smtp_reply(s, 503, "5.5.1", "Error: %s is out of place", c->verb);
}

static void dispatch(struct smtp_session *s, struct view line)
{
    struct view args;
    const struct smtp_command *c = find_command(line, &args);
    size_t i;

    s->failed = false;
    if (c == NULL) {
        unknown_command(s, line);
        return;
    }
    i = (size_t)(c - commands);
    s->last_verb = c->verb;
    s->said[i]++;
    if ((c->flags & JUNK) && ++s->junk > smtpd_conf.smtpd_junk_command_limit)
        s->errors++;
    if (!(c->states & s->state)) {
        out_of_place(s, c);
    } else if ((c->flags & LAST) && stream_pending(&s->stream) &&
               c->run != cmd_quit) {
        /* What follows was sent before our answer: it may be a message's
         * text, smuggled. Nothing of it is looked at. */
        log_info("improper command pipelining after %s from %s[%s]", c->verb,
                 s->client_name, s->client_address);
        smtp_reply(s, 554, "5.5.0", "Error: nothing may follow %s before its "
                   "reply", c->verb);
        stream_discard(&s->stream);
        smtp_end(s, END_CLOSE);
    } else if (!(c->flags & CLEAR) && tls_is_missing(s)) {
        smtp_reply(s, 530, "5.7.0", "Must issue a STARTTLS command first");
        if (c->run == cmd_bdat)
            smtp_end(s, END_CLOSE); /* its chunk would be read as commands */
    } else {
        c->run(s, args);
    }
    if (c->run == cmd_auth)
        stream_forget(&s->stream); /* refused or not, it had a password */
    if (!s->failed)
        s->good[i]++;
}

/* --- the session ------------------------------------------------------- */

static void greet(struct smtp_session *s)
{
    struct error err;

    /* Talking before the greeting is what spammers' programs do. */
    if (stream_pending(&s->stream)) {
        smtp_reply(s, 554, "5.5.0", "Error: you spoke before the greeting");
        smtp_end(s, END_CLOSE);
        return;
    }
    if (stream_printf(&s->stream, &err, "220 %s\r\n",
                      smtpd_conf.smtpd_banner) < 0)
        smtp_end(s, END_LOST);
}

/* The next command; false: none has come, or the session is over. */
static bool next_line(struct smtp_session *s, struct view *line)
{
    enum stream_result r;
    enum stream_end end;
    struct error err;

    stream_deadline(&s->stream, smtpd_conf.smtpd_timeout * 1000ULL);
    r = stream_await(&s->stream, service_wake_fd(s->daemon), &err);
    if (r == STREAM_LINE)
        r = stream_line(&s->stream, smtpd_conf.line_length_limit, line, &end,
                        &err);
    switch (r) {
    case STREAM_LINE:
        break;
    case STREAM_AGAIN:
        service_hear(s->daemon);
        return false;
    case STREAM_LONG:
        smtp_reply(s, 500, "5.5.2", "Error: line too long");
        smtp_end(s, END_CLOSE);
        return false;
    case STREAM_TIMEOUT:
        smtp_reply(s, 421, "4.4.2", "%s Error: timeout exceeded",
                   smtpd_conf.myhostname);
        smtp_end(s, END_TIMEOUT);
        return false;
    default:
        smtp_end(s, END_LOST);
        return false;
    }
    if (end == STREAM_CRLF && memchr(line->data, '\0', line->len) == NULL &&
        memchr(line->data, '\r', line->len) == NULL)
        return true;
    smtp_reply(s, 500, "5.5.2", "Error: a bare CR, a bare LF or a NUL");
    smtp_end(s, END_CLOSE);
    return false;
}

static void one_command(struct smtp_session *s)
{
    struct view line;

    if (!next_line(s, &line))
        return;
    dispatch(s, line);
    if (s->errors > smtpd_conf.smtpd_hard_error_limit) {
        smtp_reply(s, 421, "4.7.0", "%s Error: too many errors",
                   smtpd_conf.myhostname);
        smtp_end(s, END_ERRORS);
    }
}

static void log_end(const struct smtp_session *s)
{
    static const char *const why[] = { NULL, NULL, "lost connection",
                                       "timeout", "too many errors", NULL };
    struct buf line = BUF_INIT;
    unsigned said = 0, good = 0;

    if (why[s->end] != NULL)
        log_info("%s after %s from %s[%s]", why[s->end], s->last_verb,
                 s->client_name, s->client_address);
    buf_addf(&line, "disconnect from %s[%s]", s->client_name,
             s->client_address);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (s->said[i] == 0)
            continue;
        buf_add_char(&line, ' ');
        for (const char *c = commands[i].verb; *c != '\0'; c++)
            buf_add_char(&line, ascii_lower(*c));
        buf_addf(&line, s->good[i] < s->said[i] ? "=%u/%u" : "=%u",
                 s->good[i], s->said[i]);
        said += s->said[i];
        good += s->good[i];
    }
    buf_addf(&line, good < said ? " commands=%u/%u" : " commands=%u", good,
             said);
    log_info("%s", buf_text(&line));
    buf_release(&line);
}

static void make_session_id(struct smtp_session *s)
{
    unsigned char bytes[8];
    ssize_t ignored = getrandom(bytes, sizeof bytes, 0);

    (void)ignored;
    for (int i = 0; i < 8; i++)
        snprintf(s->session_id + 2 * i, 3, "%02x", bytes[i]);
}

void smtpd_prepare(struct daemon *d)
{
    struct error err;

    dns_init(&smtp_lines.dns, d, smtpd_conf.smtpd_peername_timeout * 1000);
    if (access_check(&smtpd_conf, &err) < 0)
        log_fatal("%s", err.text);
    tls_start();
}

void smtpd_serve(struct daemon *d, struct client *c)
{
    struct smtp_session s = {
        .daemon = d,
        .state = SMTP_HELLO,
        .last_verb = "CONNECT",
        .t = { .last = '\n' },
    };
    struct error err;

    stream_init(&s.stream, c->fd, smtpd_conf.smtpd_timeout * 1000);
    c->fd = -1;
    make_session_id(&s);
    smtp_name_client(&s);
    log_info("connect from %s[%s]", s.client_name, s.client_address);
    if (!smtpd_conf.smtpd_tls_wrappermode)
        greet(&s);
    else if (!tls_is_ready(&s))
        smtp_end(&s, END_CLOSE);
    else if (tls_shake(&s))
        greet(&s);
    while (s.end == END_NONE && !d->goodbye)
        one_command(&s);
    if (s.end == END_NONE) {
        smtp_reply(&s, 421, "4.3.2", "%s Error: the server is shutting down",
                   smtpd_conf.myhostname);
        smtp_end(&s, END_CLOSE);
    }
    stream_deadline(&s.stream, 5000);
    stream_flush(&s.stream, &err);
    smtp_reset(&s);
    log_end(&s);
    /* Who breaks in where passwords are heard hears nobody else's. */
    c->authenticated = smtpd_conf.smtpd_sasl_auth_enable;
    stream_release(&s.stream);
    buf_release(&s.tls_text);
}

void smtpd_rest(struct daemon *d)
{
    (void)d;
    ipc_release(&smtp_lines.cleanup);
}
