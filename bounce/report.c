/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notification as a message: multipart/report (RFC 6522) of a text for
 * people, message/delivery-status (RFC 3464) for programs, and the message or
 * its header.
 */
#include "base/clock.h"
#include "base/io.h"
#include "base/utf8.h"
#include "bounce/bounce.h"
#include "mail/date.h"
#include "mail/esmtp.h"

static void put_date(struct buf *out, uint64_t us)
{
    date_format(out, date_local((int64_t)(us / 1000000)));
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
    const char *host = bounce_conf.myhostname;

    buf_add_text(out, "Date: ");
    put_date(out, clock_real_us());
    buf_addf(out, "\r\nFrom: MAILER-DAEMON@%s (Mail Delivery System)\r\n",
             host);
    buf_addf(out, "Subject: %s\r\n", subject(n->kind));
    buf_addf(out, "To: %.*s\r\n", VIEW_ARG(q->e.sender));
    buf_add_text(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    buf_addf(out, "Content-Type: multipart/report; "
             "report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n\r\n",
             boundary);
    buf_add_text(out, "This is a MIME-encapsulated message.\r\n");
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

static void put_text_part(struct buf *out, const struct notification *n,
                          const struct qfile *q)
{
    buf_addf(out, "Content-Description: Notification\r\n"
             "Content-Type: text/plain; charset=utf-8\r\n\r\n"
             "This is the mail system at host %s.\r\n\r\n%s",
             bounce_conf.myhostname, explanation(n->kind));
    for (size_t i = 0; i < n->n_fates; i++) {
        const struct fate *f = &n->fates[i];

        buf_addf(out, "\r\n<%.*s>: %s\r\n",
                 VIEW_ARG(q->rcpts[f->index].r.address), f->text);
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
    buf_addf(out, "%s: %s; %.*s\r\n", field,
             utf8_has_high(v) ? "utf-8" : "rfc822", VIEW_ARG(v));
}

/* What came as xtext is told as what it stands for (RFC 3461 section 6.3);
 * smtpd has taken nothing that cannot be decoded. */
static void put_xtext(struct buf *out, struct view v)
{
    struct error err;

    if (esmtp_xtext_decode(out, v, &err) < 0)
        buf_add_view(out, v);
    buf_add_text(out, "\r\n");
}

/* ORCPT is a type and an address in xtext: "rfc822;ann+2Bx@one.example". */
static void put_orcpt(struct buf *out, struct view orcpt)
{
    struct view type;

    view_cut(&orcpt, ';', &type);
    buf_addf(out, "Original-Recipient: %.*s; ", VIEW_ARG(type));
    put_xtext(out, orcpt);
}

static void put_fate(struct buf *out, const struct notification *n,
                     const struct fate *f, const struct envelope_rcpt *r)
{
    buf_add_text(out, "\r\n");
    if (r->orcpt.len > 0)
        put_orcpt(out, r->orcpt);
    else if (r->original.len > 0)
        put_address(out, "Original-Recipient", r->original);
    put_address(out, "Final-Recipient", r->address);
    buf_addf(out, "Action: %s\r\nStatus: %s\r\n", action(n, f), f->dsn);
    if (f->remote[0] != '\0')
        buf_addf(out, "Remote-MTA: dns; %s\r\n", f->remote);
    if (n->kind != BOUNCE_SUCCESS)
        buf_addf(out, "Diagnostic-Code: %s%s\r\n",
                 f->diag[0] ? "" : "X-Postern; ",
                 f->diag[0] ? f->diag : f->text);
    if (n->kind == BOUNCE_DELAY) {
        buf_add_text(out, "Will-Retry-Until: ");
        put_date(out, n->will_retry_us);
        buf_add_text(out, "\r\n");
    }
}

static void put_status_part(struct buf *out, const struct notification *n,
                            const struct qfile *q)
{
    buf_addf(out, "Content-Description: Delivery report\r\n"
             "Content-Type: message/delivery-status\r\n\r\n"
             "Reporting-MTA: dns; %s\r\n", bounce_conf.myhostname);
    if (q->e.envid.len > 0) {
        buf_add_text(out, "Original-Envelope-Id: ");
        put_xtext(out, q->e.envid);
    }
    buf_addf(out, "X-Postern-Queue-ID: %s\r\nArrival-Date: ", n->queue_id);
    put_date(out, q->arrival_us);
    buf_add_text(out, "\r\n");
    for (size_t i = 0; i < n->n_fates; i++)
        put_fate(out, n, &n->fates[i], &q->rcpts[n->fates[i].index].r);
}

/* --- the message ------------------------------------------------------- */

/* How much of the message is its header, the empty line not included. */
static size_t header_length(struct view v)
{
    const char *end = v.len > 0 ? memmem(v.data, v.len, "\r\n\r\n", 4) : NULL;

    return end ? (size_t)(end - v.data) + 2 : v.len;
}

static int put_message_part(struct buf *out, const struct notification *n,
                            const struct qfile *q, struct error *err)
{
    uint64_t limit = bounce_conf.bounce_size_limit;
    size_t len = (size_t)(q->content_len < limit ? q->content_len : limit);
    bool whole = len == q->content_len && n->kind == BOUNCE_FAILURE &&
                 q->e.ret != ENVELOPE_RET_HDRS;
    struct buf text = BUF_INIT;
    int rc = io_pread_all(n->fd, buf_room(&text, len), len, q->content_offset,
                          n->queue_id, err);

    if (rc == 0) {
        text.len = whole ? len
                         : header_length((struct view){ text.data, len });
        buf_addf(out, "Content-Description: Undelivered Message%s\r\n"
                 "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
                 whole ? "" : " Headers",
                 whole ? "message/rfc822" : "text/rfc822-headers",
                 utf8_has_high(buf_view(&text)) ? "8bit" : "7bit");
        buf_add_view(out, buf_view(&text));
    }
    buf_release(&text);
    return rc;
}

int report_write(struct buf *out, const struct notification *n,
                 const struct qfile *q, struct error *err)
{
    char boundary[100];

    /* The id is new and in no message yet, so the boundary is in none. */
    snprintf(boundary, sizeof boundary, "%s.%llu/%.60s", n->queue_id,
             (unsigned long long)clock_real_us(), bounce_conf.myhostname);
    put_header(out, n, q, boundary);
    buf_addf(out, "\r\n--%s\r\n", boundary);
    put_text_part(out, n, q);
    buf_addf(out, "\r\n--%s\r\n", boundary);
    put_status_part(out, n, q);
    buf_addf(out, "\r\n--%s\r\n", boundary);
    if (put_message_part(out, n, q, err) < 0)
        return -1;
    buf_addf(out, "\r\n--%s--\r\n", boundary);
    return 0;
}
