/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/encoded_word.h"

#include "base/ascii.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/decode.h"
#include "mail/lex.h"

#define FRAME (sizeof "=?utf-8?q?" "?=" - 1)

/* What may stand for itself in any field (RFC 2047 §5 (3)). */
static bool is_safe(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static void add_quoted(struct buf *out, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char u = (unsigned char)c;
    char hex[3] = { '=', digits[u >> 4], digits[u & 15] };

    if (c == ' ')
        buf_add_char(out, '_');
    else if (is_safe(c))
        buf_add_char(out, c);
    else
        buf_add(out, hex, sizeof hex);
}

/* How many bytes of `text` fit into `max` bytes of the Q encoding, and how
 * many of them are escaped there. */
static size_t quoted_fit(struct view text, size_t max, size_t *escaped)
{
    size_t used = 0, len = 0;

    *escaped = 0;
    while (len < text.len) {
        bool escape = !is_safe(text.data[len]) && text.data[len] != ' ';

        used += escape ? 3 : 1;
        if (used > max)
            break;
        *escaped += escape;
        len++;
    }
    return utf8_prefix(text, len);
}

size_t encoded_word_add(struct buf *out, struct view text, size_t max)
{
    size_t room = max - FRAME, escaped;
    size_t taken = quoted_fit(text, room, &escaped);

    /* Q can be read by people as long as most of it is letters. */
    if (escaped * 2 > taken) {
        taken = utf8_prefix(text, room / 4 * 3);
        buf_add_text(out, "=?utf-8?b?");
        encode_base64(out, view_sub(text, 0, taken));
    } else {
        buf_add_text(out, "=?utf-8?q?");
        for (size_t i = 0; i < taken; i++)
            add_quoted(out, text.data[i]);
    }
    buf_add_text(out, "?=");
    return taken;
}

/* --- decoding ---------------------------------------------------------- */

struct word {
    struct view charset, payload;
    char encoding; /* 'b' or 'q' */
};

/* Take an encoded word off the front of `*rest`. All parts end at a "?", so
 * that a byte is looked at a few times at most, whatever the text. */
static bool take_word(struct view *rest, struct word *w)
{
    struct view at = *rest;
    struct view letter;

    if (!lex_char(&at, '=') || !lex_char(&at, '?'))
        return false;
    w->charset = lex_run(&at, "?");
    w->charset = view_sub(w->charset, 0, view_index(w->charset, '*'));
    if (w->charset.len == 0 || !lex_char(&at, '?'))
        return false;
    letter = lex_run(&at, "?");
    w->encoding = letter.len == 1 ? ascii_lower(letter.data[0]) : '\0';
    if ((w->encoding != 'b' && w->encoding != 'q') || !lex_char(&at, '?'))
        return false;
    w->payload = lex_run(&at, "?");
    if (!lex_char(&at, '?') || !lex_char(&at, '='))
        return false;
    *rest = at;
    return true;
}

static void add_payload(struct buf *out, const struct word *w)
{
    struct view p = w->payload;

    if (w->encoding == 'b') {
        struct decode d;

        decode_start(&d, DECODE_BASE64);
        decode_add(&d, p, out);
        decode_end(&d, out);
        return;
    }
    for (size_t i = 0; i < p.len; i++) {
        int high = -1, low = -1;

        if (p.data[i] == '=' && p.len - i > 2) {
            high = decode_hex_digit(p.data[i + 1]);
            low = decode_hex_digit(p.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            buf_add_char(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_add_char(out, p.data[i] == '_' ? ' ' : p.data[i]);
        }
    }
}

/* Take blanks off the front. */
static struct view take_blanks(struct view *rest)
{
    struct view all = *rest;

    while (rest->len > 0 && ascii_is_space(rest->data[0]))
        *rest = view_sub(*rest, 1, rest->len);
    return view_sub(all, 0, all.len - rest->len);
}

/* Decode `first` and the words of the same charset that follow it, as one:
 * some senders cut words in the middle of a character. */
static void decode_run(struct buf *out, struct view source, struct word first,
                       struct view *rest)
{
    struct buf bytes = BUF_INIT;
    struct word w = first;
    size_t from = out->len;
    struct view next;

    do {
        add_payload(&bytes, &w);
        next = *rest;
        take_blanks(&next);
    } while (take_word(&next, &w) &&
             view_eq_nocase(w.charset, first.charset) &&
             (*rest = next, true));
    if (charset_to_utf8(first.charset, buf_view(&bytes), out) < 0)
        buf_add(out, source.data, source.len - rest->len);
    buf_release(&bytes);
    for (size_t i = from; i < out->len; i++)
        if (out->data[i] == '\0' || out->data[i] == '\r' ||
            out->data[i] == '\n')
            out->data[i] = ' ';
}

/* Take what no encoded word starts in. Many senders glue words to plain text,
 * so that any "=" may start one. */
static struct view take_plain(struct view *rest)
{
    struct view all = *rest;
    size_t i = 1;

    while (i < all.len && all.data[i] != '=' && !ascii_is_space(all.data[i]))
        i++;
    *rest = view_sub(all, i, all.len);
    return view_sub(all, 0, i);
}

void encoded_word_decode(struct buf *out, struct view text)
{
    bool after_word = false;

    while (text.len > 0) {
        struct view blanks = take_blanks(&text), source = text;
        struct word w;

        if (take_word(&text, &w)) {
            /* Blanks between two encoded words say nothing (§6.2). */
            if (!after_word)
                buf_add_view(out, blanks);
            decode_run(out, source, w, &text);
            after_word = true;
            continue;
        }
        buf_add_view(out, blanks);
        buf_add_view(out, take_plain(&text));
        after_word = false;
    }
}
