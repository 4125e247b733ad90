/* SPDX-License-Identifier: BSD-2-Clause */
/* main.cf: names, and what $ may cost. */
#include "config/config.h"
#include "unit.h"

static struct config *parse(const char *text)
{
    struct config *cfg;
    struct error err;

    assert_int_equal(config_parse(&cfg, view_of(text), "main.cf", &err), 0);
    return cfg;
}

static void names_are_expanded(void **state)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "b", "x x" },       { "c", "yes" },  { "d", "x$" },
        { "e", "less, no" },  { "f", "" },     { "g", "text" },
    };
    struct config *cfg = parse("a = x\nb = $a ${a}\nc = ${a?yes}${f?no}\n"
                               "d = $(a)$$\nf =\ng = ${f:text}\n"
                               "e = ${{1} < {2} ? {less} : {more}}, "
                               "${f?{yes}:{no}}\n");
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT;

        assert_int_equal(config_get(cfg, rows[i].name, &out, &err), 0);
        assert_buf(&out, rows[i].value);
        buf_release(&out);
    }
    config_free(&cfg);
}

/* However long the name is. */
static void what_is_set_can_be_named(void **state)
{
    struct buf text = BUF_INIT, name = BUF_INIT, out = BUF_INIT;
    struct config *cfg;
    struct error err;

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        buf_add_char(&name, 'n');
    buf_addf(&text, "%s = x\na = $%s\n", buf_text(&name), buf_text(&name));
    cfg = parse(buf_text(&text));
    assert_int_equal(config_get(cfg, "a", &out, &err), 0);
    assert_int_equal(config_get(cfg, buf_text(&name), &out, &err), 0);
    assert_buf(&out, "xx");
    buf_release(&text);
    buf_release(&name);
    buf_release(&out);
    config_free(&cfg);
}

static void loops_are_errors(void **state)
{
    struct config *cfg = parse("a = $b\nb = ${c?x}\nc = $a\n");
    struct buf out = BUF_INIT;
    struct error err;

    (void)state;
    assert_int_equal(config_get(cfg, "a", &out, &err), -1);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    config_free(&cfg);
}

/* Forty levels, each of which names the next twice, are 2^40 texts, though
 * there is nothing in any of them. */
static void doubling_costs_no_more_for_being_empty(void **state)
{
    (void)state;
    for (size_t form = 0; form < 2; form++) {
        struct buf text = BUF_INIT, out = BUF_INIT;
        struct config *cfg;
        struct error err;

        for (int i = 0; i < 40; i++)
            buf_addf(&text, form == 0 ? "a%d = $a%d$a%d\n"
                                      : "a%d = ${a%d?x}$a%d\n",
                     i, i + 1, i + 1);
        buf_add_text(&text, "a40 =\n");
        cfg = parse(buf_text(&text));
        assert_int_equal(config_get(cfg, "a0", &out, &err), -1);
        assert_non_null(strstr(err.text, "too many $"));
        config_free(&cfg);
        buf_release(&text);
        buf_release(&out);
    }
}

static void overrides_are_what_main_cf_could_say(void **state)
{
    struct config *cfg = parse("a = x\n");
    struct error err;

    (void)state;
    assert_int_equal(config_override(cfg, VIEW("{ a = y }"), "-o", &err), 0);
    assert_string_equal(config_raw(cfg, VIEW("a"), NULL), "y");
    assert_int_equal(config_override(cfg, VIEW("#b=y"), "-o", &err), -1);
    assert_int_equal(config_override(cfg, VIEW("=y"), "-o", &err), -1);
    config_free(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_expanded),
        cmocka_unit_test(what_is_set_can_be_named),
        cmocka_unit_test(loops_are_errors),
        cmocka_unit_test(doubling_costs_no_more_for_being_empty),
        cmocka_unit_test(overrides_are_what_main_cf_could_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
