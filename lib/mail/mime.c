/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mime.h"

#include <assert.h>

#include "base/alloc.h"
#include "mail/decode.h"
#include "mail/mime_field.h"
#include "mail/mime_scan.h"

/* A part that has not ended yet. */
struct frame {
    int32_t part, last_child;
    struct mime_mark header, body; /* where they start */
    struct buf boundary;           /* of a multipart, else empty */
    bool closed;                   /* its last delimiter was met */
};

/* The parser stands in the header or in the body of the innermost part. A
 * body's lines only matter when they are delimiters. */
struct walker {
    struct mime *m;
    struct mime_limits limits;
    struct mime_scan scan;
    struct frame open[MIME_DEPTH_MAX + 1]; /* from the message inwards */
    unsigned depth;                        /* how many are open */
    bool in_header;
    struct buf header; /* of the innermost part, within the limits */
    uint32_t header_used, field_len;
};

/* --- opening and closing parts ----------------------------------------- */

static struct frame *top(struct walker *w)
{
    return &w->open[w->depth - 1];
}

static struct mime_part *part_of(struct walker *w, const struct frame *f)
{
    return &w->m->parts[f->part];
}

static void mark_truncated(struct walker *w, int32_t part)
{
    w->m->parts[part].flags |= MIME_TRUNCATED;
    w->m->truncated = true;
}

/* Append a part to the tree below the innermost open one; -1 if there may be
 * no more. */
static int32_t add_part(struct walker *w)
{
    struct mime *m = w->m;
    struct frame *parent = w->depth > 0 ? top(w) : NULL;
    int32_t index = (int32_t)m->parts_count;

    /* The first part has no parent, and there may always be one. */
    if (parent != NULL && m->parts_count >= w->limits.parts) {
        mark_truncated(w, parent->part);
        return -1;
    }
    if (m->parts_count == m->parts_cap) {
        m->parts_cap = m->parts_cap ? m->parts_cap * 2 : 4;
        m->parts = alloc_resize(m->parts, m->parts_cap, sizeof *m->parts);
    }
    m->parts[m->parts_count++] = (struct mime_part){
        .parent = parent ? parent->part : -1,
        .child = -1,
        .next = -1,
        .depth = w->depth,
        .envelope = -1,
    };
    if (parent == NULL)
        return index;
    if (parent->last_child < 0)
        part_of(w, parent)->child = index;
    else
        m->parts[parent->last_child].next = index;
    parent->last_child = index;
    return index;
}

/* Start a part at `at`: its header comes next. False at the limit. */
static bool open_part(struct walker *w, struct mime_mark at)
{
    int32_t index = add_part(w);

    if (index < 0)
        return false;
    assert(w->depth <= MIME_DEPTH_MAX);
    w->open[w->depth++] = (struct frame){ .part = index, .last_child = -1,
                                          .header = at, .body = at };
    w->m->parts[index].header_offset = at.offset;
    w->in_header = true;
    w->field_len = 0;
    buf_reset(&w->header);
    return true;
}

/* A multipart must have a part (RFC 3501 §9 body-type-mpart): an empty one is
 * made where none was. */
static void add_synthetic(struct walker *w, const struct frame *f)
{
    int32_t index = add_part(w);
    struct mime_part *p = part_of(w, f), *child;

    if (index < 0) {
        p->kind = MIME_LEAF;
        p->flags |= MIME_OPAQUE;
        return;
    }
    child = &w->m->parts[index];
    child->header_offset = child->body_offset = p->body_offset + p->body_len;
    mime_field_apply(w->m, child, (struct view){ NULL, 0 }, "text", "plain",
                     false, 0);
    child->flags |= MIME_SYNTHETIC;
}

/* End the innermost part at `end`, and say where it really ended. A line end
 * before a delimiter that is also the header's last one counts as the
 * header's, and so ends all that the part is in. */
static struct mime_mark close_part(struct walker *w, struct mime_mark end)
{
    struct frame *f = top(w);
    struct mime_part *p = part_of(w, f);

    if (end.offset < f->body.offset)
        end = f->body;
    p->body_len = end.offset - f->body.offset;
    p->body_lines = end.lines - f->body.lines;
    p->body_bare = end.bare - f->body.bare;
    if (p->kind == MIME_MULTIPART && p->child < 0)
        add_synthetic(w, f);
    buf_release(&f->boundary);
    w->depth--;
    return end;
}

/* --- the end of a header ----------------------------------------------- */

static bool is_identity(const struct mime *m, const struct mime_part *p)
{
    return decode_kind_of(mime_text(m, p->encoding)) == DECODE_IDENTITY;
}

/* Set the boundary of a multipart; false if it has none that can be used.
 * Blanks at its end cannot be told from a delimiter's padding. */
static bool set_boundary(struct walker *w, struct frame *f)
{
    struct mime_params list = part_of(w, f)->type_params;
    struct buf *b = &f->boundary;
    struct view raw;

    /* A boundary may look like an encoded word, and is none. */
    if (mime_param_raw(w->m, list, "boundary", &raw))
        buf_add_view(b, raw);
    else if (!mime_param(w->m, list, "boundary", b))
        return false;
    while (b->len > 0 &&
           (b->data[b->len - 1] == ' ' || b->data[b->len - 1] == '\t'))
        buf_cut(b, b->len - 1);
    if (b->len > 0 && b->len <= MIME_BOUNDARY_MAX)
        return true;
    buf_reset(b);
    return false;
}

/* Mark a multipart whose boundary could be mistaken for another's. */
static void compare_boundaries(struct walker *w, const struct frame *f)
{
    for (const struct frame *o = w->open; o < f; o++) {
        size_t len = o->boundary.len < f->boundary.len ? o->boundary.len
                                                       : f->boundary.len;

        w->m->steps += len;
        if (len > 0 && memcmp(o->boundary.data, f->boundary.data, len) == 0)
            part_of(w, f)->flags |= MIME_AMBIGUOUS;
    }
}

/* Decide what is inside the innermost part, now that its type is known. */
static void look_inside(struct walker *w)
{
    struct frame *f = top(w);
    struct mime_part *p = part_of(w, f);
    bool multipart = mime_is(w->m, p, "multipart", NULL);
    bool message = mime_is(w->m, p, "message", "rfc822") ||
                   mime_is(w->m, p, "message", "global");

    if (!multipart && !message)
        return;
    if (p->depth >= w->limits.depth) {
        mark_truncated(w, f->part);
    } else if (multipart && set_boundary(w, f)) {
        p->kind = MIME_MULTIPART;
        p->flags |= MIME_UNTERMINATED;
        compare_boundaries(w, f);
        return;
    } else if (message && is_identity(w->m, p)) {
        int32_t index = f->part;

        if (open_part(w, f->body)) {
            w->m->parts[index].kind = MIME_MESSAGE;
            return;
        }
        p = &w->m->parts[index];
    }
    p->flags |= MIME_OPAQUE;
}

/* The header of the innermost part ends at `at`. */
static void end_header(struct walker *w, struct mime_mark at)
{
    struct frame *f = top(w);
    struct mime_part *p = part_of(w, f);
    const struct mime_part *parent =
        p->parent < 0 ? NULL : &w->m->parts[p->parent];
    bool digest = parent && mime_is(w->m, parent, "multipart", "digest");
    bool message = parent == NULL || parent->kind == MIME_MESSAGE;

    if (at.offset < f->header.offset)
        at = f->header;
    f->body = at;
    p->header_len = at.offset - f->header.offset;
    p->header_bare = at.bare - f->header.bare;
    p->body_offset = at.offset;
    w->in_header = false;
    mime_field_apply(w->m, p, buf_view(&w->header), digest ? "message" : "text",
                     digest ? "rfc822" : "plain", message, w->limits.params);
    if (p->flags & MIME_TRUNCATED)
        w->m->truncated = true;
    look_inside(w);
}

/* End all headers at `at`: that of a message/rfc822 opens another. */
static void end_headers(struct walker *w, struct mime_mark at)
{
    while (w->in_header)
        end_header(w, at);
}

/* --- lines ------------------------------------------------------------- */

/* Add a header line to what will be looked at, within the limits. What is cut
 * off a field must not make the next line its continuation. */
static void add_header_line(struct walker *w, const struct mime_line *line)
{
    struct view text = line->text;
    char c = text.data[0];
    size_t room;

    if (line->first && c != ' ' && c != '\t')
        w->field_len = 0;
    room = w->limits.field - w->field_len;
    if (room > w->limits.header - w->header_used)
        room = w->limits.header - w->header_used;
    if (text.len > room) {
        mark_truncated(w, top(w)->part);
        text = view_sub(text, 0, room);
    }
    if (w->field_len == 0 && w->header.len > 0 &&
        w->header.data[w->header.len - 1] != '\n')
        buf_add_char(&w->header, '\n');
    buf_add_view(&w->header, text);
    w->field_len += (uint32_t)text.len;
    w->header_used += (uint32_t)text.len;
}

static bool is_empty(const struct mime_line *line)
{
    return line->first &&
           (view_is(line->text, "\r\n") || view_is(line->text, "\n"));
}

/* Is `text`, what follows a line's "--", the delimiter of `f`? */
static bool is_delimiter(const struct frame *f, struct view text, bool *final)
{
    struct view boundary = buf_view(&f->boundary);

    *final = text.len == boundary.len + 2;
    return !f->closed && boundary.len > 0 &&
           memcmp(text.data, boundary.data, boundary.len) == 0 &&
           (!*final || view_ends(text, "--"));
}

/* The innermost open part that `line` is a delimiter of, or NULL. Nearly
 * always the lengths differ, so that many open parts cost little. */
static struct frame *find_delimiter(struct walker *w,
                                    const struct mime_line *line, bool *final)
{
    struct view text = line->text;

    if (text.data[0] != '-' || !line->first || !line->last ||
        !view_starts(text, "--"))
        return NULL;
    text = view_trim(view_sub(text, 2, text.len));
    if (text.data != line->text.data + 2 || text.len > MIME_BOUNDARY_MAX + 2)
        return NULL; /* blanks at the front count */
    w->m->steps += w->depth;
    for (unsigned i = w->depth; i-- > 0;) {
        size_t len = w->open[i].boundary.len;

        if (text.len != len && text.len != len + 2)
            continue;
        w->m->steps += len;
        if (is_delimiter(&w->open[i], text, final))
            return &w->open[i];
    }
    return NULL;
}

static void take_delimiter(struct walker *w, struct frame *f, bool final,
                           const struct mime_line *line)
{
    struct mime_mark end = mime_scan_before(&w->scan, line);

    end_headers(w, end);
    while (top(w) != f)
        end = close_part(w, end);
    if (final) {
        f->closed = true;
        part_of(w, f)->flags &= ~(unsigned)MIME_UNTERMINATED;
    } else {
        /* At the limit the rest is passed over like an epilogue. */
        open_part(w, w->scan.at);
    }
}

static void take_line(struct walker *w, const struct mime_line *line)
{
    bool final;
    struct frame *f = find_delimiter(w, line, &final);

    w->m->steps += line->text.len;
    if (f != NULL)
        take_delimiter(w, f, final, line);
    else if (w->in_header && is_empty(line))
        end_header(w, w->scan.at);
    else if (w->in_header)
        add_header_line(w, line);
}

int mime_parse(struct mime *m, const struct mime_source *src,
               struct mime_limits limits, struct error *err)
{
    struct walker *w = alloc_zero(1, sizeof *w);
    struct mime_line line;
    int rc;

    *m = (struct mime){ 0 };
    assert(limits.depth <= MIME_DEPTH_MAX && limits.parts > 0);
    w->m = m;
    w->limits = limits;
    mime_scan_start(&w->scan, src);
    open_part(w, w->scan.at);
    while ((rc = mime_scan_next(&w->scan, &line, err)) > 0)
        take_line(w, &line);
    end_headers(w, w->scan.at);
    while (w->depth > 0)
        close_part(w, w->scan.at);
    mime_scan_release(&w->scan);
    buf_release(&w->header);
    free(w);
    if (rc < 0)
        mime_release(m);
    return rc;
}

void mime_release(struct mime *m)
{
    free(m->parts);
    free(m->params);
    free(m->envelopes);
    buf_release(&m->text);
    *m = (struct mime){ 0 };
}

struct view mime_text(const struct mime *m, struct span s)
{
    return span_view(&m->text, s);
}

bool mime_is(const struct mime *m, const struct mime_part *p,
             const char *type, const char *subtype)
{
    return view_is_nocase(mime_text(m, p->type), type) &&
           (subtype == NULL ||
            view_is_nocase(mime_text(m, p->subtype), subtype));
}

uint64_t mime_header_size(const struct mime_part *p)
{
    return p->header_len + p->header_bare;
}

uint64_t mime_body_size(const struct mime_part *p)
{
    return p->body_len + p->body_bare;
}
