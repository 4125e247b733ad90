/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.h - a piece of a growing text: a view that stays right when the text
 * moves. Half as large as a view, for tables with many of them.
 *
 * Units: bytes; a text with spans into it is shorter than 4 GiB.
 */
#ifndef MAIL_SPAN_H
#define MAIL_SPAN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/view.h"

struct span {
    uint32_t from, len;
};

/* Append `v` to `text` and say where it is. */
static inline struct span span_add(struct buf *text, struct view v)
{
    struct span s = { (uint32_t)text->len, (uint32_t)v.len };

    buf_add_view(text, v);
    return s;
}

/* What `s` is in `text`; valid until the text changes. */
static inline struct view span_view(const struct buf *text, struct span s)
{
    return view_sub(buf_view(text), s.from, (size_t)s.from + s.len);
}

#endif
