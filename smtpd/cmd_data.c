/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DATA and BDAT (RFC 5321 §4.1.1.4, RFC 3030): content, piece by piece into
 * sealed memory files, to cleanup. The end of data is CR LF . CR LF and
 * nothing else (security.md R1); a chunk is a counted number of bytes (R3).
 */
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memfd.h"
#include "mail/date.h"
#include "smtpd/smtpd.h"

/* --- to cleanup -------------------------------------------------------- */

/* What cleanup answered; `later` when it could not be asked. */
static void take_answer(struct mail_reply *r, const struct error *err)
{
    log_warning("cannot reach cleanup: %s", err->text);
    *r = (struct mail_reply){ .code = 451, .dsn = VIEW("4.3.0"),
                              .text = VIEW("Error: queue not available") };
}

/* Send the piece at hand; false when cleanup refused it (the answer is in
 * `r`, whose texts live until the next message of cleanup). */
static bool send_piece(struct smtp_session *s, bool last, struct mail_reply *r)
{
    struct mail_content msg = { -1, last };
    struct error err;
    int rc = -1;

    msg.fd = memfd_new("content", &err);
    if (msg.fd >= 0 &&
        io_write_all(msg.fd, s->t.piece.data, s->t.piece.len, "content",
                     &err) == 0 &&
        memfd_seal(msg.fd, &err) == 0)
        rc = ipc_call(&smtp_lines.cleanup, &mail_content_type, &msg,
                      &mail_reply_type, r, &err);
    io_close(&msg.fd);
    buf_reset(&s->t.piece);
    if (rc < 0) {
        take_answer(r, &err);
        ipc_release(&smtp_lines.cleanup);
        s->t.begun = false;
    }
    return r->code == 250;
}

/* --- refusing ---------------------------------------------------------- */

/* The first reason stands: what follows is read and thrown away until the
 * client has said all, and then it is told. */
struct refusal {
    unsigned code;
    char dsn[17], text[401];
};

static void refuse(struct smtp_session *s, struct refusal *why, unsigned code,
                   const char *dsn, const char *text)
{
    if (s->t.doomed)
        return;
    s->t.doomed = true;
    why->code = code;
    snprintf(why->dsn, sizeof why->dsn, "%s", dsn);
    snprintf(why->text, sizeof why->text, "%s", text);
}

static void refuse_as(struct smtp_session *s, struct refusal *why,
                      const struct mail_reply *r)
{
    char dsn[17], text[401];

    view_copy(r->dsn, dsn, sizeof dsn);
    view_copy(r->text, text, sizeof text);
    refuse(s, why, r->code, dsn, text);
}

/* Take content that is known to be clean. */
static void keep(struct smtp_session *s, struct view v, struct refusal *why)
{
    struct smtp_transaction *t = &s->t;
    struct mail_reply r;

    if (t->doomed)
        return;
    t->size += v.len;
    if (t->size > smtpd_conf.message_size_limit) {
        refuse(s, why, 552, "5.3.4", "Error: message file too big");
        return;
    }
    while (v.len > 0 && !t->doomed) {
        size_t room = smtpd_conf.content_memory_limit - t->piece.len;
        size_t n = v.len < room ? v.len : room;

        buf_add(&t->piece, v.data, n);
        v = view_sub(v, n, v.len);
        if (t->piece.len == smtpd_conf.content_memory_limit &&
            !send_piece(s, false, &r))
            refuse_as(s, why, &r);
    }
}

/* --- Received ---------------------------------------------------------- */

/* RFC 5321 §4.4. The one recipient is named when there is only one: others
 * are nobody's business. */
static void write_received(struct smtp_session *s)
{
    struct buf *b = &s->t.piece;

    buf_addf(b, "Received: from %s (%s [%s%s])\r\n",
             s->helo[0] ? s->helo : "unknown", s->client_name,
             strchr(s->client_address, ':') ? "IPv6:" : "", s->client_address);
    if (s->is_tls)
        buf_addf(b, "\t(using %s)\r\n", buf_text(&s->tls_text));
    if (s->account[0] != '\0')
        buf_add_text(b, "\t(Authenticated sender)\r\n");
    else if (s->is_local)
        buf_addf(b, "\t(from userid %u)\r\n", s->uid);
    buf_addf(b, "\tby %s (%s) with %s id %s", smtpd_conf.myhostname,
             smtpd_conf.mail_name, smtp_protocol(s), s->t.queue_id);
    if (s->t.n_rcpts == 1)
        buf_addf(b, "\r\n\tfor <%s>", buf_text(&s->t.first_rcpt));
    buf_add_text(b, ";\r\n\t");
    date_format(b, date_local((int64_t)(clock_real_us() / 1000000)));
    buf_add_text(b, "\r\n");
}

/* --- the end ----------------------------------------------------------- */

static void finish(struct smtp_session *s, const struct refusal *why)
{
    struct mail_reply r;
    char dsn[17];

    if (s->t.doomed) {
        smtp_reject(s, VIEW(""), why->code, why->dsn, "%s", why->text);
    } else if (send_piece(s, true, &r)) {
        s->t.begun = false; /* cleanup is ready for the next */
        smtp_reply(s, 250, "2.0.0", "%.*s", VIEW_ARG(r.text));
    } else {
        view_copy(r.dsn, dsn, sizeof dsn);
        s->t.begun = false;
        smtp_reject(s, VIEW(""), r.code, dsn, "%.*s", VIEW_ARG(r.text));
    }
    smtp_reset(s);
}

static bool has_rcpt(struct smtp_session *s)
{
    if (s->t.n_rcpts > 0)
        return true;
    smtp_reply(s, 554, "5.5.1", "Error: no valid recipients");
    return false;
}

/* --- DATA -------------------------------------------------------------- */

/* Is a line of content, its LF included, free of bare CR, bare LF and NUL? */
static bool is_clean(struct view line)
{
    return line.len >= 2 && line.data[line.len - 2] == '\r' &&
           memchr(line.data, '\r', line.len - 2) == NULL &&
           memchr(line.data, '\0', line.len) == NULL;
}

/* One whole line, with its LF; true when it was the end. */
static bool data_line(struct smtp_session *s, struct view line,
                      struct refusal *why)
{
    if (line.len == 3 && memcmp(line.data, ".\r\n", 3) == 0 &&
        s->t.last == '\n')
        return true;
    if (!is_clean(line)) {
        refuse(s, why, 550, "5.6.0", "Error: a bare CR, a bare LF or a NUL in "
               "the message");
        /* Only a line that ended in CR LF can be followed by the end. */
        s->t.last = line.len >= 2 && line.data[line.len - 2] == '\r' ? '\n'
                                                                     : 'x';
        return false;
    }
    if (line.data[0] == '.' && s->t.last == '\n')
        line = view_sub(line, 1, line.len); /* RFC 5321 §4.5.2 */
    s->t.last = '\n';
    keep(s, line, why);
    return false;
}


static bool lost(struct smtp_session *s, enum stream_result r)
{
    s->last_verb = "DATA";
    smtp_end(s, r == STREAM_TIMEOUT ? END_TIMEOUT : END_LOST);
    return false;
}

/* Read until the end of data; false when the client is gone. */
static bool read_data(struct smtp_session *s, struct refusal *why)
{
    struct buf line = BUF_INIT;
    struct view data, rest;
    struct error err;
    bool ended = false;

    while (!ended) {
        enum stream_result r = stream_some(&s->stream, &data, &err);
        size_t at;

        if (r != STREAM_LINE) {
            buf_release(&line);
            return lost(s, r);
        }
        rest = data;
        while (!ended && (at = view_index(rest, '\n')) < rest.len) {
            struct view one = view_sub(rest, 0, at + 1);

            if (line.len > 0) {
                buf_add_view(&line, one);
                one = buf_view(&line);
            }
            ended = data_line(s, one, why);
            buf_reset(&line);
            rest = view_sub(rest, at + 1, rest.len);
        }
        if (ended) {
            stream_unread(&s->stream, rest.len);
        } else if (line.len + rest.len > smtpd_conf.message_size_limit) {
            refuse(s, why, 552, "5.3.4", "Error: message file too big");
            s->t.last = 'x';
            buf_reset(&line);
        } else {
            buf_add_view(&line, rest);
        }
    }
    buf_release(&line);
    return true;
}

void cmd_data(struct smtp_session *s, struct view args)
{
    struct refusal why = { .code = 0 };

    if (args.len > 0) {
        smtp_reply(s, 501, "5.5.4", "Syntax: DATA");
        return;
    }
    if (!has_rcpt(s))
        return;
    smtp_reply(s, 354, "", "End data with <CR><LF>.<CR><LF>");
    write_received(s);
    s->t.last = '\n';
    stream_deadline(&s->stream, smtpd_conf.smtpd_data_timeout * 1000ULL);
    if (!read_data(s, &why))
        return;
    if (s->t.doomed && why.code == 550)
        smtp_end(s, END_CLOSE); /* what follows may be smuggled */
    finish(s, &why);
}

/* --- BDAT -------------------------------------------------------------- */

static bool parse_bdat(struct view args, uint64_t *size, bool *last)
{
    struct view number, word, extra;

    if (!view_word(&args, " ", &number) ||
        !view_number(number, UINT64_MAX, size))
        return false;
    *last = view_word(&args, " ", &word);
    return (!*last || view_is_nocase(word, "LAST")) &&
           !view_word(&args, " ", &extra);
}

/* Chunks need not end at line ends: what was the last byte is kept. */
static bool chunk_is_clean(struct smtp_session *s, struct view v)
{
    char before = s->t.last;

    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (c == '\0' || (c == '\n') != (before == '\r'))
            return false;
        before = c;
    }
    s->t.last = before;
    return true;
}

/* Read exactly `size` bytes, whatever they are; false when the client is
 * gone. Only a counter decides where the chunk ends. */
static bool read_chunk(struct smtp_session *s, uint64_t size,
                       struct refusal *why)
{
    while (size > 0) {
        struct view data, mine;
        struct error err;
        enum stream_result r = stream_some(&s->stream, &data, &err);

        if (r != STREAM_LINE)
            return lost(s, r);
        mine = view_sub(data, 0, size < data.len ? (size_t)size : data.len);
        stream_unread(&s->stream, data.len - mine.len);
        size -= mine.len;
        if (!s->t.doomed && !chunk_is_clean(s, mine))
            refuse(s, why, 550, "5.6.0", "Error: a bare CR, a bare LF or a "
                   "NUL in the message");
        keep(s, mine, why);
    }
    return true;
}

void cmd_bdat(struct smtp_session *s, struct view args)
{
    struct refusal why = { .code = 0 };
    uint64_t size;
    bool last;

    if (!parse_bdat(args, &size, &last)) {
        /* We cannot know where the chunk would end. */
        smtp_reply(s, 501, "5.5.4", "Syntax: BDAT count [LAST]");
        smtp_end(s, END_CLOSE);
        return;
    }
    stream_deadline(&s->stream, smtpd_conf.smtpd_data_timeout * 1000ULL);
    if (s->state == SMTP_HELLO || s->state == SMTP_READY)
        refuse(s, &why, 503, "5.5.1", "Error: need MAIL command");
    else if (s->t.n_rcpts == 0)
        refuse(s, &why, 554, "5.5.1", "Error: no valid recipients");
    else if (s->state != SMTP_BDAT && !s->t.doomed)
        write_received(s);
    if (!s->t.doomed && size > smtpd_conf.message_size_limit - s->t.size)
        refuse(s, &why, 552, "5.3.4", "Error: message file too big");
    if (s->t.doomed && size > smtpd_conf.message_size_limit) {
        /* More than any message may have is not worth skipping over. */
        finish(s, &why);
        smtp_end(s, END_CLOSE);
        return;
    }
    if (!s->t.doomed)
        s->state = SMTP_BDAT;
    if (!read_chunk(s, size, &why))
        return;
    if (last && !s->t.doomed && s->t.last != '\n')
        refuse(s, &why, 550, "5.6.0", "Error: the message does not end with "
               "a line's end");
    if (s->t.doomed || last)
        finish(s, &why);
    else
        smtp_reply(s, 250, "2.0.0", "Ok: %llu bytes",
                   (unsigned long long)size);
}
