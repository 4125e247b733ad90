/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/decode.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Decode `in` in pieces of `step` bytes. */
static void decode(struct buf *out, enum decode_kind kind, struct view in,
                   size_t step)
{
    struct decode d;

    buf_reset(out);
    buf_add_text(out, "");
    decode_start(&d, kind);
    for (size_t i = 0; i < in.len; i += step)
        decode_add(&d, view_sub(in, i, i + step), out);
    decode_end(&d, out);
}

static void encodings_are_undone(void **state)
{
    static const struct {
        const char *encoding;
        const char *in, *out;
    } t[] = {
        { "base64", "aGVsbG8=", "hello" },
        { "BASE64", "aGVs\r\nbG8h\r\n", "hello!" },
        { "base64", "aGVsbG8", "hello" },  /* no padding */
        { "base64", "aGVsb", "hel" },      /* a digit too many */
        { "base64", "aGVs bG8*=\x01", "hello" },
        { "base64", "aGk=aGk=", "hihi" },  /* joined pieces */
        { "base64", "====", "" },
        { "base64", "", "" },
        { "quoted-printable", "a=3Db=c3=A9", "a=b\xc3\xa9" },
        { "Quoted-Printable", "soft=\r\nline=\nends=  \r\n!", "softlineends!" },
        { "quoted-printable", "blank \t\r\nend \nx ", "blank\r\nend\nx" },
        { "quoted-printable", "a b  c", "a b  c" },
        { "quoted-printable", "=", "" },
        { "quoted-printable", "=4", "=4" },
        { "quoted-printable", "=4x", "=4x" },
        { "quoted-printable", "=xx", "=xx" },
        { "quoted-printable", "==41", "=A" },
        { "quoted-printable", "a =\r\nb", "a b" },
        { "quoted-printable", "a\rb \r", "a\rb \r" },
        { "quoted-printable", "= \tx", "= \tx" },
        { "quoted-printable", "= \rx", "= \rx" },
        { "8bit", "a=3D", "a=3D" },
        { "x-uuencode", "abc", "abc" },
        { "", "abc", "abc" },
    };
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        enum decode_kind kind = decode_kind_of(view_of(t[i].encoding));

        for (size_t step = 1; step < 20; step++) {
            decode(&b, kind, view_of(t[i].in), step);
            if (strcmp(buf_text(&b), t[i].out) != 0)
                fail_msg("%s by %zu: '%s'", t[i].in, step, buf_text(&b));
        }
    }
    buf_release(&b);
}

static void long_runs_of_blanks_are_kept(void **state)
{
    struct buf in = BUF_INIT, out = BUF_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_add_char(&in, ' ');
    buf_add_char(&in, 'x');
    decode(&out, DECODE_QUOTED_PRINTABLE, buf_view(&in), 7);
    assert_buf(&out, buf_text(&in));
    buf_release(&in);
    buf_release(&out);
}

static void line_ends_become_crlf(void **state)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        { "a\nb\n", "a\r\nb\r\n" }, { "a\r\nb\r\n", "a\r\nb\r\n" },
        { "\n\n", "\r\n\r\n" },     { "\r\r\n\n", "\r\r\n\r\n" },
        { "a\rb", "a\rb" },         { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        for (size_t step = 1; step < 8; step++) {
            struct view in = view_of(t[i].in);
            struct buf b = BUF_INIT;
            char last = 0;

            buf_add_text(&b, "");
            for (size_t at = 0; at < in.len; at += step)
                decode_crlf(view_sub(in, at, at + step), &last, &b);
            assert_buf(&b, t[i].out);
            buf_release(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_undone),
        cmocka_unit_test(long_runs_of_blanks_are_kept),
        cmocka_unit_test(line_ends_become_crlf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
