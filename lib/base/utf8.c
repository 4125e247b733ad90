/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

/* How many bytes follow the lead byte `c`, and the smallest number such a
 * sequence may stand for; -1 for what leads nothing. */
static int followers(unsigned char c, int32_t *value, int32_t *least)
{
    if (c >= 0xc2 && c <= 0xdf) {
        *value = c & 0x1f;
        *least = 0x80;
        return 1;
    }
    if (c >= 0xe0 && c <= 0xef) {
        *value = c & 0x0f;
        *least = 0x800;
        return 2;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *value = c & 0x07;
        *least = 0x10000;
        return 3;
    }
    return -1;
}

int32_t utf8_next(struct view *rest)
{
    unsigned char c = (unsigned char)rest->data[0];
    int32_t value, least;
    int more;

    if (c < 0x80) {
        *rest = view_sub(*rest, 1, rest->len);
        return c;
    }
    more = followers(c, &value, &least);
    if (more > 0 && rest->len > (size_t)more) {
        int i = 1;

        for (; i <= more && ((unsigned char)rest->data[i] & 0xc0) == 0x80; i++)
            value = value << 6 | ((unsigned char)rest->data[i] & 0x3f);
        if (i > more && value >= least && value <= 0x10ffff &&
            (value < 0xd800 || value > 0xdfff)) {
            *rest = view_sub(*rest, (size_t)more + 1, rest->len);
            return value;
        }
    }
    *rest = view_sub(*rest, 1, rest->len);
    return -1;
}

bool utf8_is_valid(struct view v)
{
    while (v.len > 0)
        if (utf8_next(&v) < 0)
            return false;
    return true;
}

bool utf8_has_high(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] >= 0x80)
            return true;
    return false;
}

bool utf8_is_hidden(int32_t c)
{
    static const struct {
        int32_t first, last;
    } hidden[] = {
        { 0x0000, 0x001f }, /* C0 */
        { 0x007f, 0x009f }, /* DEL, C1 */
        { 0x061c, 0x061c }, /* Arabic letter mark */
        { 0x200b, 0x200b }, /* zero-width space; the joiners are letters'
                               own in Persian and Indic names */
        { 0x200e, 0x200f }, /* directional marks */
        { 0x2028, 0x202e }, /* separators, embeddings, overrides */
        { 0x2060, 0x206f }, /* word joiner, isolates, deprecated */
        { 0xfdd0, 0xfdef }, /* noncharacters */
        { 0xfeff, 0xfeff }, /* byte order mark */
        { 0xfff9, 0xfffb }, /* interlinear annotation */
        { 0xe0000, 0xe007f }, /* tags */
    };

    if ((c & 0xfffe) == 0xfffe)
        return true;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return true;
    return false;
}

size_t utf8_prefix(struct view v, size_t max)
{
    struct view rest = v;
    size_t len = 0;

    while (rest.len > 0) {
        utf8_next(&rest);
        if (v.len - rest.len > max)
            break;
        len = v.len - rest.len;
    }
    if (len == 0 && v.len > 0 && max > 0)
        return 1;
    return len;
}

void utf8_add_visible(struct buf *out, struct view v)
{
    while (v.len > 0) {
        struct view at = v;
        int32_t c = utf8_next(&v);
        size_t len = at.len - v.len;

        if (c >= 0 && !utf8_is_hidden(c))
            buf_add(out, at.data, len);
        else
            for (size_t i = 0; i < len; i++)
                buf_addf(out, "\\x%02x", (unsigned char)at.data[i]);
    }
}
