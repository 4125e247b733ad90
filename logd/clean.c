/* SPDX-License-Identifier: BSD-2-Clause */
/* What came from outside must not move a terminal's cursor (CWE-150). */
#include "base/ascii.h"
#include "logd/logd.h"

/* The length of the valid UTF-8 sequence at the front of `v` that is no
 * control character (C1 among them), or 0 (RFC 3629 §4). */
static size_t utf8_length(struct view v)
{
    const unsigned char *p = (const unsigned char *)v.data;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;

    if (len == 0 || p[0] > 0xf4 || v.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    if (p[0] == 0xc2 && p[1] < 0xa0)
        return 0;
    /* Bidirectional overrides change what a reader sees: U+202A to U+202E,
     * U+2066 to U+2069. */
    if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
                         (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
        return 0;
    return len;
}

void logd_clean(struct buf *out, struct view text)
{
    while (text.len > 0) {
        char c = text.data[0];
        size_t len = 1;

        if ((unsigned char)c >= 0x80)
            len = utf8_length(text);
        if (len == 0 || ascii_is_control(c)) {
            buf_addf(out, "\\x%02x", (unsigned char)c);
            len = 1;
        } else {
            buf_add(out, text.data, len);
        }
        text = view_sub(text, len, text.len);
    }
}
