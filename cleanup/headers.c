/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be known of the header, and what a submitted one lacks. */
#include "base/ascii.h"
#include "base/clock.h"
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/header_write.h"

#define MESSAGE_ID_MAX 998 /* a line's length (RFC 5322 §2.1.1) */

static void keep_message_id(struct header_facts *h, struct view value)
{
    h->has_message_id = true;
    for (size_t i = 0; i < value.len && h->message_id.len < MESSAGE_ID_MAX;
         i++)
        if (!ascii_is_space(value.data[i]) &&
            !ascii_is_control(value.data[i]))
            buf_add_char(&h->message_id, value.data[i]);
}

/* What is added comes after the trace fields, so that these stay one block
 * (RFC 5321 §4.4). */
static void learn_place(struct header_facts *h, struct view content,
                        const struct header_field *f)
{
    size_t at = (size_t)(f->raw.data - content.data);

    if (at == h->trace_end && view_is_nocase(f->name, "Received"))
        h->trace_end = at + f->raw.len;
}

static void learn_field(struct header_facts *h, const struct header_field *f)
{
    if (view_is_nocase(f->name, "Received") ||
        view_is_nocase(f->name, "Delivered-To"))
        h->hops++;
    else if (view_is_nocase(f->name, "Date"))
        h->has_date = true;
    else if (view_is_nocase(f->name, "From"))
        h->has_from = true;
    else if (view_is_nocase(f->name, "Message-ID") && !h->has_message_id)
        keep_message_id(h, f->value);
}

int headers_learn(struct transaction *t, struct view content,
                  struct reply *reply)
{
    struct header_facts *h = &t->header;
    struct header_walk w;
    struct header_field f;

    header_start(&w, content, HEADER_FIELDS_MAX);
    while (header_next(&w, &f)) {
        if (f.raw.len > cleanup_conf.header_size_limit)
            return reply_set(reply, 552, "5.3.4", "A header is longer than "
                             "%llu bytes",
                             (unsigned long long)
                                 cleanup_conf.header_size_limit);
        learn_place(h, content, &f);
        learn_field(h, &f);
    }
    if (h->hops > cleanup_conf.hopcount_limit)
        return reply_set(reply, 554, "5.4.0", "Error: too many hops");
    if (!h->has_message_id && (t->e.flags & ENVELOPE_SUBMITTED))
        buf_addf(&h->message_id, "<%s@%s>", t->queue_id,
                 cleanup_conf.myhostname);
    return 0;
}

static void add(const struct transaction *t, struct buf *out,
                const char *name, const struct buf *value)
{
    struct error err;

    if (header_write_structured(out, name, buf_view(value), &err) < 0)
        log_warning("%s: %s", t->queue_id, err.text);
}

/* RFC 6409 §8: a submission server may add what is missing. The sender is the
 * one of the envelope, which was checked. */
static void add_missing(const struct transaction *t, struct buf *out)
{
    const struct header_facts *h = &t->header;

    if (!(t->e.flags & ENVELOPE_SUBMITTED))
        return;
    if (!h->has_date) {
        struct buf date = BUF_INIT;

        date_format(&date, date_local((int64_t)(clock_real_us() / 1000000)));
        add(t, out, "Date", &date);
        buf_release(&date);
    }
    if (!h->has_from && t->e.sender.len > 0) {
        struct buf from = BUF_INIT;

        buf_addf(&from, "<%.*s>", VIEW_ARG(t->e.sender));
        add(t, out, "From", &from);
        buf_release(&from);
    }
    if (!h->has_message_id)
        add(t, out, "Message-ID", &h->message_id);
}

static bool is_dropped(const struct header_field *f)
{
    struct view rest = view_of(cleanup_conf.message_drop_headers), name;

    while (view_word(&rest, ", \t", &name))
        if (view_eq_nocase(name, f->name))
            return true;
    return false;
}

size_t headers_write(const struct transaction *t, struct view content,
                     struct buf *out)
{
    size_t end = t->header.trace_end;
    struct header_walk w;
    struct header_field f;

    buf_add_view(out, view_sub(content, 0, end));
    add_missing(t, out);
    header_start(&w, view_sub(content, end, content.len), HEADER_FIELDS_MAX);
    while (header_next(&w, &f)) {
        if (!is_dropped(&f))
            buf_add_view(out, f.raw);
        end += f.raw.len;
    }
    return end;
}
