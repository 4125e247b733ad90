/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"

static const char digits64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void encode_base64(struct buf *out, struct view v)
{
    const unsigned char *p = (const unsigned char *)v.data;
    size_t left = v.len;

    for (; left > 0; p += 3, left -= left < 3 ? left : 3) {
        unsigned n = (unsigned)p[0] << 16;
        char four[4] = { '=', '=', '=', '=' };

        if (left > 1)
            n |= (unsigned)p[1] << 8;
        if (left > 2)
            n |= p[2];
        four[0] = digits64[n >> 18];
        four[1] = digits64[(n >> 12) & 63];
        if (left > 1)
            four[2] = digits64[(n >> 6) & 63];
        if (left > 2)
            four[3] = digits64[n & 63];
        buf_add(out, four, 4);
    }
}

static int value64(char c)
{
    const char *at = c ? strchr(digits64, c) : NULL;

    return at ? (int)(at - digits64) : -1;
}

/* Decode the four characters at `p`, the last group if `last`. */
static int decode_group(struct buf *out, const char *p, int last)
{
    int bytes = 3;
    unsigned n = 0;
    char three[3];

    if (last && p[3] == '=')
        bytes = p[2] == '=' ? 1 : 2;
    for (int i = 0; i < 4; i++) {
        int value = i <= bytes ? value64(p[i]) : 0;

        if (value < 0)
            return -1;
        n = n << 6 | (unsigned)value;
    }
    if ((bytes == 1 && (n & 0xffff)) || (bytes == 2 && (n & 0xff)))
        return -1; /* bits that stand for nothing must be zero */
    three[0] = (char)(n >> 16);
    three[1] = (char)(n >> 8);
    three[2] = (char)n;
    buf_add(out, three, (size_t)bytes);
    return 0;
}

int decode_base64(struct buf *out, struct view v)
{
    size_t start = out->len;

    if (v.len % 4 != 0)
        return -1;
    for (size_t i = 0; i < v.len; i += 4) {
        if (decode_group(out, v.data + i, i + 4 == v.len) < 0) {
            buf_cut(out, start);
            return -1;
        }
    }
    return 0;
}

void encode_hex(struct buf *out, struct view v)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.data[i];

        buf_add_char(out, digits[c >> 4]);
        buf_add_char(out, digits[c & 15]);
    }
}

int decode_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int decode_hex(struct buf *out, struct view v)
{
    size_t start = out->len;

    if (v.len % 2 != 0)
        return -1;
    for (size_t i = 0; i < v.len; i += 2) {
        int high = decode_hex_digit(v.data[i]);
        int low = decode_hex_digit(v.data[i + 1]);

        if (high < 0 || low < 0) {
            buf_cut(out, start);
            return -1;
        }
        buf_add_char(out, (char)(high << 4 | low));
    }
    return 0;
}
