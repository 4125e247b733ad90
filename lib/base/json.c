/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/json.h"

#include "base/utf8.h"

void json_add_text(struct buf *out, struct view v)
{
    buf_add_char(out, '"');
    while (v.len > 0) {
        struct view at = v;
        int32_t c = utf8_next(&v);

        if (c < 0)
            buf_add_text(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", (char)c);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\u%04x", (unsigned)c);
        else
            buf_add(out, at.data, at.len - v.len);
    }
    buf_add_char(out, '"');
}
