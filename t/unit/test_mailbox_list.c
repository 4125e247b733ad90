/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mailbox_list.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Write the list as "name{route}local@domain|", "name:|" and ";|". */
static void show(struct buf *out, const struct mailbox_list *l)
{
    buf_reset(out);
    buf_add_text(out, "");
    for (size_t i = 0; i < l->count; i++) {
        const struct mailbox *m = &l->list[i];
        struct view route = mailbox_list_text(l, m->route);

        buf_add_view(out, mailbox_list_text(l, m->name));
        if (m->kind == MAILBOX_GROUP_START) {
            buf_add_text(out, ":");
        } else if (m->kind == MAILBOX_GROUP_END) {
            buf_add_text(out, ";");
        } else {
            buf_addf(out, "{%.*s}", VIEW_ARG(route));
            buf_add_view(out, mailbox_list_text(l, m->local));
            buf_add_char(out, '@');
            buf_add_view(out, mailbox_list_text(l, m->domain));
        }
        buf_add_char(out, '|');
    }
}

static void fields_are_read(void **state)
{
    static const struct {
        const char *value, *list;
    } t[] = {
        /* RFC 5322 appendix A */
        { "John Doe <jdoe@machine.example>",
          "John Doe{}jdoe@machine.example|" },
        { "\"Joe Q. Public\" <john.q.public@example.com>",
          "Joe Q. Public{}john.q.public@example.com|" },
        { "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
          "Mary Smith{}mary@x.test|{}jdoe@example.org|Who?{}one@y.test|" },
        { "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@x.net>",
          "{}boss@nil.test|Giant; \"Big\" Box{}sysservices@x.net|" },
        { "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
          "A Group:|Ed Jones{}c@a.test|{}joe@where.test|"
          "John{}jdoe@one.test|;|" },
        { "Undisclosed recipients:;", "Undisclosed recipients:|;|" },
        { "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
          "Pete{}pete@silly.test|" },
        { "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public"
          ".example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> "
          "(my dear friend); (the end of the group)",
          "A Group:|Chris Jones{}c@public.example|{}joe@example.org|"
          "John{}jdoe@one.test|;|" },
        { "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
          "Hidden recipients:|;|" },
        { "Joe Q. Public <john.q.public@example.com>",
          "Joe Q. Public{}john.q.public@example.com|" },
        { "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
          "Mary Smith{@node.test}mary@example.net|{}jdoe@test.example|" },
        { "John Doe <jdoe@machine(comment).  example>",
          "John Doe{}jdoe@machine.example|" },
        { "<@a.x,@b.x:u@d.x>", "{@a.x,@b.x}u@d.x|" },
        /* names from comments */
        { "ann@x.org (Ann Lee)", "Ann Lee{}ann@x.org|" },
        { "ann@x.org (Ann (the) Lee)", "Ann (the) Lee{}ann@x.org|" },
        { "(x) ann@x.org", "x{}ann@x.org|" },
        { "B <ann@x.org> (Ann)", "B{}ann@x.org|" },
        /* encoded words stay raw, also where they lie about the address */
        { "=?utf-8?q?Ren=C3=A9?= <r@x.org>",
          "=?utf-8?q?Ren=C3=A9?={}r@x.org|" },
        { "=?utf-8?q?a=40b?=@x.org", "{}=?utf-8?q?a=40b?=@x.org|" },
        { "\"a@b\"@c", "{}a@b@c|" },
        { "\"=?utf-8?q?x?=\"\r\n <a@b>", "=?utf-8?q?x?={}a@b|" },
        /* found in the wild */
        { "a@x.org <a@x.org>", "a@x.org{}a@x.org|" },
        { "A <a@x.org> B <b@x.org>", "A{}a@x.org|B{}b@x.org|" },
        { "[list] Ann <a@x.org>", "[list] Ann{}a@x.org|" },
        { "root", "{}root@|" },
        { "Ann Lee", "{}Ann Lee@|" },
        { "\"Ann\" <>", "Ann{}@|" },
        { "<ann>", "{}ann@|" },
        { "<ann@x.org", "{}ann@x.org|" },
        { "<ann@x.org, bob@x.org", "{}ann@x.org|{}bob@x.org|" },
        { "ann@x.org>", "{}ann@x.org|" },
        { "ann@x.org; bob@x.org", "{}ann@x.org|{}bob@x.org|" },
        { "user@a@b", "{}user@a|" },
        { "ann@[192.0.2.1], b@[IPv6:2001:db8::1]",
          "{}ann@[192.0.2.1]|{}b@[IPv6:2001:db8::1]|" },
        { "ann@", "{}ann@|" },
        { "@x.org", "{}@x.org|" },
        { "ann . lee@x.org", "{}ann.lee@x.org|" },
        { "g: a@x.org", "g:|{}a@x.org|;|" },
        { "g: h: a@x.org;;", "g:|{}h a@x.org|;|" },
        { "caf\xc3\xa9 <a@b\xc3\xbc.x>", "caf\xc3\xa9{}a@b\xc3\xbc.x|" },
        { "caf\xe9 <a@x>", "caf\xe9{}a@x|" },
        { "\"open <a@x.org>", "{}open <a@x.org>@|" },
        { "(open <a@x.org>", "" },
        { "a\\b@x.org", "{}a\\b@x.org|" },
        { "\"\"@x.org", "{}@x.org|" },
        { ",,, ,;;:", ":|;|" },
        { "", "" },
        { " \r\n\t", "" },
    };
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct mailbox_list l = MAILBOX_LIST_INIT;

        mailbox_list_parse(&l, view_of(t[i].value), MAILBOX_LIST_MAX);
        show(&b, &l);
        if (strcmp(buf_text(&b), t[i].list) != 0)
            fail_msg("%s: %s", t[i].value, buf_text(&b));
        assert_false(l.truncated);
        mailbox_list_release(&l);
    }
    buf_release(&b);
}

static void lists_are_cut_at_their_limit(void **state)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;
    struct buf b = BUF_INIT;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_addf(&b, "\"User %d\" <user%d@example.org>, ", i, i);
    mailbox_list_parse(&l, buf_view(&b), MAILBOX_LIST_MAX);
    assert_int_equal(l.count, MAILBOX_LIST_MAX);
    assert_true(l.truncated);
    assert_view(mailbox_list_text(&l, l.list[9999].local), "user9999");
    mailbox_list_release(&l);

    mailbox_list_parse(&l, VIEW("g: a@x, b@x"), 2);
    show(&b, &l);
    assert_buf(&b, "g:|{}a@x|;|");
    assert_true(l.truncated);
    mailbox_list_release(&l);
    buf_release(&b);
}

/* What is opened a million times and never closed. */
static void hostile_values_end(void **state)
{
    static const char *const pieces[] = {
        "(", "\"", "<", "@", "[", ":", ";", "\\", "<@a,", "a:", "\"\\",
        "a@", "a <", "()", ")", ".", "@[", "<(", "a@b<", "\r\n ", "@.",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct mailbox_list l = MAILBOX_LIST_INIT;
        struct buf b = BUF_INIT;

        while (b.len < 1000000)
            buf_add_text(&b, pieces[i]);
        mailbox_list_parse(&l, buf_view(&b), MAILBOX_LIST_MAX);
        assert_true(l.count <= MAILBOX_LIST_MAX + 2);
        assert_true(l.text.len <= b.len * 2);
        mailbox_list_release(&l);
        buf_release(&b);
    }
}

static void nul_and_line_ends_do_not_get_through(void **state)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;

    (void)state;
    mailbox_list_parse(&l, VIEW("\"a\0\r\nb\" (c\0\r\n) <d\0e@[f\0\r\n]>,"
                                "x@y (n\0\r\nm)"), 10);
    assert_true(l.count > 0);
    for (size_t i = 0; i < l.text.len; i++)
        assert_true(l.text.data[i] != '\0' && l.text.data[i] != '\r' &&
                    l.text.data[i] != '\n');
    mailbox_list_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(lists_are_cut_at_their_limit),
        cmocka_unit_test(hostile_values_end),
        cmocka_unit_test(nul_and_line_ends_do_not_get_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
