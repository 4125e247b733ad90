/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mime_scan.h"

#include "base/alloc.h"
#include "base/io.h"

struct mime_source mime_source_memory(struct view message)
{
    return (struct mime_source){
        .fd = -1, .data = message.data, .len = message.len, .what = "memory",
    };
}

struct mime_source mime_source_file(int fd, uint64_t offset, uint64_t len,
                                    const char *what)
{
    return (struct mime_source){
        .fd = fd, .offset = offset, .len = len, .what = what,
    };
}

int mime_source_read(const struct mime_source *src, uint64_t offset, void *to,
                     size_t len, struct error *err)
{
    if (offset > src->len || len > src->len - offset)
        return error_set(err, FAIL_PERM, "%s has no bytes behind %llu",
                         src->what, (unsigned long long)src->len);
    if (src->fd >= 0)
        return io_pread_all(src->fd, to, len, src->offset + offset, src->what,
                            err);
    if (len > 0)
        memcpy(to, src->data + offset, len);
    return 0;
}

void mime_scan_start(struct mime_scan *s, const struct mime_source *src)
{
    *s = (struct mime_scan){ .src = src, .window = alloc(MIME_SCAN_WINDOW) };
}

void mime_scan_release(struct mime_scan *s)
{
    free(s->window);
    s->window = NULL;
}

/* Move what is left to the front and fill the rest of the window. */
static int fill(struct mime_scan *s, struct error *err)
{
    uint64_t left = s->src->len - s->read;
    size_t room;

    memmove(s->window, s->window + s->from, s->to - s->from);
    s->to -= s->from;
    s->from = 0;
    room = MIME_SCAN_WINDOW - s->to;
    if (room > left)
        room = (size_t)left;
    if (mime_source_read(s->src, s->read, s->window + s->to, room, err) < 0)
        return -1;
    s->read += room;
    s->to += room;
    return 0;
}

/* Length of the line end that `text` has; its CR may be in the last piece. */
static unsigned end_of(const struct mime_scan *s, struct view text)
{
    char before;

    if (text.data[text.len - 1] != '\n')
        return 0;
    if (text.len > 1)
        before = text.data[text.len - 2];
    else
        before = s->inside ? s->last : '\0';
    return before == '\r' ? 2 : 1;
}

struct mime_mark mime_scan_before(const struct mime_scan *s,
                                  const struct mime_line *line)
{
    struct mime_mark m = s->at;

    m.offset -= line->text.len + s->end_before;
    m.lines -= (s->line_end > 0) + (s->end_before > 0);
    m.bare -= (s->line_end == 1) + (s->end_before == 1);
    return m;
}

static void give_out(struct mime_scan *s, size_t len, struct mime_line *line)
{
    line->text = (struct view){ s->window + s->from, len };
    line->first = !s->inside;
    s->end_before = s->line_end;
    s->line_end = end_of(s, line->text);
    s->last = line->text.data[len - 1];
    s->inside = s->line_end == 0;
    s->from += len;
    s->at.offset += len;
    s->at.lines += s->line_end > 0;
    s->at.bare += s->line_end == 1;
    line->last = !s->inside || s->at.offset == s->src->len;
}

int mime_scan_next(struct mime_scan *s, struct mime_line *line,
                   struct error *err)
{
    for (int tries = 0;; tries++) {
        struct view left = { s->window + s->from, s->to - s->from };
        const char *end = left.len ? memchr(left.data, '\n', left.len) : NULL;

        if (end != NULL) {
            give_out(s, (size_t)(end - left.data) + 1, line);
            return 1;
        }
        if (tries > 0 || left.len == MIME_SCAN_WINDOW) {
            if (left.len == 0)
                return 0;
            give_out(s, left.len, line);
            return 1;
        }
        if (fill(s, err) < 0)
            return -1;
    }
}
