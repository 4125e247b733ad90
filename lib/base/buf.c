/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <stdarg.h>

#include "base/alloc.h"

/* What may be a secret moves without leaving a copy behind. Large buffers hold
 * mail, not passwords, and move by their pages where they can. */
#define SECRET_MAX (64u << 10)

static void grow(struct buf *b, size_t cap)
{
    if (b->cap > SECRET_MAX) {
        b->data = alloc_resize(b->data, cap, 1);
    } else {
        /* Not cleared: what is never used shall take no memory. */
        char *data = alloc_resize(NULL, cap, 1);

        if (b->cap > 0) {
            memcpy(data, b->data, b->len);
            explicit_bzero(b->data, b->cap);
        }
        data[b->len] = '\0';
        free(b->data);
        b->data = data;
    }
    b->cap = cap;
}

char *buf_room(struct buf *b, size_t len)
{
    size_t need = b->len + len + 1;

    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;

        while (cap < need)
            cap += cap / 2;
        grow(b, cap);
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    char *to = buf_room(b, len);

    if (len > 0)
        memcpy(to, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_view(struct buf *b, struct view v)
{
    buf_add(b, v.data, v.len);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len <= 0) {
        buf_add(b, "", 0);
        return;
    }
    buf_room(b, (size_t)len);
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)len;
}

void buf_drop(struct buf *b, size_t len)
{
    if (len >= b->len) {
        buf_reset(b);
        return;
    }
    memmove(b->data, b->data + len, b->len - len);
    buf_cut(b, b->len - len);
}

void buf_cut(struct buf *b, size_t len)
{
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

struct view buf_view(const struct buf *b)
{
    return (struct view){ b->data, b->len };
}

const char *buf_text(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : alloc_text("");

    *b = BUF_INIT;
    return data;
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT;
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    buf_release(b);
}
