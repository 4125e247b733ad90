/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/bodystructure.h"

#include "mail/imap_string.h"
#include "mail/lex.h"
#include "mail/mailbox_list.h"

static void add_number(struct buf *out, uint64_t n)
{
    buf_addf(out, "%llu", (unsigned long long)n);
}

/* A string, or NIL if the span is empty. */
static void add_span(struct buf *out, const struct mime *m, struct span s)
{
    imap_string_add_or_nil(out, mime_text(m, s));
}

/* --- ENVELOPE ---------------------------------------------------------- */

static void add_address(struct buf *out, const struct mailbox_list *l,
                        const struct mailbox *b)
{
    struct view name = mailbox_list_text(l, b->name);
    struct view local = mailbox_list_text(l, b->local);
    struct view domain = mailbox_list_text(l, b->domain);

    if (b->kind == MAILBOX_GROUP_END) {
        buf_add_text(out, "(NIL NIL NIL NIL)");
        return;
    }
    if (b->kind == MAILBOX_GROUP_START) {
        buf_add_text(out, "(NIL NIL ");
        imap_string_add(out, name);
        buf_add_text(out, " NIL)");
        return;
    }
    buf_add_char(out, '(');
    imap_string_add_or_nil(out, name);
    buf_add_char(out, ' ');
    imap_string_add_or_nil(out, mailbox_list_text(l, b->route));
    /* NIL would make this the start or end of a group; clients know the words
     * that Dovecot uses. */
    buf_add_char(out, ' ');
    imap_string_add(out, local.len > 0 ? local : VIEW("MISSING_MAILBOX"));
    buf_add_char(out, ' ');
    imap_string_add(out, domain.len > 0 ? domain : VIEW("MISSING_DOMAIN"));
    buf_add_char(out, ')');
}

/* False if the list was cut. */
static bool add_addresses(struct buf *out, struct view value)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;
    bool whole;

    mailbox_list_parse(&l, value, MAILBOX_LIST_MAX);
    whole = !l.truncated;
    if (l.count == 0) {
        buf_add_text(out, "NIL");
    } else {
        buf_add_char(out, '(');
        for (size_t i = 0; i < l.count; i++)
            add_address(out, &l, &l.list[i]);
        buf_add_char(out, ')');
    }
    mailbox_list_release(&l);
    return whole;
}

/* Without a Sender or Reply-To the server puts From there. */
static struct view addresses_of(const struct mime *m,
                                const struct mime_envelope *e,
                                enum mime_envelope_field field)
{
    struct view value = mime_text(m, e->value[field]);

    if (value.len == 0 && (field == MIME_SENDER || field == MIME_REPLY_TO))
        value = mime_text(m, e->value[MIME_FROM]);
    return value;
}

bool bodystructure_envelope(struct buf *out, const struct mime *m,
                            const struct mime_part *p)
{
    const struct mime_envelope *e = &m->envelopes[p->envelope];
    bool whole = true;

    buf_add_char(out, '(');
    for (unsigned i = 0; i < MIME_ENVELOPE_FIELDS; i++) {
        if (i > 0)
            buf_add_char(out, ' ');
        if (i >= MIME_FROM && i <= MIME_BCC)
            whole &= add_addresses(out, addresses_of(m, e, i));
        else if (e->has & (1u << i))
            imap_string_add(out, mime_text(m, e->value[i]));
        else
            buf_add_text(out, "NIL");
    }
    buf_add_char(out, ')');
    return whole;
}

/* --- BODYSTRUCTURE ----------------------------------------------------- */

static void add_params(struct buf *out, const struct mime *m,
                       struct mime_params list)
{
    if (list.count == 0) {
        buf_add_text(out, "NIL");
        return;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        const struct mime_param *p = &m->params[list.first + i];

        buf_add_char(out, i == 0 ? '(' : ' ');
        imap_string_add(out, mime_text(m, p->name));
        buf_add_char(out, ' ');
        imap_string_add(out, mime_text(m, p->value));
    }
    buf_add_char(out, ')');
}

static void add_disposition(struct buf *out, const struct mime *m,
                            const struct mime_part *p)
{
    if (p->disposition.len == 0) {
        buf_add_text(out, "NIL");
        return;
    }
    buf_add_char(out, '(');
    add_span(out, m, p->disposition);
    buf_add_char(out, ' ');
    add_params(out, m, p->disposition_params);
    buf_add_char(out, ')');
}

/* One tag is a string, several are a list (body-fld-lang). */
static void add_languages(struct buf *out, struct view value)
{
    struct buf tags = BUF_INIT;
    unsigned count = 0;

    while (value.len > 0) {
        struct view tag;

        lex_skip(&value, NULL);
        tag = lex_token(&value);
        if (tag.len > 0) {
            if (count++ > 0)
                buf_add_char(&tags, ' ');
            imap_string_add(&tags, tag);
        } else if (value.len > 0) {
            value = view_sub(value, 1, value.len); /* a comma, or junk */
        }
    }
    if (count == 0)
        buf_add_text(out, "NIL");
    else if (count == 1)
        buf_add_view(out, buf_view(&tags));
    else
        buf_addf(out, "(%.*s)", VIEW_ARG(buf_view(&tags)));
    buf_release(&tags);
}

/* What BODYSTRUCTURE has and BODY has not. */
static void add_extension(struct buf *out, const struct mime *m,
                          const struct mime_part *p)
{
    buf_add_char(out, ' ');
    if (p->kind == MIME_MULTIPART)
        add_params(out, m, p->type_params);
    else
        add_span(out, m, p->md5);
    buf_add_char(out, ' ');
    add_disposition(out, m, p);
    buf_add_char(out, ' ');
    add_languages(out, mime_text(m, p->language));
    buf_add_char(out, ' ');
    add_span(out, m, p->location);
}

/* Type, subtype and their parameters. */
static void add_type(struct buf *out, const struct mime *m,
                     const struct mime_part *p)
{
    if (p->flags & MIME_OPAQUE) {
        buf_add_text(out, "\"application\" \"octet-stream\"");
    } else {
        add_span(out, m, p->type);
        buf_add_char(out, ' ');
        add_span(out, m, p->subtype);
    }
    buf_add_char(out, ' ');
    if ((p->flags & (MIME_DEFAULT_TYPE | MIME_BAD_TYPE)) &&
        mime_is(m, p, "text", NULL))
        buf_add_text(out, "(\"charset\" \"us-ascii\")"); /* RFC 2045 §5.2 */
    else
        add_params(out, m, p->type_params);
}

/* The fields that all but multiparts have (body-fields). */
static void add_fields(struct buf *out, const struct mime *m,
                       const struct mime_part *p)
{
    add_type(out, m, p);
    buf_add_char(out, ' ');
    add_span(out, m, p->id);
    buf_add_char(out, ' ');
    add_span(out, m, p->description);
    buf_add_char(out, ' ');
    if (p->encoding.len > 0)
        add_span(out, m, p->encoding);
    else
        buf_add_text(out, "\"7bit\"");
    buf_add_char(out, ' ');
    add_number(out, mime_body_size(p));
}

/* What stands before the children of a part. */
static void open_body(struct buf *out, const struct mime *m,
                      const struct mime_part *p)
{
    buf_add_char(out, '(');
    if (p->kind == MIME_MULTIPART)
        return;
    add_fields(out, m, p);
    if (p->kind == MIME_MESSAGE) {
        buf_add_char(out, ' ');
        bodystructure_envelope(out, m, &m->parts[p->child]);
        buf_add_char(out, ' ');
    }
}

/* What stands after them. */
static void close_body(struct buf *out, const struct mime *m,
                       const struct mime_part *p, bool extended)
{
    bool text = p->kind == MIME_LEAF && mime_is(m, p, "text", NULL);

    if (p->kind == MIME_MULTIPART) {
        buf_add_char(out, ' ');
        add_span(out, m, p->subtype);
    } else if (p->kind == MIME_MESSAGE || text) {
        buf_add_char(out, ' ');
        add_number(out, p->body_lines);
    }
    if (extended)
        add_extension(out, m, p);
    buf_add_char(out, ')');
}

void bodystructure_format(struct buf *out, const struct mime *m, bool extended)
{
    int32_t i = 0;

    for (;;) {
        open_body(out, m, &m->parts[i]);
        if (m->parts[i].child >= 0) {
            i = m->parts[i].child;
            continue;
        }
        /* Close this part, and all that it is the last child of. */
        for (;;) {
            const struct mime_part *p = &m->parts[i];

            close_body(out, m, p, extended);
            if (p->parent < 0)
                return;
            if (p->next >= 0) {
                i = p->next;
                break;
            }
            i = p->parent;
        }
    }
}

/* --- sections ---------------------------------------------------------- */

static struct bodystructure_range header_of(const struct mime_part *p)
{
    return (struct bodystructure_range){ p->header_offset, p->header_len,
                                         p->header_bare };
}

static struct bodystructure_range body_of(const struct mime_part *p)
{
    return (struct bodystructure_range){ p->body_offset, p->body_len,
                                         p->body_bare };
}

/* Part `n` of a message: a child of its multipart, or, if it is none, the
 * message's only part, which is itself. */
static const struct mime_part *part_in(const struct mime *m,
                                       const struct mime_part *message,
                                       uint64_t n)
{
    int32_t i = message->child;

    if (message->kind != MIME_MULTIPART)
        return n == 1 ? message : NULL;
    for (; n > 1 && i >= 0; n--)
        i = m->parts[i].next;
    return i < 0 ? NULL : &m->parts[i];
}

/* Part `n` of `p`, which an earlier number named; NULL for the message. */
static const struct mime_part *step(const struct mime *m,
                                    const struct mime_part *p, uint64_t n)
{
    if (p == NULL)
        return part_in(m, &m->parts[0], n);
    if (p->kind == MIME_MESSAGE)
        return part_in(m, &m->parts[p->child], n);
    return p->kind == MIME_MULTIPART ? part_in(m, p, n) : NULL;
}

/* Take a number and the dot behind it, if there is one, off the front. */
static bool take_number(struct view *rest, uint64_t *n)
{
    size_t len = view_index(*rest, '.');

    if (len == 0 || rest->data[0] == '0' ||
        !view_number(view_sub(*rest, 0, len), UINT32_MAX, n))
        return false;
    if (len + 1 == rest->len)
        return false; /* a dot with nothing behind it */
    *rest = view_sub(*rest, len + 1, rest->len);
    return true;
}

/* The word at a section's end. `p` is the part that the numbers named, `deep`
 * says that there were any. */
static enum bodystructure_section find_word(const struct mime *m,
                                            const struct mime_part *p,
                                            bool deep, struct view word,
                                            struct bodystructure_range *range)
{
    bool fields = view_is_nocase(word, "HEADER.FIELDS") ||
                  view_is_nocase(word, "HEADER.FIELDS.NOT");
    bool header = fields || view_is_nocase(word, "HEADER");
    bool mime = view_is_nocase(word, "MIME");

    if (!header && !mime && !view_is_nocase(word, "TEXT"))
        return SECTION_MALFORMED;
    if (mime && !deep)
        return SECTION_MALFORMED;
    if (deep && (p == NULL || (!mime && p->kind != MIME_MESSAGE)))
        return SECTION_MISSING;
    if (mime) {
        *range = header_of(p);
        return SECTION_BYTES;
    }
    p = &m->parts[deep ? p->child : 0];
    *range = header ? header_of(p) : body_of(p);
    return fields ? SECTION_FIELDS : SECTION_BYTES;
}

enum bodystructure_section
bodystructure_find(const struct mime *m, struct view section,
                   struct bodystructure_range *range)
{
    const struct mime_part *p = NULL;
    bool deep = false;
    uint64_t n;

    while (take_number(&section, &n)) {
        if (!deep || p != NULL)
            p = step(m, p, n);
        deep = true;
    }
    if (section.len > 0)
        return find_word(m, p, deep, section, range);
    if (!deep) {
        const struct mime_part *all = &m->parts[0];

        *range = (struct bodystructure_range){
            0, all->header_len + all->body_len,
            all->header_bare + all->body_bare,
        };
        return SECTION_BYTES;
    }
    if (p == NULL)
        return SECTION_MISSING;
    *range = body_of(p);
    return SECTION_BYTES;
}
