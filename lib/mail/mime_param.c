/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mime_param.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/encode.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/lex.h"

/* A parameter as written: "base", "base*", "base*2" or "base*2*". */
struct piece {
    struct view base;
    struct span value; /* unquoted, in the reader's text */
    int section;       /* -1: a plain parameter */
    bool encoded;      /* its name ends in "*" */
    unsigned order;    /* where it stood */
};

/* A parameter with its segments joined. */
struct joined {
    struct mime_param param;
    unsigned order;
};

struct reader {
    struct piece *pieces;
    struct joined *joined;
    unsigned count, joined_count;
    struct buf text;
};

/* --- reading ----------------------------------------------------------- */

/* Split "base*2*" into its parts; a name that only resembles this is taken as
 * it stands. */
static void set_name(struct piece *p, struct view name)
{
    size_t star = view_index(name, '*');
    struct view rest = view_sub(name, star + 1, name.len);
    uint64_t section = 0;

    *p = (struct piece){ .base = name, .section = -1 };
    if (star == name.len || star == 0)
        return;
    if (rest.len > 0 && rest.data[rest.len - 1] == '*') {
        p->encoded = true;
        rest.len--;
    }
    if (name.len == star + 1)
        p->encoded = true; /* "base*" is all there is of it */
    else if (!view_number(rest, 9999, &section)) {
        p->encoded = false;
        return;
    }
    p->base = view_sub(name, 0, star);
    p->section = (int)section;
}

/* Pass over whatever stands before the next ";". */
static void skip_junk(struct view *rest, struct buf *scratch)
{
    size_t len = scratch->len;

    lex_skip(rest, NULL);
    while (rest->len > 0 && rest->data[0] != ';') {
        if (lex_char(rest, '"'))
            lex_quoted(rest, scratch);
        else
            *rest = view_sub(*rest, 1, rest->len);
        buf_cut(scratch, len);
        lex_skip(rest, NULL);
    }
}

static struct span take_value(struct view *rest, struct buf *text)
{
    size_t from = text->len;

    lex_skip(rest, NULL);
    if (lex_char(rest, '"'))
        lex_quoted(rest, text);
    else /* more than a token: "=" and "/" are often not quoted */
        buf_add_view(text, lex_run(rest, ";\"("));
    return (struct span){ (uint32_t)from, (uint32_t)(text->len - from) };
}

/* Read up to `limit` pieces; true if there would be more. */
static bool read_pieces(struct reader *r, struct view rest, unsigned limit)
{
    for (;;) {
        struct view name;

        skip_junk(&rest, &r->text);
        if (!lex_char(&rest, ';'))
            return false;
        lex_skip(&rest, NULL);
        name = lex_token(&rest);
        lex_skip(&rest, NULL);
        if (name.len == 0 || !lex_char(&rest, '='))
            continue;
        if (r->count == limit)
            return true;
        set_name(&r->pieces[r->count], name);
        r->pieces[r->count].order = r->count;
        r->pieces[r->count].value = take_value(&rest, &r->text);
        r->count++;
    }
}

/* --- joining ----------------------------------------------------------- */

static int cmp_nocase(struct view a, struct view b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        int d = ascii_lower(a.data[i]) - ascii_lower(b.data[i]);

        if (d != 0)
            return d;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *va, const void *vb)
{
    const struct piece *a = va, *b = vb;
    int d = cmp_nocase(a->base, b->base);

    if (d == 0)
        d = a->section - b->section;
    return d != 0 ? d : (int)a->order - (int)b->order;
}

static int by_order(const void *va, const void *vb)
{
    const struct joined *a = va, *b = vb;

    return (int)a->order - (int)b->order;
}

/* Is `c` an attribute-char of RFC 2231 §7? */
static bool stands_for_itself(char c)
{
    return ascii_is_visible(c) && strchr("*'%()<>@,;:\\\"/[]?=", c) == NULL;
}

static void add_percent(struct buf *out, struct view v)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];
        char hex[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (stands_for_itself(v.data[i]))
            buf_add_char(out, v.data[i]);
        else
            buf_add(out, hex, sizeof hex);
    }
}

static void add_joined(struct reader *r, struct mime_param param,
                       unsigned order)
{
    r->joined[r->joined_count++] = (struct joined){ param, order };
}

/* Join the segments 0, 1, 2 ... among the `count` pieces of one name, which
 * are in order; what comes after a gap is lost (RFC 2231 §3). */
static void join(struct reader *r, struct mime *m, const struct piece *p,
                 unsigned count)
{
    struct mime_param param;
    unsigned order = p->order, used = 0;
    bool encoded = false;
    int next = 0;

    /* Which segments count, and is any of them encoded? */
    for (unsigned i = 0; i < count && p[i].section <= next; i++) {
        if (p[i].section == next) {
            encoded |= p[i].encoded;
            next++;
        }
        order = p[i].order < order ? p[i].order : order;
        used = i + 1;
    }
    if (used == 0)
        return;
    param.name = span_add(&m->text, p->base);
    if (encoded) {
        buf_add_char(&m->text, '*');
        param.name.len++;
    }
    param.value.from = (uint32_t)m->text.len;
    if (encoded && !p->encoded)
        buf_add_text(&m->text, "''"); /* no charset was given */
    next = 0;
    for (unsigned i = 0; i < used; i++) {
        struct view v = span_view(&r->text, p[i].value);

        if (p[i].section != next)
            continue; /* the same segment again */
        next++;
        if (encoded && !p[i].encoded)
            add_percent(&m->text, v);
        else
            buf_add_view(&m->text, v);
    }
    param.value.len = (uint32_t)m->text.len - param.value.from;
    add_joined(r, param, order);
}

/* All pieces with one name: the plain ones come first (section -1). An
 * encoded form stands beside a plain one, a joined plain form does not. */
static void join_group(struct reader *r, struct mime *m,
                       const struct piece *p, unsigned count)
{
    unsigned plain = 0;
    bool encoded = false;

    while (plain < count && p[plain].section < 0)
        plain++;
    if (plain > 0) {
        struct mime_param param = {
            span_add(&m->text, p->base),
            span_add(&m->text, span_view(&r->text, p->value)),
        };

        add_joined(r, param, p->order);
    }
    for (unsigned i = plain; i < count; i++)
        encoded |= p[i].encoded;
    if (plain < count && (plain == 0 || encoded))
        join(r, m, p + plain, count - plain);
}

static void join_all(struct reader *r, struct mime *m)
{
    unsigned from = 0, to;

    qsort(r->pieces, r->count, sizeof *r->pieces, by_name);
    for (; from < r->count; from = to) {
        for (to = from + 1; to < r->count; to++)
            if (cmp_nocase(r->pieces[from].base, r->pieces[to].base) != 0)
                break;
        join_group(r, m, r->pieces + from, to - from);
    }
    qsort(r->joined, r->joined_count, sizeof *r->joined, by_order);
}

static struct mime_params keep(struct mime *m, const struct reader *r)
{
    struct mime_params list = { (uint32_t)m->params_count, r->joined_count };

    if (m->params_count + r->joined_count > m->params_cap) {
        m->params_cap = (m->params_count + r->joined_count) * 2;
        m->params = alloc_resize(m->params, m->params_cap, sizeof *m->params);
    }
    for (unsigned i = 0; i < r->joined_count; i++)
        m->params[m->params_count++] = r->joined[i].param;
    return list;
}

struct mime_params mime_param_parse(struct mime *m, struct view rest,
                                    unsigned limit, bool *cut)
{
    struct reader r = { 0 };
    struct mime_params list = { 0, 0 };

    if (view_index(rest, ';') == rest.len)
        return list;
    r.pieces = alloc_zero(limit, sizeof *r.pieces);
    /* A name gives two at most: its plain and its encoded form. */
    r.joined = alloc_zero(limit, sizeof *r.joined);
    if (read_pieces(&r, rest, limit))
        *cut = true;
    m->steps += rest.len;
    join_all(&r, m);
    if (r.joined_count > 0)
        list = keep(m, &r);
    free(r.pieces);
    free(r.joined);
    buf_release(&r.text);
    return list;
}

/* --- decoding ---------------------------------------------------------- */

bool mime_param_raw(const struct mime *m, struct mime_params list,
                    const char *name, struct view *value)
{
    for (uint32_t i = 0; i < list.count; i++) {
        const struct mime_param *p = &m->params[list.first + i];

        if (view_is_nocase(mime_text(m, p->name), name)) {
            *value = mime_text(m, p->value);
            return true;
        }
    }
    return false;
}

/* The encoded form of the parameter `name`, whose own name ends in "*". */
static bool find_encoded(const struct mime *m, struct mime_params list,
                         const char *name, struct view *value)
{
    struct buf encoded = BUF_INIT;
    bool found;

    buf_addf(&encoded, "%s*", name);
    found = mime_param_raw(m, list, buf_text(&encoded), value);
    buf_release(&encoded);
    return found;
}

static void add_percent_decoded(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        int high = -1, low = -1;

        if (v.data[i] == '%' && v.len - i > 2) {
            high = decode_hex_digit(v.data[i + 1]);
            low = decode_hex_digit(v.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            buf_add_char(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_add_char(out, v.data[i]);
        }
    }
}

/* charset'language'text; without the quotes it is all text. */
static void add_extended(struct buf *out, struct view v)
{
    struct view rest = v, charset = { NULL, 0 }, language;
    struct buf bytes = BUF_INIT;

    if (!view_cut(&rest, '\'', &charset) ||
        !view_cut(&rest, '\'', &language) || rest.data == NULL) {
        rest = v;
        charset.len = 0;
    }
    add_percent_decoded(&bytes, rest);
    if (charset_to_utf8(charset, buf_view(&bytes), out) < 0)
        buf_add_view(out, buf_view(&bytes));
    buf_release(&bytes);
}

bool mime_param(const struct mime *m, struct mime_params list,
                const char *name, struct buf *out)
{
    size_t from = out->len;
    struct view value;

    if (find_encoded(m, list, name, &value))
        add_extended(out, value);
    else if (mime_param_raw(m, list, name, &value))
        encoded_word_decode(out, value);
    else
        return false;
    /* What an encoding hid must not end a line or a string later. */
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\0' || out->data[i] == '\r' ||
            out->data[i] == '\n')
            out->data[i] = ' ';
    return true;
}
