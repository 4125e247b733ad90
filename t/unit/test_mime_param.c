/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mime.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void parse(struct mime *m, struct view message)
{
    struct mime_source src = mime_source_memory(message);
    struct error err;

    if (mime_parse(m, &src, MIME_LIMITS_DEFAULT, &err) < 0)
        fail_msg("%s", err.text);
}

static void fields_are_taken_from_the_header(void **state)
{
    struct view text = VIEW(
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: (x) Quoted-Printable (y)\r\n"
        "Content-ID: <a@b>\r\n"
        "Content-Description: two\r\n lines\r\n"
        "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
        "Content-Disposition: attachment; filename=\"x \\\"y\\\".txt\";\r\n"
        " size=3\r\n"
        "Content-Language: de, en\r\n"
        "Content-Location: http://x/y\r\n"
        "Subject: s1\r\nSubject: s2\r\nTo: a@b\r\nTO: c@d\r\n\r\n");
    const struct mime_part *p;
    struct buf b = BUF_INIT;
    struct mime m;

    (void)state;
    parse(&m, text);
    p = &m.parts[0];
    assert_view(mime_text(&m, p->encoding), "Quoted-Printable");
    assert_view(mime_text(&m, p->id), "<a@b>");
    assert_view(mime_text(&m, p->description), "two lines");
    assert_view(mime_text(&m, p->md5), "Q2hlY2sgSW50ZWdyaXR5IQ==");
    assert_view(mime_text(&m, p->disposition), "attachment");
    assert_view(mime_text(&m, p->language), "de, en");
    assert_view(mime_text(&m, p->location), "http://x/y");
    assert_int_equal(p->disposition_params.count, 2);
    assert_true(mime_param(&m, p->disposition_params, "FILENAME", &b));
    assert_buf(&b, "x \"y\".txt");
    assert_false(mime_param(&m, p->type_params, "filename", &b));
    assert_view(mime_text(&m, m.envelopes[0].value[MIME_SUBJECT]), "s1");
    assert_view(mime_text(&m, m.envelopes[0].value[MIME_TO]), "a@b, c@d");
    assert_int_equal(m.envelopes[0].has, 1 << MIME_SUBJECT | 1 << MIME_TO);
    assert_int_equal(p->flags, 0);
    mime_release(&m);
    buf_release(&b);
}

static void parameters_are_joined_and_decoded(void **state)
{
    static const struct {
        const char *params;
        const char *list;  /* as they stand */
        const char *value; /* of "n", decoded; NULL: there is none */
    } t[] = {
        { "; n=v", "n=v|", "v" },
        { ";n = \"a b\" ; o=2;", "n=a b|o=2|", "a b" },
        { "; n=(c)v(d)", "n=v|", "v" },
        { "; n=\"a\\\\b\\\"c\"", "n=a\\b\"c|", "a\\b\"c" },
        { "; n=\"a\r\n b\"", "n=a b|", "a b" },
        { "; n=\"open", "n=open|", "open" },
        { "; n=a=b/c", "n=a=b/c|", "a=b/c" },
        { "; n=", "n=|", "" },
        { "; n; =x; n=v", "n=v|", "v" },
        { " n=x; n=v junk; o=1", "n=v|o=1|", "v" },
        { "; n=v; N=w", "n=v|", "v" },
        { ";;; ; n=v", "n=v|", "v" },
        { "", "", NULL },
        /* RFC 2231 §3, §4, §4.1 */
        { "; n*0=\"ftp://\"; n*1=\"cs.utk.edu/pub\"",
          "n=ftp://cs.utk.edu/pub|", "ftp://cs.utk.edu/pub" },
        { "; n*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
          "n*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A|",
          "This is ***fun***" },
        { "; n*0*=us-ascii'en'This%20is%20even%20more%20;"
          " n*1*=%2A%2A%2Afun%2A%2A%2A%20; n*2=\"isn't it!\"",
          "n*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20"
          "isn%27t%20it!|", "This is even more ***fun*** isn't it!" },
        { "; n*=iso-8859-1''%E9", "n*=iso-8859-1''%E9|", "\xc3\xa9" },
        /* out of order, doubled, with gaps, too many (H30) */
        { "; n*2=c; n*0=a; n*1=b", "n=abc|", "abc" },
        { "; n*0=a; n*0=x; n*1=b", "n=ab|", "ab" },
        { "; n*0=a; n*2=c", "n=a|", "a" },
        { "; n*1=a", "", NULL },
        { "; n*0=a; n*1*=%C3%A9", "n*=''a%C3%A9|", "a\xc3\xa9" },
        { "; n*x=a; n*-1=b; *=c; n*0x=d", "n*x=a|n*-1=b|*=c|n*0x=d|", NULL },
        { "; n*99999999999999999999=a", "n*99999999999999999999=a|", NULL },
        { "; n=plain; n*=utf-8''better", "n=plain|n*=utf-8''better|",
          "better" },
        { "; n*0=a; n=plain; n*1=b", "n=plain|", "plain" },
        { "; o*0=1; n=v; o*1=2", "o=12|n=v|", "v" },
        /* malformed encodings, unknown charsets */
        { "; n*=a%4", "n*=a%4|", "a%4" },
        { "; n*=x-nope''%41", "n*=x-nope''%41|", "A" },
        { "; n*=../../x''%41", "n*=../../x''%41|", "A" },
        { "; n*=utf-8''a%00%0D%0Ab", "n*=utf-8''a%00%0D%0Ab|", "a   b" },
        { "; n=\"=?utf-8?q?caf=C3=A9?=\"", "n==?utf-8?q?caf=C3=A9?=|",
          "caf\xc3\xa9" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf text = BUF_INIT, b = BUF_INIT;
        const struct mime_part *p;
        struct mime m;

        buf_addf(&text, "Content-Type: text/plain%s\r\n\r\n", t[i].params);
        parse(&m, buf_view(&text));
        p = &m.parts[0];
        buf_add_text(&b, "");
        for (uint32_t k = 0; k < p->type_params.count; k++) {
            const struct mime_param *q = &m.params[p->type_params.first + k];

            buf_add_view(&b, mime_text(&m, q->name));
            buf_add_char(&b, '=');
            buf_add_view(&b, mime_text(&m, q->value));
            buf_add_char(&b, '|');
        }
        if (strcmp(buf_text(&b), t[i].list) != 0)
            fail_msg("%s: %s", t[i].params, buf_text(&b));
        buf_reset(&b);
        assert_int_equal(mime_param(&m, p->type_params, "n", &b),
                         t[i].value != NULL);
        if (t[i].value != NULL && strcmp(buf_text(&b), t[i].value) != 0)
            fail_msg("%s: %s", t[i].params, buf_text(&b));
        mime_release(&m);
        buf_release(&text);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_taken_from_the_header),
        cmocka_unit_test(parameters_are_joined_and_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
