/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be known of the header, and what a submitted one lacks. */
#include "cleanup/cleanup.h"

#include "base/ascii.h"
#include "base/clock.h"

/* Take the next header field, folded lines and all, off the front; false at
 * the empty line, at the body, or at the end of what there is. */
static bool next_field(struct view *rest, struct view *field)
{
    size_t end = 0;

    if (rest->len == 0 || rest->data[0] == '\r' || rest->data[0] == '\n')
        return false;
    do {
        size_t line = view_index(view_sub(*rest, end, rest->len), '\n');

        end += line + 1;
    } while (end < rest->len &&
             (rest->data[end] == ' ' || rest->data[end] == '\t'));
    *field = view_sub(*rest, 0, end);
    *rest = view_sub(*rest, end, rest->len);
    return true;
}

static struct view field_name(struct view field)
{
    return view_trim(view_sub(field, 0, view_index(field, ':')));
}

static void learn_field(struct header_facts *h, struct view field)
{
    struct view name = field_name(field);
    struct view value = view_trim(view_sub(field, view_index(field, ':') + 1,
                                           field.len));

    if (view_is_nocase(name, "Received") ||
        view_is_nocase(name, "Delivered-To"))
        h->hops++;
    else if (view_is_nocase(name, "Date"))
        h->has_date = true;
    else if (view_is_nocase(name, "From"))
        h->has_from = true;
    else if (view_is_nocase(name, "Message-ID") && !h->has_message_id) {
        h->has_message_id = true;
        for (size_t i = 0; i < value.len && h->message_id.len < 998; i++)
            if (!ascii_is_space(value.data[i]) &&
                !ascii_is_control(value.data[i]))
                buf_add_char(&h->message_id, value.data[i]);
    }
}

int headers_learn(struct transaction *t, struct view content,
                  struct reply *reply)
{
    struct header_facts *h = &t->header;
    struct view field;

    while (next_field(&content, &field)) {
        if (field.len > cleanup_conf.header_size_limit)
            return reply_set(reply, 552, "5.3.4", "A header is longer than "
                             "%llu bytes",
                             (unsigned long long)
                                 cleanup_conf.header_size_limit);
        learn_field(h, field);
    }
    if (h->hops > cleanup_conf.hopcount_limit)
        return reply_set(reply, 554, "5.4.0", "Error: too many hops");
    if (!h->has_message_id && (t->e.flags & ENVELOPE_SUBMITTED))
        buf_addf(&h->message_id, "<%s@%s>", t->queue_id,
                 cleanup_conf.myhostname);
    return 0;
}

/* RFC 6409 §8: a submission server may add what is missing. The sender is the
 * one of the envelope, which was checked. */
void headers_missing(const struct transaction *t, struct buf *out)
{
    const struct header_facts *h = &t->header;
    time_t now = (time_t)(clock_real_us() / 1000000);
    char date[64];
    struct tm tm;

    if (!(t->e.flags & ENVELOPE_SUBMITTED))
        return;
    if (!h->has_date) {
        localtime_r(&now, &tm);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &tm);
        buf_addf(out, "Date: %s\r\n", date);
    }
    if (!h->has_from && t->e.sender.len > 0)
        buf_addf(out, "From: <%.*s>\r\n", VIEW_ARG(t->e.sender));
    if (!h->has_message_id)
        buf_addf(out, "Message-ID: %s\r\n", buf_text(&h->message_id));
}
