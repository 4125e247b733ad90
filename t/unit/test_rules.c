/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables that are read from top to bottom: cidr, regexp, pcre. */
#include "base/network.h"
#include "table_place.h"

static void networks_are_read(void **state)
{
    static const struct {
        const char *network, *inside, *outside; /* inside NULL: an error */
        const char *says;
    } rows[] = {
        { "1.2.3.0/24", "1.2.3.255", "1.2.4.0", NULL },
        { "1.2.3.4", "1.2.3.4", "1.2.3.5", NULL },
        { "0.0.0.0/0", "255.255.255.255", "::1", NULL },
        { "10.0.0.0/9", "10.127.0.1", "10.128.0.1", NULL },
        { "192.0.2.4/31", "192.0.2.5", "192.0.2.6", NULL },
        { "::/0", "2001:db8::1", "1.2.3.4", NULL },
        { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1", NULL },
        { "[2001:DB8::]/32", "2001:db8::5", "2001:db9::5", NULL },
        { "[::1]", "::1", "::2", NULL },
        { "::ffff:0:0/96", "::ffff:1.2.3.4", "1.2.3.4", NULL },
        { "1.2.3.1/24", NULL, NULL, "should use \"1.2.3.0/24\" instead" },
        { "2001:db8::1/64", NULL, NULL, "\"2001:db8::/64\" instead" },
        { "1.2.3.4/33", NULL, NULL, "bad mask length" },
        { "1.2.3.4/", NULL, NULL, "bad mask length" },
        { "1.2.3.4/+8", NULL, NULL, "bad mask length" },
        { "::/129", NULL, NULL, "bad mask length" },
        { "1.2.3/24", NULL, NULL, "bad address pattern" },
        { "01.2.3.4", NULL, NULL, "bad address pattern" },
        { "[1.2.3.4", NULL, NULL, "bad address pattern" },
        { "", NULL, NULL, "bad address pattern" },
        { "/8", NULL, NULL, "bad address pattern" },
        { "example.com", NULL, NULL, "bad address pattern" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct network n;
        struct network_address a;
        struct error err;
        int rc = network_parse(view_of(rows[i].network), &n, &err);

        assert_int_equal(rc, rows[i].inside ? 0 : -1);
        if (rc < 0) {
            assert_non_null(strstr(err.text, rows[i].says));
            continue;
        }
        assert_true(network_address_parse(view_of(rows[i].inside), &a));
        assert_true(network_has(&n, &a));
        assert_true(network_address_parse(view_of(rows[i].outside), &a));
        assert_false(network_has(&n, &a));
    }
}

static void cidr_rules_are_asked_in_order(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "cidr", VIEW(
        "192.0.2.7   first one\n"
        "if 1.0.0.0/8\n"
        "1.2.3.4 in\n"
        "if !1.3.0.0/16\n"
        "1.0.0.0/8 deep\n"
        "endif\n"
        "1.3.0.0/16 back\n"
        "endif\n"
        "2001:db8::/32\n"
        "\tv6\n"
        "192.0.2.0/24 second\n"
        "! 10.0.0.0/8 outside\n"), 0);

    ask(t, (const struct question[]) {
        { "192.0.2.7", "first one" }, { "192.0.2.8", "second" },
        { "1.2.3.4", "in" }, { "1.9.9.9", "deep" }, { "1.3.0.1", "back" },
        { "2001:DB8::1", "v6" }, { "9.9.9.9", "outside" },
        { "10.1.1.1", NULL }, { "::1", NULL }, { "host", NULL },
        { "", NULL }, { "192.0.2", NULL }, { NULL, NULL },
    });
    assert_buf(&p->warnings, "");
    table_close(&t);
}

static void bad_cidr_rules_are_skipped(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "cidr", VIEW(
        "1.2.3.1/24 bits\n"
        "foo\n"
        "endif\n"
        "if nonsense\n"
        "0.0.0.0/0 must not apply to all\n"
        "endif x\n"
        "!\n"
        "5.5.5.5\n"
        "if 6.0.0.0/8\n"
        "6.6.6.6 six\n"), 0);

    ask(t, (const struct question[]) {
        { "1.2.3.1", NULL }, { "9.9.9.9", NULL }, { "5.5.5.5", "" },
        { "6.6.6.6", "six" }, { NULL, NULL },
    });
    assert_non_null(strstr(buf_text(&p->warnings), "cidr map "));
    assert_non_null(strstr(buf_text(&p->warnings), "line 1: non-null host"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 2: bad address pattern: \"foo\": skipping"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 3: ignoring ENDIF without matching IF"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 6: ignoring extra text after ENDIF"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 7: no pattern after '!'"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 8: no replacement text"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 9: IF has no matching ENDIF"));
    table_close(&t);
}

static const char patterns[] =
    "/^a(b+)c$/ got $1 ${1} $(1) $$ x\n"
    "~til/de~ tilde\n"
    "/esc\\/aped/ slash\n"
    "/sub(opt)?x/ [$1]\n"
    "/case/i sensitive\n"
    "/^line2$/m multi\n"
    "if /^in(.*)/\n"
    "if !/not/\n"
    "/^in(.*)$/ inside $1\n"
    "endif\n"
    "!/excused/ innot\n"
    "endif\n"
    "/empty/\n";

static void patterns_match_and_substitute(void **state)
{
    static const char *const types[] = { "regexp", "pcre" };
    struct place *p = *state;

    for (size_t i = 0; i < 2; i++) {
        struct table *t = open_text(p, types[i], VIEW(patterns), 0);

        ask(t, (const struct question[]) {
            { "aBBc", "got BB BB BB $ x" }, { "abcd", NULL },
            { "til/de", "tilde" }, { "esc/aped", "slash" },
            { "subx", "[]" }, { "suboptx", "[opt]" },
            { "case", "sensitive" }, { "CASE", NULL },
            { "line1\nline2\n3", "multi" }, { "INner", "inside ner" },
            { "innot", "innot" }, { "innot excused", NULL },
            { "empty", "" }, { "", NULL }, { NULL, NULL },
        });
        table_close(&t);
    }
}

static void each_bad_pattern_is_told(void **state)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        { "/abc/z x", "unknown regexp option \"z\"" },
        { "/abc x", "no closing regexp delimiter \"/\"" },
        { "/abc\\/", "no closing regexp delimiter" },
        { "/abc\\", "no closing regexp delimiter" },
        { "abc x", "want /pattern/flags result" },
        { "// x", "no regexp" },
        { "/a(b/ x", "skipping this rule" },
        { "!/a(b)/ $1", "$number found in negative match" },
        { "/a(b)/ $2", "out of range replacement index \"2\"" },
        { "/a(b)/ $0", "out of range replacement index \"0\"" },
        { "/a(b)/ $99999999999", "non-numeric replacement index" },
        { "/a(b)/ $1x", "non-numeric replacement index \"1x\"" },
        { "/a/ 5$", "bad replacement syntax" },
        { "/a/ ${1", "bad replacement syntax" },
        { "if /a(b/", "skipping the rules up to its ENDIF" },
        { "if /ab/ x", "ignoring extra text after IF" },
        { "if", "no pattern" },
    };
    static const char *const types[] = { "regexp", "pcre" };
    struct place *p = *state;

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct table *t = open_text(p, types[i % 2],
                                    view_of(rows[i / 2].line), 0);

        if (strstr(buf_text(&p->warnings), rows[i / 2].says) == NULL)
            print_error("%s: %s\n", rows[i / 2].line,
                        buf_text(&p->warnings));
        assert_non_null(strstr(buf_text(&p->warnings), rows[i / 2].says));
        ask(t, (const struct question[]) { { "ab", NULL }, { NULL, NULL } });
        table_close(&t);
    }
}

/* The C library would take minutes over some of these. */
static void repetitions_are_not_repeated_for_ever(void **state)
{
    struct place *p = *state;
    struct buf text = BUF_INIT;
    struct table *t;

    buf_add_text(&text, "/^a.*?1*2*3*4*5*6*7*8*9*0*z$/ fine\n/^(b");
    for (int i = 0; i < 200; i++)
        buf_add_char(&text, '*');
    buf_add_text(&text, ")$/ stars\n/^c");
    for (int i = 0; i < 30; i++)
        buf_add_text(&text, "{1,2}");
    buf_add_text(&text, "$/ intervals\n");
    t = open_text(p, "regexp", buf_view(&text), 0);
    ask(t, (const struct question[]) {
        { "abc12z", "fine" }, { "b", NULL }, { "c", NULL }, { NULL, NULL },
    });
    assert_non_null(strstr(buf_text(&p->warnings),
                           "more than 8 repetitions in a row"));
    table_close(&t);
    buf_release(&text);
}

static void substitution_can_be_forbidden(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "pcre", VIEW(
        "/^(a)/ |cmd $1\n/^b/ fine $$\n"), TABLE_NO_SUBST);

    ask(t, (const struct question[]) {
        { "a", NULL }, { "b", "fine $" }, { NULL, NULL },
    });
    assert_non_null(strstr(buf_text(&p->warnings),
                           "substitution is not allowed: skipping this rule"));
    table_close(&t);
}

static void pcre_has_its_flags(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "pcre", VIEW(
        "/^a.b$/s nodotall\n"
        "/c d/x cd\n"
        "/anch/A anchored\n"
        "/^(z+)/U $1\n"
        "/end$/E strict\n"
        "/^\\x{fc}$/ umlaut\n"), 0);

    ask(t, (const struct question[]) {
        { "a\nb", NULL }, { "axb", "nodotall" }, { "cd", "cd" },
        { "c d", NULL }, { "anchor", "anchored" }, { "xanch", NULL },
        { "zzz", "z" }, { "end\n", NULL }, { "end", "strict" },
        { "\xc3\xbc", "umlaut" }, { "\xfc", NULL }, { NULL, NULL },
    });
    table_close(&t);
}

static void work_and_results_are_limited(void **state)
{
    struct place *p = *state;
    struct buf key = BUF_INIT, out = BUF_INIT;
    struct error err;
    struct table *t = open_text(p, "pcre", VIEW(
        "if /^b/\n/^(.*)$/ $1$1$1\nendif\n/^(x+x+)+y/ never\n"), 0);

    for (int i = 0; i < 5000; i++)
        buf_add_char(&key, 'x');
    buf_add_text(&out, "kept");
    assert_int_equal(table_lookup(t, buf_view(&key), &out, &err), -1);
    assert_int_equal(err.kind, FAIL_TEMP);
    assert_non_null(strstr(err.text, "line 4"));
    assert_buf(&out, "kept");

    buf_reset(&key);
    for (int i = 0; i < 100000; i++)
        buf_add_char(&key, 'b');
    assert_int_equal(table_lookup(t, buf_view(&key), &out, &err), -1);
    assert_int_equal(err.kind, FAIL_PERM);
    assert_buf(&out, "kept");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&key, 'b');
    assert_int_equal(table_lookup(t, buf_view(&key), &out, &err), 0);
    table_close(&t);
    buf_release(&key);
    buf_release(&out);
}

static void rules_may_stand_in_the_name(void **state)
{
    (void)state;
    ask_spec("cidr:{ {1.2.3.4 ok}, {! 10.0.0.0/8 else {x}} }", 0,
             (const struct question[]) {
        { "1.2.3.4", "ok" }, { "1.2.3.5", "else {x}" }, { "10.0.0.1", NULL },
        { NULL, NULL },
    });
    ask_spec("pcre:{{/^a{2}$/ two}, {/./ any}}", 0,
             (const struct question[]) {
        { "aa", "two" }, { "a", "any" }, { NULL, NULL },
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_read),
        PLACED(cidr_rules_are_asked_in_order),
        PLACED(bad_cidr_rules_are_skipped),
        PLACED(patterns_match_and_substitute),
        PLACED(each_bad_pattern_is_told),
        PLACED(repetitions_are_not_repeated_for_ever),
        PLACED(substitution_can_be_forbidden),
        PLACED(pcre_has_its_flags),
        PLACED(work_and_results_are_limited),
        cmocka_unit_test(rules_may_stand_in_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
