/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/header.h"

#include "base/ascii.h"
#include "base/io.h"

#define CHUNK 16384

/* The line at `from`, its line end included. */
static struct view line_at(struct view text, size_t from)
{
    struct view rest = view_sub(text, from, text.len);

    return view_sub(rest, 0, view_index(rest, '\n') + 1);
}

static bool is_empty(struct view line)
{
    return view_is(line, "\n") || view_is(line, "\r\n");
}

/* Does a line that starts with a blank stand at `at`? */
static bool is_fold_at(struct view text, size_t at)
{
    return at < text.len && (text.data[at] == ' ' || text.data[at] == '\t');
}

static struct view without_end(struct view line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* ftext is any visible character but the colon (RFC 5322 §3.6.8); others are
 * let pass in UTF-8 headers' way, blanks before the colon are §4.5's. */
static struct view name_of(struct view raw, size_t *colon)
{
    struct view name;
    size_t i;

    *colon = view_index(line_at(raw, 0), ':');
    name = view_sub(raw, 0, *colon);
    while (name.len > 0 && (name.data[name.len - 1] == ' ' ||
                            name.data[name.len - 1] == '\t'))
        name.len--;
    for (i = 0; i < name.len; i++)
        if (name.data[i] == ' ' || ascii_is_control(name.data[i]))
            break;
    if (i < name.len || *colon >= raw.len || raw.data[*colon] != ':')
        name.len = 0;
    return name;
}

static void set_field(struct header_field *f, struct view raw, size_t offset)
{
    size_t colon;

    f->raw = raw;
    f->offset = offset;
    f->name = name_of(raw, &colon);
    f->value = without_end(f->name.len > 0
                               ? view_sub(raw, colon + 1, raw.len)
                               : raw);
}

void header_start(struct header_walk *w, struct view header, size_t max_fields)
{
    *w = (struct header_walk){ .header = header, .left = max_fields };
}

bool header_next(struct header_walk *w, struct header_field *f)
{
    size_t start = w->offset, end;
    struct view line = line_at(w->header, start);

    if (w->ended || w->left == 0 || line.len == 0)
        return false;
    if (is_empty(line)) {
        w->offset += line.len;
        w->ended = true;
        return false;
    }
    end = start + line.len;
    while (is_fold_at(w->header, end))
        end += line_at(w->header, end).len;
    set_field(f, view_sub(w->header, start, end), start);
    w->offset = end;
    w->left--;
    return true;
}

bool header_find(struct view header, const char *name, struct header_field *f)
{
    struct header_walk w;

    header_start(&w, header, SIZE_MAX);
    while (header_next(&w, f))
        if (view_is_nocase(f->name, name))
            return true;
    return false;
}

bool header_find_last(struct view header, const char *name,
                      struct header_field *f)
{
    struct header_field each;
    struct header_walk w;
    bool found = false;

    header_start(&w, header, SIZE_MAX);
    while (header_next(&w, &each)) {
        if (view_is_nocase(each.name, name)) {
            *f = each;
            found = true;
        }
    }
    return found;
}

/* A search for the end of a header that comes in pieces. */
struct search {
    size_t line; /* where the current line starts */
    size_t seen; /* up to here there is no further line end */
};

/* Where the empty line ends, or 0 if it has not come yet. */
static size_t find_end(struct view text, struct search *s)
{
    for (;;) {
        size_t at = view_index(view_sub(text, s->seen, text.len), '\n');

        at += s->seen;
        if (at >= text.len) {
            s->seen = text.len;
            return 0;
        }
        if (is_empty(view_sub(text, s->line, at + 1)))
            return at + 1;
        s->line = s->seen = at + 1;
    }
}

size_t header_end(struct view header)
{
    struct search s = { 0, 0 };
    size_t end = find_end(header, &s);

    return end > 0 ? end : header.len;
}

void header_unfold(struct buf *out, struct view value)
{
    char *to;

    value = view_trim(value);
    to = buf_room(out, value.len);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        bool ends = i + 1 < value.len && value.data[i + 1] == '\n';

        if (c != '\n' && !(c == '\r' && ends))
            *to++ = c == '\0' || c == '\r' ? ' ' : c;
    }
    out->len = (size_t)(to - out->data);
    *to = '\0';
}

int header_load(int fd, uint64_t offset, uint64_t end, size_t limit,
                struct buf *out, bool *whole, const char *what,
                struct error *err)
{
    size_t start = out->len, found = 0;
    struct search s = { 0, 0 };
    uint64_t left = end > offset ? end - offset : 0;

    while (found == 0 && left > 0 && out->len - start < limit) {
        size_t had = out->len - start;
        size_t n = left < CHUNK ? (size_t)left : CHUNK;

        if (n > limit - had)
            n = limit - had;
        if (io_pread_all(fd, buf_room(out, n), n, offset + had, what, err) < 0)
            return -1;
        out->len += n;
        out->data[out->len] = '\0';
        left -= n;
        found = find_end(view_sub(buf_view(out), start, out->len), &s);
    }
    if (found > 0)
        buf_cut(out, start + found);
    *whole = found > 0 || left == 0;
    return 0;
}
