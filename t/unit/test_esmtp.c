/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/esmtp.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void parameters_are_split(void **state)
{
    struct esmtp_params p;
    struct error err;

    (void)state;
    assert_int_equal(esmtp_parse(VIEW(""), false, &p, &err), 0);
    assert_int_equal(p.count, 0);
    assert_int_equal(esmtp_parse(VIEW(" SIZE=1000  body=8BITMIME SMTPUTF8 "
                                      "ORCPT=rfc822;a+3Db=c@x.org "),
                                 false, &p, &err), 0);
    assert_int_equal(p.count, 4);
    assert_view(esmtp_find(&p, "size")->value, "1000");
    assert_view(esmtp_find(&p, "BODY")->value, "8BITMIME");
    assert_false(esmtp_find(&p, "SMTPUTF8")->has_value);
    assert_view(esmtp_find(&p, "ORCPT")->value, "rfc822;a+3Db=c@x.org");
    assert_null(esmtp_find(&p, "AUTH"));
    assert_int_equal(esmtp_parse(VIEW(" X=\xc3\xa9"), true, &p, &err), 0);
}

static void malformed_parameters_are_refused(void **state)
{
    static const struct view t[] = {
        VIEW(" SIZE="),       VIEW(" =1"),           VIEW(" SI_ZE=1"),
        VIEW(" -SIZE=1"),     VIEW(" SIZE=1 size=2"), VIEW(" X X"),
        VIEW(" X=a\tb"),      VIEW(" X=\x7f"),       VIEW(" X=\0"),
        VIEW("\tSIZE=1"),     VIEW(" X=\xc3\xa9"),   VIEW(" X\xc3\xa9=1"),
        VIEW(" SIZE=1\r"),    VIEW(" X=\xe9"),
        VIEW(" ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567=1"),
    };
    struct esmtp_params p;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        if (esmtp_parse(t[i], false, &p, &err) == 0)
            fail_msg("accepted:%.*s", VIEW_ARG(t[i]));
    assert_int_equal(esmtp_parse(VIEW(" X=\xe9"), true, &p, &err), -1);
}

static void there_is_a_limit_to_all_of_it(void **state)
{
    struct buf b = BUF_INIT;
    struct esmtp_params p;
    struct error err;

    (void)state;
    for (int i = 0; i < ESMTP_PARAMS_MAX; i++)
        buf_addf(&b, " K%d=v", i);
    assert_int_equal(esmtp_parse(buf_view(&b), false, &p, &err), 0);
    buf_add_text(&b, " K=v");
    assert_int_equal(esmtp_parse(buf_view(&b), false, &p, &err), -1);

    buf_reset(&b);
    buf_add_text(&b, " ENVID=");
    for (int i = 0; i < 10240; i++)
        buf_add_char(&b, 'x');
    assert_int_equal(esmtp_parse(buf_view(&b), false, &p, &err), -1);
    buf_release(&b);
}

static void xtext_comes_back(void **state)
{
    static const struct {
        const char *text, *xtext;
    } t[] = {
        { "", "" },
        { "Bob@Example.COM", "Bob@Example.COM" },
        { "a+b=c", "a+2Bb+3Dc" },
        { "\"a b\"@x", "\"a+20b\"@x" },
        { "\xc3\xa9", "+C3+A9" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;
        struct error err;

        buf_add_text(&b, "");
        esmtp_xtext_encode(&b, view_of(t[i].text));
        assert_buf(&b, t[i].xtext);
        buf_reset(&b);
        assert_int_equal(esmtp_xtext_decode(&b, view_of(t[i].xtext), &err), 0);
        assert_buf(&b, t[i].text);
        buf_release(&b);
    }
}

static void malformed_xtext_is_refused(void **state)
{
    static const struct view t[] = {
        VIEW("+"),     VIEW("+4"),   VIEW("a+4g"), VIEW("a b"),
        VIEW("a=b"),   VIEW("+0A"),  VIEW("+0d"),  VIEW("+00"),
        VIEW("+7F"),   VIEW("\xc3"), VIEW("a\0b"), VIEW("+-1"),
        VIEW("a\r\n"), VIEW("++41"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;
        struct error err;

        buf_add_text(&b, "kept");
        if (esmtp_xtext_decode(&b, t[i], &err) == 0)
            fail_msg("accepted %.*s", VIEW_ARG(t[i]));
        assert_buf(&b, "kept");
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_split),
        cmocka_unit_test(malformed_parameters_are_refused),
        cmocka_unit_test(there_is_a_limit_to_all_of_it),
        cmocka_unit_test(xtext_comes_back),
        cmocka_unit_test(malformed_xtext_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
