/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/casefold.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/ascii.h"
#include "base/utf8.h"

static void add_character(struct buf *out, int32_t c)
{
    char text[U8_MAX_LENGTH];
    size_t len = 0;

    U8_APPEND_UNSAFE(text, len, c);
    buf_add(out, text, len);
}

void casefold_add(struct buf *out, struct view text)
{
    buf_room(out, text.len);
    while (text.len > 0) {
        char first = text.data[0];
        int32_t c;

        if (!(first & 0x80)) { /* most text */
            buf_add_char(out, ascii_lower(first));
            text.data++;
            text.len--;
            continue;
        }
        c = utf8_next(&text);
        if (c < 0)
            buf_add_char(out, first);
        else
            add_character(out, u_foldCase(c, U_FOLD_CASE_DEFAULT));
    }
}
