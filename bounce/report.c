/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notification as a message: multipart/report (RFC 6522) of a text for
 * people, message/delivery-status (RFC 3464) for programs, and the message or
 * its header; of those whose sender speaks SMTPUTF8, RFC 6533's types, where
 * there is more in them than ASCII.
 */
#include "bounce/bounce.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utf8.h"
#include "mail/date.h"
#include "mail/esmtp.h"
#include "mail/header_write.h"

#define FIELD_MAX 4000 /* bytes of a field's value */
#define LINE_AIM  76   /* of text for people */
#define WORD_MAX  900

/* One field, of the header or of the status. What cannot be one, since a server
 * said a word longer than a line, is left out. */
__attribute__((format(printf, 3, 4)))
static void put_field(struct buf *out, const char *name, const char *fmt, ...)
{
    char value[FIELD_MAX + 1];
    struct error err;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (header_write_structured(out, name, view_of(value), &err) < 0)
        log_warning("a notification lacks a field: %s", err.text);
}

static void put_date(struct buf *out, const char *name, uint64_t us)
{
    struct buf date = BUF_INIT;

    date_format(&date, date_local((int64_t)(us / 1000000)));
    put_field(out, name, "%s", buf_text(&date));
    buf_release(&date);
}

/* --- header ------------------------------------------------------------ */

static const char *subject(enum bounce_kind kind)
{
    switch (kind) {
    case BOUNCE_FAILURE:
        return "Undelivered Mail Returned to Sender";
    case BOUNCE_DELAY:
        return "Delayed Mail (still being retried)";
    default:
        return "Successful Mail Delivery Report";
    }
}

static void put_header(struct buf *out, const struct notification *n,
                       const struct qfile *q, const char *boundary)
{
    put_date(out, "Date", clock_real_us());
    put_field(out, "From", "MAILER-DAEMON@%s (Mail Delivery System)",
              bounce_conf.myhostname);
    put_field(out, "Subject", "%s", subject(n->kind));
    put_field(out, "To", "%.*s", VIEW_ARG(q->e.sender));
    put_field(out, "Auto-Submitted", "auto-replied");
    put_field(out, "MIME-Version", "1.0");
    put_field(out, "Content-Type", "multipart/report; "
              "report-type=delivery-status; boundary=\"%s\"", boundary);
    buf_add_text(out, "\r\nThis is a MIME-encapsulated message.\r\n");
}

/* --- for people -------------------------------------------------------- */

static const char *explanation(enum bounce_kind kind)
{
    switch (kind) {
    case BOUNCE_FAILURE:
        return "I'm sorry to have to inform you that your message could not "
               "be\r\ndelivered to one or more recipients. It is attached "
               "below.\r\n\r\nFor further assistance, please send mail to "
               "postmaster.\r\n";
    case BOUNCE_DELAY:
        return "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR "
               "MESSAGE.\r\n\r\nYour message could not be delivered yet. It "
               "will be tried again\r\nuntil it is too old.\r\n";
    default:
        return "Your message was delivered to the destinations below. A "
               "destination\r\nthat does not report deliveries is said to be "
               "relayed to.\r\n";
    }
}

/* Text for people, in lines that are not too long: at a blank where there is
 * one, else where the line is full. */
static void put_wrapped(struct buf *out, struct view text)
{
    size_t column = 0;
    struct view word;

    while (view_word(&text, " ", &word)) {
        if (column > 0 && column + 1 + word.len > LINE_AIM) {
            buf_add_text(out, "\r\n   ");
            column = 3;
        }
        if (column > 0)
            buf_add_char(out, ' ');
        while (word.len > WORD_MAX) {
            size_t part = utf8_prefix(word, WORD_MAX);

            buf_add_view(out, view_sub(word, 0, part));
            buf_add_text(out, "\r\n    ");
            word = view_sub(word, part, word.len);
        }
        buf_add_view(out, word);
        column += 1 + word.len;
    }
    buf_add_text(out, "\r\n");
}

/* --- parts ------------------------------------------------------------- */

static void put_part(struct buf *out, const char *boundary,
                     const char *description, const char *type,
                     const struct buf *content)
{
    buf_addf(out, "\r\n--%s\r\n", boundary);
    put_field(out, "Content-Description", "%s", description);
    put_field(out, "Content-Type", "%s", type);
    put_field(out, "Content-Transfer-Encoding", "%s",
              utf8_has_high(buf_view(content)) ? "8bit" : "7bit");
    buf_add_text(out, "\r\n");
    buf_add_view(out, buf_view(content));
}

static void put_text(struct buf *out, const struct notification *n,
                     const struct qfile *q)
{
    buf_addf(out, "This is the mail system at host %s.\r\n\r\n%s",
             bounce_conf.myhostname, explanation(n->kind));
    for (size_t i = 0; i < n->n_fates; i++) {
        const struct fate *f = &n->fates[i];
        struct buf line = BUF_INIT;

        buf_addf(&line, "<%.*s>: %s",
                 VIEW_ARG(q->rcpts[f->index].r.address), f->text);
        buf_add_text(out, "\r\n");
        put_wrapped(out, buf_view(&line));
        buf_release(&line);
    }
}

/* --- for programs ------------------------------------------------------ */

static const char *action(const struct notification *n, const struct fate *f)
{
    switch (n->kind) {
    case BOUNCE_FAILURE:
        return "failed";
    case BOUNCE_DELAY:
        return "delayed";
    default:
        return f->relayed ? "relayed" : "delivered";
    }
}

/* RFC 6533 §3: an address that is not ASCII is of the type utf-8. */
static void put_address(struct buf *out, const char *field, struct view v)
{
    put_field(out, field, "%s; %.*s", utf8_has_high(v) ? "utf-8" : "rfc822",
              VIEW_ARG(v));
}

/* What came as xtext is told as what it stands for (RFC 3461 section 6.3);
 * smtpd has taken nothing that cannot be decoded. */
static void put_xtext(struct buf *out, const char *field, struct view type,
                      struct view v)
{
    struct buf text = BUF_INIT;
    struct error err;

    if (esmtp_xtext_decode(&text, v, &err) < 0)
        buf_add_view(&text, v);
    put_field(out, field, "%.*s%s%s", VIEW_ARG(type), type.len > 0 ? "; " : "",
              buf_text(&text));
    buf_release(&text);
}

/* ORCPT is a type and an address in xtext: "rfc822;ann+2Bx@one.example". */
static void put_orcpt(struct buf *out, struct view orcpt)
{
    struct view type;

    view_cut(&orcpt, ';', &type);
    put_xtext(out, "Original-Recipient", type, orcpt);
}

/* In ASCII, for whoever knows nothing else. */
static void put_diagnostic(struct buf *out, const struct fate *f,
                           bool is_global)
{
    const char *text = f->diag[0] ? f->diag : f->text;
    struct buf plain = BUF_INIT;

    for (const char *c = text; *c != '\0' && !is_global; c++)
        if (((unsigned char)*c & 0xc0) != 0x80) /* once a character */
            buf_add_char(&plain, (unsigned char)*c < 0x80 ? *c : '?');
    put_field(out, "Diagnostic-Code", "%s%s", f->diag[0] ? "" : "X-Postern; ",
              is_global ? text : buf_text(&plain));
    buf_release(&plain);
}

static void put_fate(struct buf *out, const struct notification *n,
                     const struct fate *f, const struct envelope_rcpt *r,
                     bool is_global)
{
    buf_add_text(out, "\r\n");
    if (r->orcpt.len > 0)
        put_orcpt(out, r->orcpt);
    else if (r->original.len > 0)
        put_address(out, "Original-Recipient", r->original);
    put_address(out, "Final-Recipient", r->address);
    put_field(out, "Action", "%s", action(n, f));
    put_field(out, "Status", "%s", f->dsn);
    if (f->remote[0] != '\0')
        put_field(out, "Remote-MTA", "dns; %s", f->remote);
    if (n->kind != BOUNCE_SUCCESS)
        put_diagnostic(out, f, is_global);
    if (n->kind == BOUNCE_DELAY)
        put_date(out, "Will-Retry-Until", n->will_retry_us);
}

static void put_status(struct buf *out, const struct notification *n,
                       const struct qfile *q)
{
    put_field(out, "Reporting-MTA", "dns; %s", bounce_conf.myhostname);
    if (q->e.envid.len > 0)
        put_xtext(out, "Original-Envelope-Id", VIEW(""), q->e.envid);
    put_field(out, "X-Postern-Queue-ID", "%s", n->queue_id);
    put_date(out, "Arrival-Date", q->arrival_us);
    for (size_t i = 0; i < n->n_fates; i++)
        put_fate(out, n, &n->fates[i], &q->rcpts[n->fates[i].index].r,
                 q->e.flags & ENVELOPE_SMTPUTF8);
}

/* --- the message ------------------------------------------------------- */

/* How much of the message is its header, the empty line not included. */
static size_t header_length(struct view v)
{
    const char *end = v.len > 0 ? memmem(v.data, v.len, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - v.data) + 2 : v.len;
}

/* The message, or its header: what of it is to be returned. */
static int read_message(struct buf *text, const struct notification *n,
                        const struct qfile *q, bool *whole, struct error *err)
{
    uint64_t limit = bounce_conf.bounce_size_limit;
    size_t len = (size_t)(q->content_len < limit ? q->content_len : limit);

    *whole = len == q->content_len && n->kind == BOUNCE_FAILURE &&
             q->e.ret != ENVELOPE_RET_HDRS;
    if (io_pread_all(n->fd, buf_room(text, len), len, q->content_offset,
                     n->queue_id, err) < 0)
        return -1;
    text->len = *whole ? len
                       : header_length((struct view){ text->data, len });
    return 0;
}

static const char *message_type(const struct qfile *q, const struct buf *text,
                                bool whole)
{
    struct view v = buf_view(text);
    bool is_global = (q->e.flags & ENVELOPE_SMTPUTF8) &&
                     utf8_has_high(view_sub(v, 0, header_length(v)));

    if (whole)
        return is_global ? "message/global" : "message/rfc822";
    return is_global ? "message/global-headers" : "text/rfc822-headers";
}

int report_write(struct buf *out, const struct notification *n,
                 const struct qfile *q, struct error *err)
{
    struct buf part = BUF_INIT;
    char boundary[100];
    bool whole;
    int rc;

    /* The id is new and in no message yet, so the boundary is in none. */
    snprintf(boundary, sizeof boundary, "%s.%llu/%.60s", n->queue_id,
             (unsigned long long)clock_real_us(), bounce_conf.myhostname);
    put_header(out, n, q, boundary);
    put_text(&part, n, q);
    put_part(out, boundary, "Notification", "text/plain; charset=utf-8",
             &part);
    buf_reset(&part);
    put_status(&part, n, q);
    put_part(out, boundary, "Delivery report", utf8_has_high(buf_view(&part))
                 ? "message/global-delivery-status"
                 : "message/delivery-status", &part);
    buf_reset(&part);
    rc = read_message(&part, n, q, &whole, err);
    if (rc == 0)
        put_part(out, boundary, whole ? "Undelivered Message"
                                      : "Undelivered Message Headers",
                 message_type(q, &part, whole), &part);
    buf_addf(out, "\r\n--%s--\r\n", boundary);
    buf_release(&part);
    return rc;
}
