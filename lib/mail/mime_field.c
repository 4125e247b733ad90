/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mime_field.h"

#include "base/alloc.h"
#include "mail/header.h"
#include "mail/lex.h"
#include "mail/mime_param.h"

/* A header as it is applied to a part. */
struct applier {
    struct mime *m;
    struct mime_part *p;
    const char *type, *subtype; /* the default */
    unsigned params_max;
    unsigned seen;       /* a bit for each row of `fields` */
    struct buf scratch;
    struct buf envelope[MIME_ENVELOPE_FIELDS];
    unsigned has;        /* a bit for each of those */
};

static void set_default(struct applier *a, const char *type,
                        const char *subtype)
{
    a->p->type = span_add(&a->m->text, view_of(type));
    a->p->subtype = span_add(&a->m->text, view_of(subtype));
}

static struct mime_params take_params(struct applier *a, struct view rest)
{
    bool cut = false;
    struct mime_params list = mime_param_parse(a->m, rest, a->params_max, &cut);

    if (cut)
        a->p->flags |= MIME_TRUNCATED;
    return list;
}

/* "text/plain; charset=utf-8" (RFC 2045 §5.1). A type that cannot be read is
 * plain text (§5.2). */
static void set_type(struct applier *a, struct view value, struct span *unused)
{
    struct view type, subtype;

    (void)unused;
    lex_skip(&value, NULL);
    type = lex_token(&value);
    lex_skip(&value, NULL);
    if (type.len == 0 || !lex_char(&value, '/')) {
        a->p->flags |= MIME_BAD_TYPE;
        set_default(a, "text", "plain");
        return;
    }
    lex_skip(&value, NULL);
    subtype = lex_token(&value);
    if (subtype.len == 0) {
        a->p->flags |= MIME_BAD_TYPE;
        set_default(a, "text", "plain");
        return;
    }
    a->p->type = span_add(&a->m->text, type);
    a->p->subtype = span_add(&a->m->text, subtype);
    a->p->type_params = take_params(a, value);
}

static void set_disposition(struct applier *a, struct view value,
                            struct span *to)
{
    lex_skip(&value, NULL);
    *to = span_add(&a->m->text, lex_token(&value));
    a->p->disposition_params = take_params(a, value);
}

/* One token, comments around it dropped. */
static void set_token(struct applier *a, struct view value, struct span *to)
{
    lex_skip(&value, NULL);
    *to = span_add(&a->m->text, lex_token(&value));
}

static void set_text(struct applier *a, struct view value, struct span *to)
{
    buf_reset(&a->scratch);
    header_unfold(&a->scratch, value);
    *to = span_add(&a->m->text, buf_view(&a->scratch));
}

#define PART(field) offsetof(struct mime_part, field)

static const struct {
    const char *name;
    void (*set)(struct applier *a, struct view value, struct span *to);
    size_t at; /* of the span in a struct mime_part */
} fields[] = {
    { "Content-Type",              set_type,        PART(type)        },
    { "Content-Transfer-Encoding", set_token,       PART(encoding)    },
    { "Content-Disposition",       set_disposition, PART(disposition) },
    { "Content-ID",                set_text,        PART(id)          },
    { "Content-Description",       set_text,        PART(description) },
    { "Content-MD5",               set_text,        PART(md5)         },
    { "Content-Language",          set_text,        PART(language)    },
    { "Content-Location",          set_text,        PART(location)    },
};

static const struct {
    const char *name;
    bool joins; /* several such fields are one list */
} envelope_fields[MIME_ENVELOPE_FIELDS] = {
    [MIME_DATE] = { "Date", false },
    [MIME_SUBJECT] = { "Subject", false },
    [MIME_FROM] = { "From", true },
    [MIME_SENDER] = { "Sender", true },
    [MIME_REPLY_TO] = { "Reply-To", true },
    [MIME_TO] = { "To", true },
    [MIME_CC] = { "Cc", true },
    [MIME_BCC] = { "Bcc", true },
    [MIME_IN_REPLY_TO] = { "In-Reply-To", false },
    [MIME_MESSAGE_ID] = { "Message-ID", false },
};

static void apply_content(struct applier *a, const struct header_field *f)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct span *to = (void *)((char *)a->p + fields[i].at);

        if (!view_is_nocase(f->name, fields[i].name))
            continue;
        if (a->seen & (1u << i))
            a->p->flags |= MIME_DUPLICATE;
        else
            fields[i].set(a, f->value, to);
        a->seen |= 1u << i;
        return;
    }
}

static void apply_envelope(struct applier *a, const struct header_field *f)
{
    for (size_t i = 0; i < MIME_ENVELOPE_FIELDS; i++) {
        struct buf *to = &a->envelope[i];

        if (!view_is_nocase(f->name, envelope_fields[i].name))
            continue;
        if ((a->has & (1u << i)) && !envelope_fields[i].joins)
            return;
        if (to->len > 0)
            buf_add_text(to, ", ");
        header_unfold(to, f->value);
        a->has |= 1u << i;
        return;
    }
}

static void keep_envelope(struct applier *a)
{
    struct mime *m = a->m;
    struct mime_envelope *e;

    if (m->envelopes_count == m->envelopes_cap) {
        m->envelopes_cap = m->envelopes_cap ? m->envelopes_cap * 2 : 1;
        m->envelopes = alloc_resize(m->envelopes, m->envelopes_cap,
                                    sizeof *m->envelopes);
    }
    a->p->envelope = (int32_t)m->envelopes_count;
    e = &m->envelopes[m->envelopes_count++];
    e->has = a->has;
    for (size_t i = 0; i < MIME_ENVELOPE_FIELDS; i++) {
        e->value[i] = span_add(&m->text, buf_view(&a->envelope[i]));
        buf_release(&a->envelope[i]);
    }
}

void mime_field_apply(struct mime *m, struct mime_part *p, struct view header,
                      const char *type, const char *subtype, bool message,
                      unsigned params_max)
{
    struct applier a = { .m = m, .p = p, .params_max = params_max };
    struct header_walk w;
    struct header_field f;

    header_start(&w, header, HEADER_FIELDS_MAX);
    while (header_next(&w, &f)) {
        if (view_starts_nocase(f.name, "Content-"))
            apply_content(&a, &f);
        else if (message)
            apply_envelope(&a, &f);
    }
    if (w.offset < header.len)
        p->flags |= MIME_TRUNCATED; /* more fields than are looked at */
    if (p->type.len == 0) {
        p->flags |= MIME_DEFAULT_TYPE;
        set_default(&a, type, subtype);
    }
    if (message)
        keep_envelope(&a);
    m->steps += header.len;
    buf_release(&a.scratch);
}
