/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP sessions, whole: what a client says to smtpd, and what becomes of it.
 *
 * The first byte says how the server is set up and how the text is cut into
 * pieces. What cleanup and mapd answer is told by the addresses: "later",
 * "gone", "junk", "no" in them; "@else" is not ours.
 *
 * What must hold: only clean content in the right order reaches cleanup;
 * there are no more messages than ends of data; no stranger relays; replies
 * are replies.
 */
#include "smtpd/smtpd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/ascii.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/others.h"

enum {
    BY_MARKS = 1, /* else by lines */
    REMOTE = 2,
    NAMED = 4,    /* its name is looked up */
    NEEDS_TLS = 8,
    NEEDS_HELO = 16,
    NO_UTF8 = 32,
};

/* What cleanup knows of the session. */
static struct {
    bool begun, remote;
    unsigned rcpts, messages;
    struct buf content;
} mail;

static bool has(struct view v, const char *word)
{
    return memmem(v.data, v.len, word, strlen(word)) != NULL;
}

/* Lines in CR LF, and neither in any other place; no NUL. */
static bool is_clean(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        bool after_cr = i > 0 && v.data[i - 1] == '\r';

        if (v.data[i] == '\0' || (v.data[i] == '\n') != after_cr)
            return false;
    }
    return view_ends(v, "\r\n");
}

/* --- cleanup ----------------------------------------------------------- */

static void reply(struct ipc *line, unsigned code)
{
    struct mail_reply r = {
        .code = code,
        .dsn = code == 250 ? VIEW("2.0.0") : code < 500 ? VIEW("4.3.0")
                                                        : VIEW("5.1.1"),
        .text = VIEW("as the input wants it"),
        .queue_id = VIEW("0123456789ABCDEF"),
    };

    others_say(line, &mail_reply_type, &r);
}

static void on_rcpt(struct ipc *line, const struct ipc_packet *p)
{
    struct mail_rcpt r;
    struct address a;
    struct error err;

    others_decode(p, &mail_rcpt_type, &r);
    MUST(mail.begun);
    MUST(address_parse(r.address, ADDRESS_SMTPUTF8, &a, &err) == 0);
    MUST(!mail.remote || !has(r.address, "@else"));
    MUST(mail.content.len == 0);
    if (has(r.address, "gone")) {
        ipc_release(line);
        mail.begun = false;
    } else if (has(r.address, "junk")) {
        others_babble(line);
        mail.begun = false;
    } else if (has(r.address, "no")) {
        reply(line, 550);
    } else {
        mail.rcpts++;
        reply(line, 250);
    }
}

static void on_content(struct ipc *line, const struct ipc_packet *p)
{
    struct mail_content c;
    off_t size;
    bool refused;

    others_decode(p, &mail_content_type, &c);
    MUST(mail.begun && mail.rcpts > 0 && c.fd >= 0);
    MUST(fcntl(c.fd, F_GET_SEALS) ==
         (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
    size = lseek(c.fd, 0, SEEK_END);
    MUST(size >= 0 && (uint64_t)size <= smtpd_conf.content_memory_limit);
    MUST(pread(c.fd, buf_room(&mail.content, (size_t)size), (size_t)size,
               0) == size);
    mail.content.len += (size_t)size;
    refused = has(buf_view(&mail.content), "refuse");
    if (c.last) {
        MUST(view_starts(buf_view(&mail.content), "Received: from "));
        MUST(is_clean(buf_view(&mail.content)));
        mail.messages++;
    }
    if (c.last || refused) {
        mail.begun = false;
        mail.rcpts = 0;
        buf_reset(&mail.content);
    }
    reply(line, refused ? 554 : 250);
}

static void cleanup_answer(struct ipc *line, const struct ipc_packet *p)
{
    int id = ipc_id(p->bytes);
    struct mail_begin b;

    if (id == mail_begin_type.id) {
        others_decode(p, &mail_begin_type, &b);
        mail.begun = true;
    } else if (id == mail_rcpt_type.id) {
        on_rcpt(line, p);
        return;
    } else if (id == mail_content_type.id) {
        on_content(line, p);
        return;
    } else {
        MUST(id == mail_abort_type.id);
        mail.begun = false;
    }
    mail.rcpts = 0;
    buf_reset(&mail.content);
}

/* --- mapd, authd, dnsd ------------------------------------------------- */

static void mapd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct resolve_ask ask;
    struct resolve_answer a = { .result = RESOLVE_OK,
                                .class = CLASS_VIRTUAL };

    others_decode(p, &resolve_ask_type, &ask);
    if (has(ask.address, "later"))
        a.result = RESOLVE_LATER;
    if (has(ask.address, "@else"))
        a.class = CLASS_DEFAULT;
    if (has(ask.address, "@mute"))
        ipc_release(line);
    else
        others_say(line, &resolve_answer_type, &a);
}

static void auth_done(struct ipc *line, uint32_t ticket, struct view data)
{
    struct auth_done d = {
        .ticket = ticket,
        .result = has(data, "right") ? AUTH_OK
                  : has(data, "bad") ? AUTH_MALFORMED
                                     : AUTH_WRONG,
        .account = VIEW("ann@one.example"),
        .name = VIEW("ann"),
    };

    if (d.result == AUTH_OK)
        mail.remote = false; /* it is one of ours now */
    others_say(line, &auth_done_type, &d);
}

static void authd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct auth_challenge c = { .data = VIEW("say more") };
    struct auth_begin b;
    struct auth_response r;
    struct sender_ask ask;
    struct sender_answer s = { .allowed = true };

    if (ipc_id(p->bytes) == auth_begin_type.id) {
        others_decode(p, &auth_begin_type, &b);
        c.ticket = b.ticket;
        if (b.has_initial)
            auth_done(line, b.ticket, b.data);
        else
            others_say(line, &auth_challenge_type, &c);
    } else if (ipc_id(p->bytes) == auth_response_type.id) {
        others_decode(p, &auth_response_type, &r);
        c.ticket = r.ticket;
        if (has(r.data, "more"))
            others_say(line, &auth_challenge_type, &c);
        else
            auth_done(line, r.ticket, r.data);
    } else if (ipc_id(p->bytes) == sender_ask_type.id) {
        others_decode(p, &sender_ask_type, &ask);
        MUST(view_is(ask.account, "ann@one.example"));
        s.allowed = !has(ask.sender, "else");
        others_say(line, &sender_answer_type, &s);
    } else {
        MUST(ipc_id(p->bytes) == auth_cancel_type.id);
    }
}

static void dnsd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct dns_ask ask;
    struct dns_answer a = { .result = DNS_OK };

    others_decode(p, &dns_ask_type, &ask);
    a.ticket = ask.ticket;
    a.records = ask.kind == DNS_PTR ? VIEW("client.example\n")
                                    : VIEW("192.0.2.1\n");
    others_say(line, &dns_answer_type, &a);
}

static const struct other others[] = {
    { "cleanup", cleanup_answer }, { "mapd", mapd_answer },
    { "authd", authd_answer }, { "dnsd", dnsd_answer },
    { NULL, NULL },
};

/* --- the session ------------------------------------------------------- */

/* Each line is "250 text" or "250-text", no longer than RFC 5321 allows. */
static void check_replies(struct view heard)
{
    struct view line;

    MUST(heard.len == 0 || view_ends(heard, "\r\n"));
    while (view_cut(&heard, '\n', &line) && heard.data != NULL) {
        MUST(line.len >= 5 && line.len <= 511 && view_ends(line, "\r"));
        MUST(line.data[0] >= '2' && line.data[0] <= '5' &&
             ascii_is_digit(line.data[1]) && ascii_is_digit(line.data[2]));
        MUST(line.data[3] == ' ' || line.data[3] == '-');
        for (size_t i = 0; i + 1 < line.len; i++)
            MUST(!ascii_is_control(line.data[i]));
    }
}

static unsigned count(struct view text, const char *word)
{
    unsigned n = 0;
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        n += view_starts_nocase(view_sub(text, i, text.len), word);
    return n;
}

/* Messages end at a dot alone in its line, or with a last chunk. */
static unsigned count_ends(struct view text, bool marks)
{
    struct buf said = BUF_INIT;
    unsigned n;

    buf_add_text(&said, "\r\n");
    for (size_t i = 0; i < text.len; i++)
        if (!marks || text.data[i] != '|')
            buf_add_char(&said, text.data[i]);
    n = count(buf_view(&said), "\r\n.\r\n") + count(buf_view(&said), "last");
    buf_release(&said);
    return n;
}

static void set_up(struct daemon *d)
{
    fuzz_configure(smtpd_params, &smtpd_conf,
                   "myhostname = mx.one.example\n"
                   "smtpd_sasl_auth_enable = yes\n"
                   "smtpd_tls_auth_only = no\n"
                   "smtpd_tls_security_level = none\n"
                   "smtpd_soft_error_limit = 1000\n"
                   "smtpd_recipient_limit = 5\n"
                   "smtpd_junk_command_limit = 5\n"
                   "message_size_limit = 3000\n");
    smtpd_conf.content_memory_limit = 1000; /* several pieces a message */
    others_begin(d, -1, others);
    smtpd_prepare(d);
}

static void session(struct daemon *d, struct view text, unsigned how)
{
    struct client c = { .fd = guest_begin(text, how & BY_MARKS ? GUEST_MARKED
                                                               : GUEST_LINES) };

    smtpd_conf.smtpd_peername_lookup = how & NAMED;
    smtpd_conf.smtpd_tls_security_level = how & NEEDS_TLS ? TLS_ENCRYPT
                                                          : TLS_NONE;
    smtpd_conf.smtpd_helo_required = how & NEEDS_HELO;
    smtpd_conf.smtputf8_enable = !(how & NO_UTF8);
    mail.remote = how & REMOTE;
    mail.messages = 0;
    if (mail.remote)
        guest_is_remote();
    smtpd_serve(d, &c);
    MUST(c.fd == -1);
    check_replies(guest_heard());
    MUST(mail.messages <= count_ends(text, how & BY_MARKS));
    MUST(!mail.begun);
    guest_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct daemon d;

    if (d.control_line.fd == 0)
        set_up(&d);
    if (len == 0)
        return 0;
    session(&d, fuzz_text(data + 1, len - 1), data[0]);
    ipc_release(&smtp_lines.cleanup);
    ipc_release(&smtp_lines.mapd);
    ipc_release(&smtp_lines.authd);
    dns_release(&smtp_lines.dns);
    buf_release(&mail.content);
    others_settle();
    fuzz_closed_all();
    return 0;
}
