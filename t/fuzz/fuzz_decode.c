/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfer encodings, charsets and encoded words: however a text is cut into
 * pieces, it comes out the same; what was encoded is decoded as it was.
 *
 * The first byte says which; the second is where the text is cut; a charset's
 * name stands before the text, ended by a line's end.
 */
#include "mail/charset.h"
#include "mail/decode.h"
#include "mail/encoded_word.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "t/fuzz/fuzz.h"

static void check_transfer(enum decode_kind kind, struct view text, size_t cut)
{
    struct buf whole = BUF_INIT, parts = BUF_INIT;
    struct decode d;

    decode_start(&d, kind);
    decode_add(&d, text, &whole);
    decode_end(&d, &whole);
    decode_start(&d, kind);
    decode_add(&d, view_sub(text, 0, cut), &parts);
    decode_add(&d, view_sub(text, cut, 2 * cut), &parts);
    decode_add(&d, view_sub(text, 2 * cut, text.len), &parts);
    decode_end(&d, &parts);
    MUST(view_eq(buf_view(&whole), buf_view(&parts)));
    MUST(whole.len <= text.len);
    MUST(kind != DECODE_IDENTITY || view_eq(buf_view(&whole), text));
    buf_release(&whole);
    buf_release(&parts);
}

static void check_base64(struct view text)
{
    struct buf coded = BUF_INIT, plain = BUF_INIT;
    struct decode d;

    encode_base64(&coded, text);
    MUST(decode_base64(&plain, buf_view(&coded)) == 0);
    MUST(view_eq(buf_view(&plain), text));
    buf_reset(&plain);
    decode_start(&d, DECODE_BASE64);
    decode_add(&d, buf_view(&coded), &plain);
    decode_end(&d, &plain);
    MUST(view_eq(buf_view(&plain), text));
    buf_reset(&plain);
    buf_reset(&coded);
    /* What the strict reader takes has one form. */
    if (decode_base64(&plain, text) == 0) {
        encode_base64(&coded, buf_view(&plain));
        MUST(view_eq(buf_view(&coded), text));
    }
    buf_release(&coded);
    buf_release(&plain);
}

static void check_crlf(struct view text, size_t cut)
{
    struct buf whole = BUF_INIT, parts = BUF_INIT;
    char last = '\0';

    decode_crlf(text, &last, &whole);
    last = '\0';
    decode_crlf(view_sub(text, 0, cut), &last, &parts);
    decode_crlf(view_sub(text, cut, text.len), &last, &parts);
    MUST(view_eq(buf_view(&whole), buf_view(&parts)));
    MUST(whole.len <= 2 * text.len);
    for (size_t i = 0; i < whole.len; i++)
        MUST(whole.data[i] != '\n' || (i > 0 && whole.data[i - 1] == '\r'));
    buf_reset(&parts);
    last = '\0';
    decode_crlf(buf_view(&whole), &last, &parts);
    MUST(view_eq(buf_view(&whole), buf_view(&parts)));
    buf_release(&whole);
    buf_release(&parts);
}

static void check_charset(struct view text, size_t cut)
{
    struct buf whole = BUF_INIT, parts = BUF_INIT;
    struct charset *cs;
    struct view name;

    view_cut(&text, '\n', &name);
    cs = charset_open(name);
    MUST((charset_to_utf8(name, text, &whole) == 0) == (cs != NULL));
    if (cs != NULL) {
        charset_convert(cs, view_sub(text, 0, cut), false, &parts);
        charset_convert(cs, view_sub(text, cut, text.len), true, &parts);
        MUST(utf8_is_valid(buf_view(&whole)));
        MUST(view_eq(buf_view(&whole), buf_view(&parts)));
        buf_reset(&parts); /* it is ready for another text */
        charset_convert(cs, text, true, &parts);
        MUST(view_eq(buf_view(&whole), buf_view(&parts)));
    }
    charset_close(&cs);
    buf_release(&whole);
    buf_release(&parts);
}

/* Valid text without line ends, as encoded words, comes back; any text gives
 * none. */
static void check_words(struct view text, size_t max)
{
    struct buf coded = BUF_INIT, plain = BUF_INIT;
    struct view rest = text;

    encoded_word_decode(&plain, text);
    MUST(memchr(buf_text(&plain), '\r', plain.len) == NULL ||
         memchr(text.data, '\r', text.len) != NULL);
    buf_reset(&plain);
    max = ENCODED_WORD_MIN + max % (ENCODED_WORD_MAX - ENCODED_WORD_MIN + 1);
    while (utf8_is_valid(text) && rest.len > 0) {
        size_t start = coded.len, took;

        took = encoded_word_add(&coded, rest, max);
        MUST(took > 0 && took <= rest.len && coded.len - start <= max);
        rest = view_sub(rest, took, rest.len);
        buf_add_char(&coded, ' ');
    }
    encoded_word_decode(&plain, view_trim(buf_view(&coded)));
    MUST(!utf8_is_valid(text) || plain.len == text.len);
    for (size_t i = 0; i < plain.len; i++)
        MUST(plain.data[i] == text.data[i] ||
             (plain.data[i] == ' ' && strchr("\r\n", text.data[i]) != NULL));
    buf_release(&coded);
    buf_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = fuzz_text(data + 2, len - 2);
    size_t cut;

    if (len < 2)
        return 0;
    cut = data[1];
    switch (data[0] % 5) {
    case 0:
        check_transfer(DECODE_BASE64, text, cut);
        check_base64(text);
        break;
    case 1:
        check_transfer(DECODE_QUOTED_PRINTABLE, text, cut);
        break;
    case 2:
        check_transfer(DECODE_IDENTITY, text, cut);
        check_crlf(text, cut);
        break;
    case 3:
        check_charset(text, cut);
        break;
    default:
        check_words(text, cut);
        break;
    }
    return 0;
}
