/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void words_are_decoded(void **state)
{
    static const struct {
        const char *text, *plain;
    } t[] = {
        /* RFC 2047 §8 */
        { "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
          "Keith Moore <moore@cs.utk.edu>" },
        { "=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xc3\xa9 Pirard" },
        { "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
          "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
          "If you can read this you understand the example." },
        { "(=?ISO-8859-1?Q?a?=)", "(a)" },
        { "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
        { "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
        { "(=?ISO-8859-1?Q?a?=  \r\n  =?ISO-8859-1?Q?b?=)", "(ab)" },
        { "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
        { "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
        /* RFC 2231 §5 */
        { "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
        { "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
        /* a character cut in two */
        { "=?utf-8?b?4oI=?= =?utf-8?q?=AC?=", "\xe2\x82\xac" },
        /* malformed, unknown, glued */
        { "=?utf-8?q?a?", "=?utf-8?q?a?" },
        { "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
        { "=?utf-8?q?a b?=", "=?utf-8?q?a b?=" },
        { "=??q?a?=", "=??q?a?=" },
        { "=?x-nope?q?a=41?=", "=?x-nope?q?a=41?=" },
        { "=?../../x?q?a=41?=", "=?../../x?q?a=41?=" },
        { "=?x-nope?q?a?= =?x-nope?q?b?= c",
          "=?x-nope?q?a?= =?x-nope?q?b?= c" },
        { "a=?utf-8?q?b?=c", "abc" },
        { "=?=?utf-8?q?b?=", "=?b" },
        { "=?utf-8?q?a=4?=", "a=4" },
        { "=?utf-8?q?a=0D=0Ab=00c?=", "a  b c" },
        { "=?utf-8?q?=FF?=", "\xef\xbf\xbd" },
        { "=?utf-8?b?YWJj?=", "abc" },
        { "=?utf-8?b?YWI?=", "ab" },
        { "  a  b ", "  a  b " },
        { "", "" },
        { "caf\xc3\xa9", "caf\xc3\xa9" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;

        buf_add_text(&b, "");
        encoded_word_decode(&b, view_of(t[i].text));
        if (strcmp(buf_text(&b), t[i].plain) != 0)
            fail_msg("%s: %s", t[i].text, buf_text(&b));
        buf_release(&b);
    }
}

/* Texts that a careless decoder would look at again and again. */
static void decoding_goes_on_in_long_texts(void **state)
{
    static const char *const pieces[] = {
        "=?", "=?a?q?", "=?utf-8?q?x", "a ", " ", "=", "=?utf-8?q?x?= ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct buf text = BUF_INIT, out = BUF_INIT;

        while (text.len < 1000000)
            buf_add_text(&text, pieces[i]);
        encoded_word_decode(&out, buf_view(&text));
        assert_true(out.len > 0);
        assert_true(out.len <= text.len);
        buf_release(&text);
        buf_release(&out);
    }
}

static void an_encoded_word_fits_and_holds_whole_characters(void **state)
{
    struct view text = VIEW("\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xa9 abc "
                            "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");

    (void)state;
    for (size_t max = ENCODED_WORD_MIN; max <= ENCODED_WORD_MAX; max++) {
        struct view rest = text;
        struct buf all = BUF_INIT, back = BUF_INIT;

        while (rest.len > 0) {
            size_t before = all.len;
            size_t n = encoded_word_add(&all, rest, max);

            assert_true(n > 0);
            assert_true(all.len - before <= max);
            assert_true(utf8_is_valid(view_sub(rest, 0, n)));
            rest = view_sub(rest, n, rest.len);
            buf_add_char(&all, ' ');
        }
        buf_cut(&all, all.len - 1);
        encoded_word_decode(&back, buf_view(&all));
        assert_view(text, buf_text(&back));
        buf_release(&all);
        buf_release(&back);
    }
}

static void charsets_are_known_by_name(void **state)
{
    static const struct {
        const char *name;
        struct view in;
        const char *out; /* NULL: unknown */
    } t[] = {
        { "utf-8", VIEW("a\xc3\xa9"), "a\xc3\xa9" },
        { "US-ASCII", VIEW("a\xc3\xa9"), "a\xc3\xa9" },
        { "iso-8859-15", VIEW("\xa4"), "\xe2\x82\xac" },
        { "windows-1251", VIEW("\xcf"), "\xd0\x9f" },
        { "KOI8-R", VIEW("\xf0"), "\xd0\x9f" },
        { "gb2312", VIEW("\xc4\xe3"), "\xe4\xbd\xa0" },
        { "big5", VIEW("\xa7\x41"), "\xe4\xbd\xa0" },
        { "utf-16le", VIEW("a\0"), "a" },
        { "utf-7", VIEW("+IKw-"), "\xe2\x82\xac" },
        { "utf-8", VIEW("\xff" "a\xc3"), "\xef\xbf\xbd" "a\xef\xbf\xbd" },
        { "nonesuch", VIEW("a"), NULL },
        { "", VIEW("a"), NULL },
        { "../../etc/passwd", VIEW("a"), NULL },
        { "utf-8,version=1", VIEW("a"), NULL },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
          VIEW("a"), NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;
        int rc = charset_to_utf8(view_of(t[i].name), t[i].in, &b);

        assert_int_equal(rc, t[i].out ? 0 : -1);
        assert_buf(&b, t[i].out ? t[i].out : "");
        buf_release(&b);
    }
}

static void characters_may_come_in_pieces(void **state)
{
    struct charset *cs = charset_open(VIEW("iso-2022-jp"));
    struct view in = VIEW("\x1b$BF|K\\\x1b(B!");
    struct buf b = BUF_INIT;

    (void)state;
    assert_non_null(cs);
    for (int round = 0; round < 2; round++) {
        buf_reset(&b);
        for (size_t i = 0; i < in.len; i++)
            charset_convert(cs, view_sub(in, i, i + 1), i + 1 == in.len, &b);
        assert_buf(&b, "\xe6\x97\xa5\xe6\x9c\xac!");
    }
    charset_close(&cs);
    assert_null(cs);

    cs = charset_open(VIEW("iso-8859-1"));
    buf_reset(&b);
    for (int i = 0; i < 5000; i++)
        charset_convert(cs, VIEW("\xe9\xe9\xe9\xe9\xe9\xe9\xe9"), i == 4999,
                        &b);
    assert_int_equal(b.len, 70000);
    charset_close(&cs);
    buf_release(&b);
}

static void hidden_characters_are_known(void **state)
{
    static const int32_t hidden[] = { 0, 0x1f, 0x7f, 0x85, 0x200b, 0x202e,
                                      0x2066, 0xfeff, 0xfffe, 0x1ffff };
    static const int32_t shown[] = { ' ', 'a', 0xa0, 0xe9, 0x301, 0x200d,
                                     0x65e5, 0x1f600 };

    (void)state;
    for (size_t i = 0; i < COUNT(hidden); i++)
        assert_true(utf8_is_hidden(hidden[i]));
    for (size_t i = 0; i < COUNT(shown); i++)
        assert_false(utf8_is_hidden(shown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_decoded),
        cmocka_unit_test(decoding_goes_on_in_long_texts),
        cmocka_unit_test(an_encoded_word_fits_and_holds_whole_characters),
        cmocka_unit_test(charsets_are_known_by_name),
        cmocka_unit_test(characters_may_come_in_pieces),
        cmocka_unit_test(hidden_characters_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
