/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/aliases.h"
#include "unit.h"

/* The values as one text: a letter for the kind, the text, "?" for bad. */
static void spell(struct view values, struct buf *out)
{
    static const char letters[] = { 'a', 'c', 'f', 'i' };
    struct aliases a;
    struct alias_value v;
    struct error err;
    int rc;

    aliases_begin(&a, values);
    while ((rc = aliases_next(&a, &v, &err)) != 0) {
        if (out->len > 0)
            buf_add_text(out, "; ");
        if (rc > 0)
            buf_addf(out, "%c %.*s", letters[v.kind], VIEW_ARG(v.text));
        else
            buf_add_char(out, '?');
    }
    aliases_end(&a);
}

static void values_are_told_apart(void **state)
{
    static const struct {
        const char *values, *spelled;
    } rows[] = {
        { "me", "a me" },
        { "me, you@d ,\tthem", "a me; a you@d; a them" },
        { "", "" },
        { " , ,, ", "" },
        { "/var/mail/x", "f /var/mail/x" },
        { "\"/with space\"", "f /with space" },
        { "|cmd", "c cmd" },
        { "|cmd a b, me", "c cmd a b; a me" },
        { "\"|cmd \\\"a, b\\\" c\", me", "c cmd \"a, b\" c; a me" },
        { "| \"exit 67\"", "c \"exit 67\"" },
        { ":include:/a/b", "i /a/b" },
        { "\":Include: /a b\"", "i /a b" },
        { "Ann Lee <ann@d>", "a ann@d" },
        { "\"Lee, Ann\" <ann@d>, bob", "a ann@d; a bob" },
        { "<ann@d>", "a ann@d" },
        { "ann@d (Ann, at work)", "a ann@d" },
        { "(Ann (the (first))) ann@d", "a ann@d" },
        { "\"a b\"@d", "a \"a b\"@d" },
        { "\"a b\"", "a \"a b\"" },
        { "\"joe@d\"", "a joe@d" },
        { "\"a b@d\"", "a \"a b\"@d" },
        { "\"joe\"", "a joe" },
        { "\"a\\\\b\"", "a \"a\\\\b\"" },
        { "\\joe", "a joe" },
        { "Joe@Example.ORG", "a Joe@example.org" },
        { "a..b@d", "a \"a..b\"@d" },
        { "\xc3\xbc@d", "a \xc3\xbc@d" },
        { "a b", "?" },
        { "a b, c", "?; a c" },
        { "<a@d", "?" },
        { "<a@d> x", "?" },
        { "<>", "?" },
        { "()", "?" },
        { "(open, me", "?" },
        { "\"open, me", "?" },
        { "\"\"", "?" },
        { "|", "?" },
        { ":include:", "?" },
        { "a\tb", "?" },
        { "a\001b", "?" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT;

        spell(view_of(rows[i].values), &out);
        if (strcmp(buf_text(&out), rows[i].spelled) != 0)
            print_error("%s\n", rows[i].values);
        assert_buf(&out, rows[i].spelled);
        buf_release(&out);
    }
}

static void a_nul_is_no_address(void **state)
{
    struct buf out = BUF_INIT;

    (void)state;
    spell(VIEW("|a\0b, /x\0, c"), &out);
    assert_buf(&out, "?; ?; a c");
    buf_release(&out);
}

/* Text from a .forward file belongs to a user: its size alone may cost. */
static void hostile_values_cost_linear_time(void **state)
{
    static const char *const parts[] = { "(", "\"", "<", "\\", ",(", "\",",
                                         "<>,", "|" };
    struct buf text = BUF_INIT, out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_reset(&text);
        buf_reset(&out);
        for (int n = 0; n < 200000; n++)
            buf_add_text(&text, parts[i]);
        spell(buf_view(&text), &out);
        assert_true(out.len > 0);
    }
    buf_release(&text);
    buf_release(&out);
}

static void lines_are_split(void **state)
{
    static const struct {
        const char *line, *name, *values; /* values NULL: name is the fault */
    } rows[] = {
        { "root: me", "root", "me" },
        { "root:me", "root", "me" },
        { "x : y ,  z,", "x", "y, z" },
        { "\"a b\": c", "a b", "c" },
        { "\"a:\\\"b\": c", "a:\"b", "c" },
        { "a.b (c: d): e (f, g)", "a.b", "e (f, g)" },
        { "x: :include:/y", "x", ":include:/y" },
        { "x: \"|a, b\", c", "x", "\"|a, b\", c" },
        { "two words: x", "two words", "x" },
        { "x", "need name:value pair", NULL },
        { "x:", "need name:value pair", NULL },
        { "x: , ,", "need name:value pair", NULL },
        { ": x", "need name:value pair", NULL },
        { "\"\": x", "need name:value pair", NULL },
        { "\"x: y", "need name:value pair", NULL },
        { "(x: y", "need name:value pair", NULL },
        { "a\"b\": y", "need name:value pair", NULL },
        { "a, b: c", "need name:value pair", NULL },
        { "a@b: c", "name must be local", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf name = BUF_INIT, values = BUF_INIT;
        struct error err;
        int rc = aliases_line(view_of(rows[i].line), &name, &values, &err);

        if (rc != (rows[i].values ? 0 : -1))
            print_error("%s\n", rows[i].line);
        assert_int_equal(rc, rows[i].values ? 0 : -1);
        if (rc == 0) {
            assert_buf(&name, rows[i].name);
            assert_buf(&values, rows[i].values);
        } else {
            assert_string_equal(err.text, rows[i].name);
        }
        buf_release(&name);
        buf_release(&values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_apart),
        cmocka_unit_test(a_nul_is_no_address),
        cmocka_unit_test(hostile_values_cost_linear_time),
        cmocka_unit_test(lines_are_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
