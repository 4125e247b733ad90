/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define U8   ADDRESS_SMTPUTF8
#define NUL_ ADDRESS_NULL
#define LEN_ ADDRESS_LENIENT
#define LOC_ ADDRESS_LOCAL_ONLY

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* What follows "FROM:" or "TO:", the address it is, what is left. */
static void paths_have_one_canonical_form(void **state)
{
    static const struct {
        const char *line;
        unsigned flags;
        const char *address, *rest;
    } t[] = {
        { "<joe@example.org>", 0, "joe@example.org", "" },
        { " <joe@example.org> SIZE=3", 0, "joe@example.org", " SIZE=3" },
        { "<Joe@EXAMPLE.Org>", 0, "Joe@example.org", "" },
        { "<>", NUL_, "", "" },
        { "<> BODY=8BITMIME", NUL_, "", " BODY=8BITMIME" },
        { "<Postmaster>", 0, "Postmaster", "" },
        { "<root>", LOC_, "root", "" },
        /* source routes, RFC 5321 appendix C */
        { "<@hosta.int,@jkl.org:userc@d.bar.org>", 0, "userc@d.bar.org", "" },
        { "<@a.example:\"x y\"@b.example>", 0, "\"x y\"@b.example", "" },
        /* quotes only where they are needed */
        { "<\"joe\"@x.org>", 0, "joe@x.org", "" },
        { "<\"j\\o\\e\"@x.org>", 0, "joe@x.org", "" },
        { "<\"a b\"@x.org>", 0, "\"a b\"@x.org", "" },
        { "<\"a@b\"@x.org>", 0, "\"a@b\"@x.org", "" },
        { "<\"a>b\"@x.org> X", 0, "\"a>b\"@x.org", " X" },
        { "<\"a\\\"b\\\\c\"@x.org>", 0, "\"a\\\"b\\\\c\"@x.org", "" },
        { "<\"a..b\"@x.org>", 0, "\"a..b\"@x.org", "" },
        { "<a..b@x.org>", LEN_, "\"a..b\"@x.org", "" },
        { "<a.@x.org>", LEN_, "\"a.\"@x.org", "" },
        { "joe@x.org SIZE=1", LEN_, "joe@x.org", " SIZE=1" },
        /* what would mean something to a shell or an old mailer */
        { "<|sh@x.org>", 0, "|sh@x.org", "" },
        { "</etc/passwd@x.org>", 0, "/etc/passwd@x.org", "" },
        { "<-oQ/tmp@x.org>", 0, "-oQ/tmp@x.org", "" },
        { "<`id`$HOME@x.org>", 0, "`id`$HOME@x.org", "" },
        { "<%00@x.org>", 0, "%00@x.org", "" },
        { "<user%host@x.org>", 0, "user%host@x.org", "" },
        { "<a!b!c@x.org>", 0, "a!b!c@x.org", "" },
        { "<=?utf-8?q?a=40b?=@x.org>", 0, "=?utf-8?q?a=40b?=@x.org", "" },
        /* literals */
        { "<a@[192.0.2.1]>", 0, "a@[192.0.2.1]", "" },
        { "<a@[ipv6:2001:DB8:0:0::1]>", 0, "a@[IPv6:2001:db8::1]", "" },
        /* RFC 6531 */
        { "<\xc3\xa9ric@x.org>", U8, "\xc3\xa9ric@x.org", "" },
        { "<a@B\xc3\xbch.example>", U8, "a@b\xc3\xbch.example", "" },
        { "<\"\xc3\xa9 x\"@x.org>", U8, "\"\xc3\xa9 x\"@x.org", "" },
        { "<e\xcc\x81@x.org>", U8, "e\xcc\x81@x.org", "" }, /* combining */
        { "<a@1.2.3.example>", 0, "a@1.2.3.example", "" },
        { "<a@localhost>", 0, "a@localhost", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct view line = view_of(t[i].line);
        struct address a, again;
        struct buf b = BUF_INIT;
        struct error err;

        if (address_parse_path(&line, t[i].flags, &a, &err) < 0)
            fail_msg("%s: %s", t[i].line, err.text);
        address_format(&b, &a);
        assert_buf(&b, t[i].address);
        assert_view(line, t[i].rest);
        assert_int_equal(a.fault, ADDRESS_OK);
        /* The canonical form is a fixed point. */
        assert_int_equal(address_parse(buf_view(&b), U8 | NUL_ | LOC_, &again,
                                       &err), 0);
        assert_true(address_eq(&a, &again));
        buf_release(&b);
    }
}

static void paths_that_are_refused(void **state)
{
    static const struct {
        const char *line;
        unsigned flags;
        enum address_fault fault;
    } t[] = {
        { "", 0, ADDRESS_SYNTAX },
        { "  ", 0, ADDRESS_SYNTAX },
        { "<", 0, ADDRESS_SYNTAX },
        { "<>", 0, ADDRESS_SYNTAX },
        { "<joe>", 0, ADDRESS_SYNTAX },
        { "<joe@>", 0, ADDRESS_SYNTAX },
        { "<@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"\"@x.org>", 0, ADDRESS_SYNTAX },
        { "joe@x.org", 0, ADDRESS_SYNTAX },
        { "<joe@x.org", 0, ADDRESS_SYNTAX },
        { "<joe@x.org>junk", 0, ADDRESS_SYNTAX },
        { "<joe@x.org> ", 0, ADDRESS_OK },
        { "<joe@x.org>\tSIZE=1", 0, ADDRESS_SYNTAX },
        { "<user@a@b>", 0, ADDRESS_SYNTAX },
        { "<a b@x.org>", 0, ADDRESS_SYNTAX },
        { "<a\"b\"@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a\"b@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a\\", 0, ADDRESS_SYNTAX },
        { "<a..b@x.org>", 0, ADDRESS_SYNTAX },
        { "<.a@x.org>", 0, ADDRESS_SYNTAX },
        { "<a.@x.org>", 0, ADDRESS_SYNTAX },
        { "<:include:/etc/passwd@x.org>", 0, ADDRESS_SYNTAX },
        { "<a(b)@x.org>", 0, ADDRESS_SYNTAX },
        { "<a,b@x.org>", 0, ADDRESS_SYNTAX },
        { "<a@x.org,b@x.org>", 0, ADDRESS_SYNTAX },
        { "<a\nb@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a\nb\"@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a\\\rb\"@x.org>", 0, ADDRESS_SYNTAX },
        { "<\"a\tb\"@x.org>", 0, ADDRESS_SYNTAX },
        { "<a@x\r.org>", 0, ADDRESS_SYNTAX },
        { "<a@-x.org>", 0, ADDRESS_SYNTAX },
        { "<a@x-.org>", 0, ADDRESS_SYNTAX },
        { "<a@x..org>", 0, ADDRESS_SYNTAX },
        { "<a@.x.org>", 0, ADDRESS_SYNTAX },
        { "<a@x.org.>", 0, ADDRESS_SYNTAX },
        { "<a@x_y.org>", 0, ADDRESS_SYNTAX },
        { "<a@x y>", 0, ADDRESS_SYNTAX },
        { "<a@../x>", 0, ADDRESS_SYNTAX },
        { "<a@[192.0.2]>", 0, ADDRESS_SYNTAX },
        { "<a@[192.0.2.256]>", 0, ADDRESS_SYNTAX },
        { "<a@[192.0.2.1>", 0, ADDRESS_SYNTAX },
        { "<a@[2001:db8::1]>", 0, ADDRESS_SYNTAX },
        { "<a@[IPv6:1::2::3]>", 0, ADDRESS_SYNTAX },
        { "<a@[tag:x]>", 0, ADDRESS_SYNTAX },
        { "<a@[]>", 0, ADDRESS_SYNTAX },
        { "<a@[192.0.2.1]x>", 0, ADDRESS_SYNTAX },
        { "<@a@b.org>", 0, ADDRESS_SYNTAX },
        { "<@a,b:c@d.org>", 0, ADDRESS_SYNTAX },
        { "<@a,:c@d.org>", 0, ADDRESS_SYNTAX },
        { "<@a:>", NUL_, ADDRESS_SYNTAX },
        /* 8-bit: not asked for, not UTF-8, not readable */
        { "<\xc3\xa9@x.org>", 0, ADDRESS_NOT_ASCII },
        { "<a@b\xc3\xbc.org>", 0, ADDRESS_NOT_ASCII },
        { "<\"\xc3\xa9\"@x.org>", 0, ADDRESS_NOT_ASCII },
        { "<@b\xc3\xbc.org:a@x.org>", 0, ADDRESS_NOT_ASCII },
        { "<\xe9@x.org>", U8, ADDRESS_SYNTAX },
        { "<\xc0\xaf@x.org>", U8, ADDRESS_SYNTAX },
        { "<\xed\xa0\x80@x.org>", U8, ADDRESS_SYNTAX },
        { "<\xf5\x80\x80\x80@x.org>", U8, ADDRESS_SYNTAX },
        { "<a\xe2\x80\xae@x.org>", U8, ADDRESS_SYNTAX }, /* override */
        { "<a\xc2\x85@x.org>", U8, ADDRESS_SYNTAX },     /* C1 */
        { "<a@x\xe2\x80\x8b.org>", U8, ADDRESS_SYNTAX }, /* zero width */
        { "<a@x\xe2\x80.org>", U8, ADDRESS_SYNTAX },
        /* limits */
        { "<" SIXTY "12345@x.org>", 0, ADDRESS_TOO_LONG },
        { "<" SIXTY "1234@x.org>", 0, ADDRESS_OK },
        { "<" SIXTY "12345@x.org>", ADDRESS_LONG, ADDRESS_OK },
        { "<a@" SIXTY "1234.org>", 0, ADDRESS_SYNTAX },
        { "<a@" SIXTY "123.org>", 0, ADDRESS_OK },
        { "<a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN "0.b>", 0,
          ADDRESS_TOO_LONG },
        { "<a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN "b>", 0,
          ADDRESS_OK },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct view line = view_of(t[i].line);
        struct address a;
        struct error err;
        int rc = address_parse_path(&line, t[i].flags, &a, &err);

        if (a.fault != t[i].fault || (rc == 0) != (t[i].fault == ADDRESS_OK))
            fail_msg("%s: fault %d", t[i].line, a.fault);
        if (rc < 0) {
            assert_int_equal(err.kind, FAIL_PERM);
            assert_view(line, t[i].line);
        }
    }
}

static void nul_bytes_are_refused_everywhere(void **state)
{
    static const struct view t[] = {
        VIEW("<a\0b@x.org>"),     VIEW("<\"a\0b\"@x.org>"),
        VIEW("<\"a\\\0b\"@x.org>"), VIEW("<a@x\0.org>"),
        VIEW("<a@[192.0.2.1\0]>"), VIEW("<a@x.org\0>"),
        VIEW("\0<a@x.org>"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct view line = t[i];
        struct address a;
        struct error err;

        assert_int_equal(address_parse_path(&line, LEN_ | U8, &a, &err), -1);
    }
}

static void long_paths_are_refused_in_one_pass(void **state)
{
    struct buf b = BUF_INIT;
    struct address a;
    struct error err;
    struct view line;

    (void)state;
    buf_add_text(&b, "<");
    for (int i = 0; i < 100000; i++)
        buf_add_text(&b, i ? ",@relay.example" : "@relay.example");
    buf_add_text(&b, ":a@x.org>");
    line = buf_view(&b);
    assert_int_equal(address_parse_path(&line, 0, &a, &err), -1);
    assert_int_equal(a.fault, ADDRESS_TOO_LONG);

    buf_reset(&b);
    for (int i = 0; i < 1000000; i++)
        buf_add_char(&b, i ? '\\' : '"');
    assert_int_equal(address_parse(buf_view(&b), ADDRESS_LONG, &a, &err), -1);
    assert_int_equal(a.fault, ADDRESS_TOO_LONG);
    buf_release(&b);
}

static void addresses_of_tables_stand_alone(void **state)
{
    struct address a;
    struct error err;

    (void)state;
    assert_int_equal(address_parse(VIEW("joe@X.org"), 0, &a, &err), 0);
    assert_string_equal(a.domain, "x.org");
    assert_false(a.null);
    assert_int_equal(address_parse(VIEW("joe@x.org "), 0, &a, &err), -1);
    assert_int_equal(address_parse(VIEW(""), 0, &a, &err), -1);
    assert_int_equal(address_parse(VIEW(""), NUL_, &a, &err), 0);
    assert_true(a.null);
    assert_int_equal(address_parse(VIEW("<joe@x.org>"), 0, &a, &err), -1);
    assert_int_equal(address_parse(VIEW("a@[127.0.0.1]"), 0, &a, &err), 0);
    assert_true(a.literal);
}

static void a_local_part_is_split_once(void **state)
{
    static const struct {
        const char *local, *delimiters, *user, *extension; /* NULL: no split */
    } t[] = {
        { "joe+lists", "+", "joe", "lists" },
        { "joe+a+b", "+", "joe", "a+b" },
        { "joe-a+b", "+-", "joe", "a+b" },
        { "joe+", "+", "joe", "" },
        { "joe", "+", "joe", NULL },
        { "+joe", "+", "+joe", NULL },
        { "joe+x", "", "joe+x", NULL },
        { "mailer-daemon", "-", "mailer-daemon", NULL },
        { "Double-Bounce", "-", "Double-Bounce", NULL },
        { "owner-list", "-", "owner-list", NULL },
        { "list-Request", "-", "list-Request", NULL },
        { "owner-list+x", "+", "owner-list", "x" },
        { "-request", "-", "-request", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct view user, extension;

        assert_int_equal(address_split(view_of(t[i].local), t[i].delimiters,
                                       &user, &extension),
                         t[i].extension != NULL);
        assert_view(user, t[i].user);
        assert_view(extension, t[i].extension ? t[i].extension : "");
    }
}

static void domains_are_letters_digits_and_hyphens(void **state)
{
    (void)state;
    assert_true(address_is_domain(VIEW("example.org"), 0));
    assert_true(address_is_domain(VIEW("xn--bcher-kva.example"), 0));
    assert_true(address_is_domain(VIEW("a"), 0));
    assert_false(address_is_domain(VIEW(""), 0));
    assert_false(address_is_domain(VIEW("."), 0));
    assert_false(address_is_domain(VIEW("a."), 0));
    assert_false(address_is_domain(VIEW("a/b"), 0));
    assert_false(address_is_domain(VIEW("[192.0.2.1]"), 0));
    assert_false(address_is_domain(VIEW("b\xc3\xbc.org"), 0));
    assert_true(address_is_domain(VIEW("b\xc3\xbc.org"), U8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_have_one_canonical_form),
        cmocka_unit_test(paths_that_are_refused),
        cmocka_unit_test(nul_bytes_are_refused_everywhere),
        cmocka_unit_test(long_paths_are_refused_in_one_pass),
        cmocka_unit_test(addresses_of_tables_stand_alone),
        cmocka_unit_test(a_local_part_is_split_once),
        cmocka_unit_test(domains_are_letters_digits_and_hyphens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
