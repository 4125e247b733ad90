/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/decode.h"

#include "base/ascii.h"
#include "base/encode.h"

enum {
    QP_TEXT,   /* no escape */
    QP_CR,     /* a CR that may belong to a line end */
    QP_EQUALS, /* "=" */
    QP_SOFT,   /* "=" and blanks: a soft line end if one follows */
    QP_SOFT_CR,
    QP_HEX, /* "=" and a digit */
};

enum decode_kind decode_kind_of(struct view encoding)
{
    if (view_is_nocase(encoding, "base64"))
        return DECODE_BASE64;
    if (view_is_nocase(encoding, "quoted-printable"))
        return DECODE_QUOTED_PRINTABLE;
    return DECODE_IDENTITY;
}

void decode_start(struct decode *d, enum decode_kind kind)
{
    *d = (struct decode){ .kind = kind };
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Append the whole bytes of an unfinished group. */
static void end_group(struct decode *d, struct buf *out)
{
    if (d->digits >= 2)
        buf_add_char(out, (char)(d->bits >> (d->digits * 6 - 8)));
    if (d->digits == 3)
        buf_add_char(out, (char)(d->bits >> 2));
    d->digits = 0;
    d->bits = 0;
}

/* Padding ends a group and not the text: some senders join encoded pieces. */
static void add_base64(struct decode *d, struct view in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++) {
        int value = digit64(in.data[i]);

        if (in.data[i] == '=')
            end_group(d, out);
        if (value < 0)
            continue;
        d->bits = d->bits << 6 | (uint32_t)value;
        if (++d->digits == 4) {
            char three[3] = { (char)(d->bits >> 16), (char)(d->bits >> 8),
                              (char)d->bits };

            buf_add(out, three, sizeof three);
            d->digits = 0;
            d->bits = 0;
        }
    }
}

/* Give out what was held back, since it does not end a line. */
static void flush(struct decode *d, struct buf *out)
{
    buf_add(out, d->held, d->held_len);
    d->held_len = 0;
}

/* One character outside of escapes; blanks at a line's end were added on the
 * way and do not count (RFC 2045 §6.7 rule 3). */
static void add_plain(struct decode *d, char c, struct buf *out)
{
    if (c == ' ' || c == '\t') {
        if (d->held_len == sizeof d->held)
            flush(d, out);
        d->held[d->held_len++] = c;
        return;
    }
    if (c == '\r') {
        d->state = QP_CR;
        return;
    }
    if (c == '\n')
        d->held_len = 0;
    flush(d, out);
    if (c == '=')
        d->state = QP_EQUALS;
    else
        buf_add_char(out, c);
}

/* The character behind "=", or behind that and what may be a soft line end. */
static bool add_after_equals(struct decode *d, int state, char c,
                             struct buf *out)
{
    if (c == '\n') {
        d->held_len = 0;
        return true;
    }
    if (state == QP_EQUALS && decode_hex_digit(c) >= 0) {
        d->state = QP_HEX;
        d->hex = c;
        return true;
    }
    if (state != QP_SOFT_CR && c == '\r') {
        d->state = QP_SOFT_CR;
        return true;
    }
    if (state != QP_SOFT_CR && (c == ' ' || c == '\t') &&
        d->held_len < sizeof d->held) {
        d->held[d->held_len++] = c;
        d->state = QP_SOFT;
        return true;
    }
    buf_add_char(out, '=');
    flush(d, out);
    if (state == QP_SOFT_CR)
        buf_add_char(out, '\r');
    return false;
}

/* One character inside an escape. False: it ended before `c`, which is still
 * to be looked at. */
static bool add_escaped(struct decode *d, char c, struct buf *out)
{
    int state = d->state;

    d->state = QP_TEXT;
    if (state == QP_CR) {
        if (c == '\n')
            d->held_len = 0;
        flush(d, out);
        buf_add_char(out, '\r');
        return false;
    }
    if (state == QP_HEX) {
        int low = decode_hex_digit(c);

        if (low >= 0) {
            buf_add_char(out, (char)(decode_hex_digit(d->hex) << 4 | low));
            return true;
        }
        buf_add_char(out, '=');
        buf_add_char(out, d->hex);
        return false;
    }
    return add_after_equals(d, state, c, out);
}

static void add_quoted(struct decode *d, struct view in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i++)
        if (d->state == QP_TEXT || !add_escaped(d, in.data[i], out))
            add_plain(d, in.data[i], out);
}

void decode_add(struct decode *d, struct view in, struct buf *out)
{
    if (d->kind == DECODE_BASE64)
        add_base64(d, in, out);
    else if (d->kind == DECODE_QUOTED_PRINTABLE)
        add_quoted(d, in, out);
    else
        buf_add_view(out, in);
}

void decode_end(struct decode *d, struct buf *out)
{
    if (d->kind == DECODE_BASE64)
        end_group(d, out);
    if (d->state == QP_HEX) {
        buf_add_char(out, '=');
        buf_add_char(out, d->hex);
    }
    if (d->state == QP_CR) {
        flush(d, out);
        buf_add_char(out, '\r');
    }
    decode_start(d, d->kind); /* blanks at the end end the last line */
}

void decode_crlf(struct view in, char *last, struct buf *out)
{
    while (in.len > 0) {
        size_t at = view_index(in, '\n');
        char before = at > 0 ? in.data[at - 1] : *last;

        buf_add(out, in.data, at);
        if (at == in.len) {
            *last = in.data[in.len - 1];
            return;
        }
        buf_add_text(out, before == '\r' ? "\n" : "\r\n");
        *last = '\n';
        in = view_sub(in, at + 1, in.len);
    }
}
