/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/esmtp.h"

#include "base/ascii.h"
#include "base/encode.h"
#include "base/utf8.h"

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool is_keyword(struct view k)
{
    if (k.len == 0 || k.len > ESMTP_KEYWORD_MAX || k.data[0] == '-')
        return false;
    for (size_t i = 0; i < k.len; i++)
        if (!ascii_is_alnum(k.data[i]) && k.data[i] != '-')
            return false;
    return true;
}

/* RFC 5321 forbids "=" in a value; clients send it in ORCPT all the same,
 * and nothing is ambiguous about it. */
static bool is_value(struct view v, bool utf8)
{
    if (v.len == 0 || v.len > ESMTP_VALUE_MAX)
        return false;
    for (size_t i = 0; i < v.len; i++)
        if (!ascii_is_visible(v.data[i]) &&
            !(utf8 && (unsigned char)v.data[i] >= 0x80))
            return false;
    return utf8_is_valid(v);
}

static int parse_param(struct view word, bool utf8, struct esmtp_param *p,
                       struct error *err)
{
    size_t equals = view_index(word, '=');

    p->keyword = view_sub(word, 0, equals);
    p->value = view_sub(word, equals + 1, word.len);
    p->has_value = equals < word.len;
    if (!is_keyword(p->keyword))
        return error_set(err, FAIL_PERM, "a parameter's keyword is malformed");
    if (p->has_value && !is_value(p->value, utf8))
        return error_set(err, FAIL_PERM, "the value of %.*s is malformed",
                         VIEW_ARG(p->keyword));
    return 0;
}

static const struct esmtp_param *find(const struct esmtp_params *params,
                                      struct view keyword)
{
    for (size_t i = 0; i < params->count; i++)
        if (view_eq_nocase(params->list[i].keyword, keyword))
            return &params->list[i];
    return NULL;
}

int esmtp_parse(struct view rest, bool utf8, struct esmtp_params *out,
                struct error *err)
{
    struct view word;

    out->count = 0;
    while (view_word(&rest, " ", &word)) {
        struct esmtp_param p;

        if (out->count == ESMTP_PARAMS_MAX)
            return error_set(err, FAIL_PERM, "more than %d parameters",
                             ESMTP_PARAMS_MAX);
        if (parse_param(word, utf8, &p, err) < 0)
            return -1;
        if (find(out, p.keyword) != NULL)
            return error_set(err, FAIL_PERM, "%.*s is given twice",
                             VIEW_ARG(p.keyword));
        out->list[out->count++] = p;
    }
    return 0;
}

const struct esmtp_param *esmtp_find(const struct esmtp_params *params,
                                     const char *keyword)
{
    return find(params, view_of(keyword));
}

static bool is_xchar(char c)
{
    return ascii_is_visible(c) && c != '+' && c != '=';
}

void esmtp_xtext_encode(struct buf *out, struct view text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (is_xchar(text.data[i])) {
            buf_add_char(out, text.data[i]);
        } else {
            char hex[3] = { '+', digits[c >> 4], digits[c & 15] };

            buf_add(out, hex, sizeof hex);
        }
    }
}

/* The byte that xtext has at `*i`, which moves to its last character; -1 if
 * it is none. Digits are upper-case in RFC 3461; senders do not care. */
static int xtext_byte(struct view text, size_t *i)
{
    int high, low;

    if (text.data[*i] != '+')
        return is_xchar(text.data[*i]) ? text.data[*i] : -1;
    if (text.len - *i < 3)
        return -1;
    high = decode_hex_digit(text.data[*i + 1]);
    low = decode_hex_digit(text.data[*i + 2]);
    *i += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int esmtp_xtext_decode(struct buf *out, struct view text, struct error *err)
{
    size_t start = out->len;

    for (size_t i = 0; i < text.len; i++) {
        int c = xtext_byte(text, &i);

        if (c < 0 || ascii_is_control((char)c)) {
            buf_cut(out, start);
            return error_set(err, FAIL_PERM, "the text is not xtext");
        }
        buf_add_char(out, (char)c);
    }
    return 0;
}
