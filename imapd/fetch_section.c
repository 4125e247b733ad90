/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "imapd/fetch.h"
#include "mail/bodystructure.h"
#include "mail/decode.h"
#include "mail/header.h"

#define CHUNK      65536
#define INDEX_FULL 60000 /* an indexed header this long may be cut */

/* --- loading ----------------------------------------------------------- */

static enum fetch_result open_file(struct imap_session *s,
                                   struct fetch_message *m, struct error *err)
{
    if (m->fd < 0)
        m->fd = mailbox_file(s->box, m->index, &m->len, &m->bare, err);
    if (m->fd >= 0)
        return FETCH_OK;
    return s->box->entries[m->index].is_gone ? FETCH_GONE : FETCH_FAILED;
}

static enum fetch_result parse(struct imap_session *s,
                               struct fetch_message *m, struct error *err)
{
    enum fetch_result r = open_file(s, m, err);
    struct mime_source src;

    if (r != FETCH_OK || m->is_parsed)
        return r;
    src = mime_source_file(m->fd, 0, m->len, "a message");
    if (mime_parse(&m->mime, &src, MIME_LIMITS_DEFAULT, err) < 0)
        return FETCH_FAILED;
    m->is_parsed = true;
    return FETCH_OK;
}

static bool wants_root_fields(const struct fetch *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].is_root_fields)
            return true;
    return false;
}

enum fetch_result fetch_message_load(struct imap_session *s,
                                     const struct fetch *f,
                                     struct fetch_message *m,
                                     struct error *err)
{
    enum fetch_result r = FETCH_OK;

    if (wants_root_fields(f)) {
        int got = mailbox_fact(s->box, m->index, MAILBOX_HEADER, &m->header,
                               err);

        if (got <= 0)
            return got == 0 ? FETCH_GONE : FETCH_FAILED;
        if (m->header.len >= INDEX_FULL)
            r = parse(s, m, err);
    }
    if (r == FETCH_OK && f->needs_file)
        r = open_file(s, m, err);
    if (r == FETCH_OK && f->needs_mime)
        r = parse(s, m, err);
    return r;
}

void fetch_message_release(struct fetch_message *m)
{
    io_close(&m->fd);
    if (m->is_parsed)
        mime_release(&m->mime);
    m->is_parsed = false;
    buf_reset(&m->header);
}

/* --- saying it --------------------------------------------------------- */

/* What of `size` bytes is asked for: *from and how many. */
static uint64_t cut(const struct fetch_item *item, uint64_t size,
                    uint64_t *from)
{
    *from = 0;
    if (!item->is_partial)
        return size;
    *from = item->from < size ? item->from : size;
    return item->count < size - *from ? item->count : size - *from;
}

static void say_literal(struct imap_session *s, uint64_t size)
{
    imap_say(s, "{%llu}\r\n", (unsigned long long)size);
}

static void say_text(struct imap_session *s, const struct fetch_item *item,
                     struct view text)
{
    uint64_t from, n = cut(item, text.len, &from);

    say_literal(s, n);
    imap_say_view(s, view_sub(text, (size_t)from, (size_t)(from + n)));
}

static void broken(struct imap_session *s, const struct error *err)
{
    log_error("imap(%s): a message cannot be read: %s", s->account, err->text);
    imap_end(s, IMAP_BYE);
}

/* `left` bytes of the client's view of the range, which is the file's bytes
 * with each line end made CRLF, behind the first `skip`. */
static void say_converted(struct imap_session *s, const struct fetch_message *m,
                          struct bodystructure_range r, uint64_t skip,
                          uint64_t left)
{
    char chunk[CHUNK], last = 0;
    struct buf out = BUF_INIT;

    while (left > 0 && r.len > 0 && s->end == IMAP_GOING_ON) {
        size_t n = r.len < sizeof chunk ? (size_t)r.len : sizeof chunk;
        struct error err;
        size_t from, to;

        if (io_pread_all(m->fd, chunk, n, r.offset, "a message", &err) < 0) {
            broken(s, &err);
            break;
        }
        r.offset += n;
        r.len -= n;
        buf_reset(&out);
        decode_crlf((struct view){ chunk, n }, &last, &out);
        from = skip < out.len ? (size_t)skip : out.len;
        to = left < out.len - from ? from + (size_t)left : out.len;
        skip -= from;
        left -= to - from;
        imap_say_view(s, view_sub(buf_view(&out), from, to));
    }
    buf_release(&out);
}

static void say_bytes(struct imap_session *s, const struct fetch_message *m,
                      uint64_t offset, uint64_t left)
{
    char chunk[CHUNK];

    while (left > 0 && s->end == IMAP_GOING_ON) {
        size_t n = left < sizeof chunk ? (size_t)left : sizeof chunk;
        struct error err;

        if (io_pread_all(m->fd, chunk, n, offset, "a message", &err) < 0) {
            broken(s, &err);
            return;
        }
        offset += n;
        left -= n;
        imap_say_view(s, (struct view){ chunk, n });
    }
}

static void say_range(struct imap_session *s, const struct fetch_item *item,
                      const struct fetch_message *m,
                      struct bodystructure_range r)
{
    uint64_t from, n = cut(item, r.len + r.bare, &from);

    say_literal(s, n);
    if (r.bare == 0)
        say_bytes(s, m, r.offset + from, n);
    else
        say_converted(s, m, r, from, n);
}

/* --- header fields ----------------------------------------------------- */

static bool is_named(const struct fetch *f, const struct fetch_item *item,
                     struct view name)
{
    for (size_t i = 0; i < item->n_fields; i++)
        if (view_eq_nocase(name, f->fields[item->first_field + i]))
            return true;
    return false;
}

static void say_fields(struct imap_session *s, const struct fetch *f,
                       const struct fetch_item *item, struct view header)
{
    struct buf out = BUF_INIT;
    struct header_walk w;
    struct header_field field;
    char last = 0;

    header_start(&w, header, HEADER_FIELDS_MAX);
    while (header_next(&w, &field))
        if (is_named(f, item, field.name) != item->is_not)
            decode_crlf(field.raw, &last, &out);
    if (out.len > 0 && !view_ends(buf_view(&out), "\n"))
        buf_add_text(&out, "\r\n"); /* a message that ends in its header */
    buf_add_text(&out, "\r\n");
    s->counts.headers++;
    s->counts.header_bytes += out.len;
    say_text(s, item, buf_view(&out));
    buf_release(&out);
}

static void say_fields_of_range(struct imap_session *s, const struct fetch *f,
                                const struct fetch_item *item,
                                const struct fetch_message *m,
                                struct bodystructure_range r)
{
    struct buf header = BUF_INIT;
    struct error err;
    bool whole;

    if (header_load(m->fd, r.offset, r.offset + r.len, HEADER_SIZE_MAX,
                    &header, &whole, "a message", &err) < 0)
        broken(s, &err);
    else
        say_fields(s, f, item, buf_view(&header));
    buf_release(&header);
}

void fetch_section(struct imap_session *s, const struct fetch *f,
                   const struct fetch_item *item, struct fetch_message *m)
{
    struct bodystructure_range r = { 0, m->len, m->bare };
    enum bodystructure_section what = SECTION_BYTES;

    imap_say_view(s, span_view(&f->labels, item->label));
    imap_say_view(s, VIEW(" "));
    if (item->is_root_fields && !m->is_parsed) {
        say_fields(s, f, item, buf_view(&m->header));
        return;
    }
    if (item->section.len > 0)
        what = bodystructure_find(&m->mime, item->section, &r);
    switch (what) {
    case SECTION_FIELDS:
        say_fields_of_range(s, f, item, m, r);
        return;
    case SECTION_BYTES:
        s->counts.bodies++;
        s->counts.body_bytes += r.len;
        say_range(s, item, m, r);
        return;
    default:
        imap_say_view(s, VIEW("NIL"));
    }
}
