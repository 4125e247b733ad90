/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/imap_string.h"

static bool needs_literal(struct view v)
{
    if (v.len > IMAP_STRING_QUOTED_MAX)
        return true;
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] == '\r' || v.data[i] == '\n' ||
            (unsigned char)v.data[i] >= 0x80)
            return true;
    return false;
}

static void add_char(struct buf *out, char c)
{
    buf_add_char(out, c == '\0' ? '?' : c);
}

void imap_string_add(struct buf *out, struct view v)
{
    if (needs_literal(v)) {
        buf_addf(out, "{%zu}\r\n", v.len);
        for (size_t i = 0; i < v.len; i++)
            add_char(out, v.data[i]);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] == '"' || v.data[i] == '\\')
            buf_add_char(out, '\\');
        add_char(out, v.data[i]);
    }
    buf_add_char(out, '"');
}

void imap_string_add_or_nil(struct buf *out, struct view v)
{
    if (v.len == 0)
        buf_add_text(out, "NIL");
    else
        imap_string_add(out, v);
}
