/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "imapd/search.h"
#include "mail/casefold.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/decode.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/mime.h"

#define CHUNK 65536

static bool contains(struct view text, struct view needle)
{
    return needle.len == 0 ||
           (text.len >= needle.len &&
            memmem(text.data, text.len, needle.data, needle.len) != NULL);
}

/* --- headers ----------------------------------------------------------- */

/* Append a field's value as it is meant, folded. */
static void add_value(struct buf *out, struct view value)
{
    struct buf line = BUF_INIT, words = BUF_INIT;

    header_unfold(&line, value);
    encoded_word_decode(&words, buf_view(&line));
    casefold_add(out, buf_view(&words));
    buf_release(&line);
    buf_release(&words);
}

bool search_header(struct view header, struct view name, struct view needle)
{
    struct buf text = BUF_INIT;
    struct header_walk w;
    struct header_field f;
    bool found = false;

    header_start(&w, header, HEADER_FIELDS_MAX);
    while (!found && header_next(&w, &f)) {
        if (name.len > 0 && !view_eq_nocase(f.name, name))
            continue;
        buf_reset(&text);
        if (name.len == 0) {
            casefold_add(&text, f.name);
            buf_add_text(&text, ": ");
        }
        add_value(&text, f.value);
        found = contains(buf_view(&text), needle);
    }
    buf_release(&text);
    return found;
}

bool search_sent_day(struct view header, int64_t *day)
{
    struct buf value = BUF_INIT;
    struct header_field f;
    struct date d = { 0 };
    bool good = false;

    if (header_find(header, "Date", &f)) {
        header_unfold(&value, f.value);
        good = date_parse(buf_view(&value), &d) == 0;
    }
    if (good)
        *day = date_day(d);
    buf_release(&value);
    return good;
}

/* --- bodies ------------------------------------------------------------ */

/* Folded text as it comes, searched when there is enough of it; the end of
 * what was searched stays, since a needle may begin there. */
struct scan {
    struct search *p;
    struct buf window;
    size_t keep;  /* bytes: the longest needle but one */
    size_t open;  /* needles not found yet */
};

static bool is_text_node(const struct search_node *node)
{
    return node->op == SEARCH_TEXT || node->op == SEARCH_BODY;
}

static void scan_start(struct scan *sc, struct search *p)
{
    *sc = (struct scan){ .p = p };
    for (size_t i = 0; i < p->n; i++) {
        struct search_node *node = &p->nodes[i];

        if (!is_text_node(node))
            continue;
        node->found = false;
        sc->open++;
        if (node->needle.len > sc->keep)
            sc->keep = node->needle.len;
    }
}

static void scan_window(struct scan *sc)
{
    for (size_t i = 0; i < sc->p->n; i++) {
        struct search_node *node = &sc->p->nodes[i];

        if (!is_text_node(node) || node->found ||
            !contains(buf_view(&sc->window), buf_view(&node->needle)))
            continue;
        node->found = true;
        sc->open--;
    }
    if (sc->window.len > sc->keep)
        buf_drop(&sc->window, sc->window.len - sc->keep);
}

static void scan_add(struct scan *sc, struct view utf8)
{
    casefold_add(&sc->window, utf8);
    if (sc->window.len >= sc->keep + CHUNK)
        scan_window(sc);
}

/* --- parts ------------------------------------------------------------- */

struct part_reader {
    const struct mime_source *src;
    struct scan *scan;
    struct buf raw, decoded, utf8;
};

/* The header of a part, or of a message inside, is in the body too. */
static int scan_header(struct part_reader *r, const struct mime_part *part,
                       struct error *err)
{
    size_t len = part->header_len < HEADER_FIELD_MAX
                     ? (size_t)part->header_len : HEADER_FIELD_MAX;
    struct header_walk w;
    struct header_field f;

    buf_reset(&r->raw);
    if (mime_source_read(r->src, part->header_offset, buf_room(&r->raw, len),
                         len, err) < 0)
        return -1;
    r->raw.len += len;
    header_start(&w, buf_view(&r->raw), HEADER_FIELDS_MAX);
    while (header_next(&w, &f)) {
        buf_reset(&r->utf8);
        buf_add_view(&r->utf8, f.name);
        buf_add_text(&r->utf8, ": ");
        scan_add(r->scan, buf_view(&r->utf8));
        buf_reset(&r->utf8);
        add_value(&r->utf8, f.value);
        buf_add_text(&r->utf8, "\n");
        scan_add(r->scan, buf_view(&r->utf8));
    }
    return 0;
}

static struct charset *charset_of(const struct mime *m,
                                  const struct mime_part *part)
{
    struct buf name = BUF_INIT;
    struct charset *cs;

    if (!mime_param(m, part->type_params, "charset", &name))
        buf_add_text(&name, "us-ascii");
    cs = charset_open(buf_view(&name));
    buf_release(&name);
    return cs;
}

static void scan_decoded(struct part_reader *r, struct charset *cs, bool last)
{
    buf_reset(&r->utf8);
    if (cs != NULL)
        charset_convert(cs, buf_view(&r->decoded), last, &r->utf8);
    scan_add(r->scan, buf_view(cs != NULL ? &r->utf8 : &r->decoded));
    buf_reset(&r->decoded);
}

static int scan_content(struct part_reader *r, const struct mime *m,
                        const struct mime_part *part, struct error *err)
{
    struct charset *cs = charset_of(m, part);
    uint64_t offset = part->body_offset, left = part->body_len;
    struct decode d;
    int rc = 0;

    decode_start(&d, decode_kind_of(mime_text(m, part->encoding)));
    while (left > 0 && r->scan->open > 0) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;

        buf_reset(&r->raw);
        rc = mime_source_read(r->src, offset, buf_room(&r->raw, n), n, err);
        if (rc < 0)
            break;
        r->raw.len += n;
        offset += n;
        left -= n;
        decode_add(&d, buf_view(&r->raw), &r->decoded);
        scan_decoded(r, cs, false);
    }
    decode_end(&d, &r->decoded);
    scan_decoded(r, cs, true);
    scan_add(r->scan, VIEW("\n"));
    charset_close(&cs);
    return rc;
}

static int scan_parts(struct part_reader *r, const struct mime *m,
                      struct error *err)
{
    for (size_t i = 0; i < m->parts_count && r->scan->open > 0; i++) {
        const struct mime_part *part = &m->parts[i];
        bool readable = mime_is(m, part, "text", NULL) ||
                        (part->flags & MIME_OPAQUE);

        if (i > 0 && scan_header(r, part, err) < 0)
            return -1;
        if (part->kind == MIME_LEAF && readable &&
            scan_content(r, m, part, err) < 0)
            return -1;
    }
    scan_window(r->scan);
    return 0;
}

int search_body(struct search *p, int fd, uint64_t len, struct error *err)
{
    struct mime_source src = mime_source_file(fd, 0, len, "a message");
    struct scan scan;
    struct part_reader r = { .src = &src, .scan = &scan };
    struct mime m;
    int rc = mime_parse(&m, &src, MIME_LIMITS_DEFAULT, err);

    if (rc < 0)
        return rc;
    scan_start(&scan, p);
    rc = scan_parts(&r, &m, err);
    buf_release(&scan.window);
    buf_release(&r.raw);
    buf_release(&r.decoded);
    buf_release(&r.utf8);
    mime_release(&m);
    return rc;
}
