/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table_address.h"
#include "unit.h"

/* A table of nothing but the keys it was asked for; `has` is in it. */
struct asked {
    struct buf keys;
    const char *has; /* "!" fails the lookup of that key */
    bool fails;
};

static int lookup(void *arg, struct view key, enum table_part part,
                  struct buf *out, struct error *err)
{
    struct asked *a = arg;

    buf_addf(&a->keys, "%s%.*s%s", a->keys.len ? " " : "", VIEW_ARG(key),
             part == TABLE_WHOLE ? "!" : "");
    if (a->has == NULL || !view_is(key, a->has))
        return 0;
    if (a->fails)
        return error_set(err, FAIL_TEMP, "away");
    buf_add_text(out, "found");
    return 1;
}

static bool is_local(void *arg, struct view domain)
{
    (void)arg;
    return view_is(domain, "here");
}

enum way { REWRITE, ALIAS, TRANSPORT, ACCESS, HOST, CLIENT };

static int search(enum way way, const struct table_address *a,
                  struct view what, struct view *extension, struct buf *out,
                  struct error *err)
{
    switch (way) {
    case REWRITE:
        return table_address_rewrite(a, what, extension, out, err);
    case ALIAS:
        return table_address_alias(a, what, extension, out, err);
    case TRANSPORT:
        return table_address_transport(a, what, out, err);
    case ACCESS:
        return table_address_access(a, what, out, err);
    case HOST:
        return table_address_host(a, what, out, err);
    case CLIENT:
        return table_address_client(a, what, out, err);
    }
    return -1;
}

/* All keys, in order; those that all tables are asked for have a "!". */
static void keys_are_asked_in_order(void **state)
{
    static const struct {
        enum way way;
        const char *what;
        bool parents;
        const char *keys;
    } rows[] = {
        { REWRITE, "u+e@d", false, "u+e@d! u@d @d" },
        { REWRITE, "u@d", false, "u@d! @d" },
        { REWRITE, "u+e@here", false,
          "u+e@here! u@here u+e u @here" },
        { REWRITE, "u+e", false, "u+e! u" },
        { REWRITE, "a@b@here", false, "a@b@here! a@b @here" },
        { REWRITE, "@d", false, "@d! @d" },
        { REWRITE, "u@", false, "u@! @" },
        { REWRITE, "", false, "" },
        { ALIAS, "u+e", false, "u+e! u" },
        { ALIAS, "u", false, "u!" },
        { ALIAS, "+e", false, "+e!" },
        { ALIAS, "u+", false, "u+! u" },
        { ALIAS, "u-e+f", false, "u-e+f! u" },
        { ALIAS, "owner-x-y", false, "owner-x-y!" },
        { ALIAS, "x-request", false, "x-request!" },
        { ALIAS, "Mailer-Daemon", false, "Mailer-Daemon!" },
        { TRANSPORT, "u+e@a.b.c", false,
          "u+e@a.b.c! u@a.b.c a.b.c .b.c .c *" },
        { TRANSPORT, "u@a.b.c", true, "u@a.b.c! a.b.c b.c c *" },
        { TRANSPORT, "u@[1.2.3.4]", false, "u@[1.2.3.4]! [1.2.3.4] *" },
        { TRANSPORT, "u", false, "u! *" },
        { ACCESS, "u+e@a.b", false, "u+e@a.b! u@a.b a.b .b u+e@ u@" },
        { ACCESS, "u@a.b", true, "u@a.b! a.b b u@" },
        { ACCESS, "<>", true, "<>! <>@" },
        { HOST, "mx.a.b", false, "mx.a.b! .a.b .b" },
        { HOST, "mx.a.b", true, "mx.a.b! a.b b" },
        { HOST, "a.b.", false, "a.b.! .b." },
        { HOST, ".", false, ".!" },
        { HOST, "a..b", false, "a..b! ..b .b" },
        { CLIENT, "192.0.2.1", false, "192.0.2.1! 192.0.2 192.0 192" },
        { CLIENT, "2001:db8::1", false,
          "2001:db8::1! 2001:db8: 2001:db8 2001" },
        { CLIENT, "unknown", false, "unknown!" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked = { 0 };
        struct table_address a = { "+-", rows[i].parents, is_local, lookup,
                                   &asked };
        struct buf out = BUF_INIT;
        struct view ext;
        struct error err;

        assert_int_equal(search(rows[i].way, &a, view_of(rows[i].what), &ext,
                                &out, &err), 0);
        assert_string_equal(buf_text(&asked.keys), rows[i].keys);
        buf_release(&asked.keys);
        buf_release(&out);
    }
}

static void the_extension_that_was_left_out_is_told(void **state)
{
    static const struct {
        enum way way;
        const char *what, *has, *extension;
    } rows[] = {
        { REWRITE, "u+e@d", "u+e@d", "" },
        { REWRITE, "u+e@d", "u@d", "e" },
        { REWRITE, "u+e@here", "u+e", "" },
        { REWRITE, "u+e@here", "u", "e" },
        { REWRITE, "u+e+f@d", "@d", "e+f" },
        { REWRITE, "u@d", "@d", "" },
        { ALIAS, "u+e", "u+e", "" },
        { ALIAS, "u+e", "u", "e" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked = { .has = rows[i].has };
        struct table_address a = { "+", false, is_local, lookup, &asked };
        struct buf out = BUF_INIT;
        struct view ext = VIEW("unset");
        struct error err;

        assert_int_equal(search(rows[i].way, &a, view_of(rows[i].what), &ext,
                                &out, &err), 1);
        assert_view(ext, rows[i].extension);
        assert_buf(&out, "found");
        buf_release(&asked.keys);
        buf_release(&out);
    }
}

/* What comes behind a lookup that failed could be wrong: nothing is asked. */
static void an_error_ends_the_search(void **state)
{
    static const struct {
        enum way way;
        const char *what, *has, *keys;
    } rows[] = {
        { REWRITE, "u+e@here", "u+e@here", "u+e@here!" },
        { REWRITE, "u+e@here", "u@here", "u+e@here! u@here" },
        { REWRITE, "u+e@here", "u+e", "u+e@here! u@here u+e" },
        { TRANSPORT, "u@a.b", "a.b", "u@a.b! a.b" },
        { TRANSPORT, "u@a.b", ".b", "u@a.b! a.b .b" },
        { ACCESS, "u+e@a", "u+e@", "u+e@a! u@a a u+e@" },
        { HOST, "a.b", ".b", "a.b! .b" },
        { CLIENT, "1.2.3.4", "1.2", "1.2.3.4! 1.2.3 1.2" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asked asked = { .has = rows[i].has, .fails = true };
        struct table_address a = { "+", false, is_local, lookup, &asked };
        struct buf out = BUF_INIT;
        struct view ext;
        struct error err;

        assert_int_equal(search(rows[i].way, &a, view_of(rows[i].what), &ext,
                                &out, &err), -1);
        assert_string_equal(err.text, "away");
        assert_string_equal(buf_text(&asked.keys), rows[i].keys);
        assert_int_equal(out.len, 0);
        buf_release(&asked.keys);
        buf_release(&out);
    }
}

static void lists_of_tables_are_asked(void **state)
{
    struct error err;
    struct table_list *l = table_list_open(
        NULL, "pcre:{ {/^d$/ pattern} }, inline:{ d=domain }", 0, &err);
    struct table_address a = { "+", false, NULL, table_address_in_list, l };
    struct buf out = BUF_INIT;

    (void)state;
    assert_int_equal(table_address_transport(&a, VIEW("u@d"), &out, &err), 1);
    assert_buf(&out, "domain");
    buf_reset(&out);
    assert_int_equal(table_address_host(&a, VIEW("d"), &out, &err), 1);
    assert_buf(&out, "pattern");
    buf_release(&out);
    table_list_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_asked_in_order),
        cmocka_unit_test(the_extension_that_was_left_out_is_told),
        cmocka_unit_test(an_error_ends_the_search),
        cmocka_unit_test(lists_of_tables_are_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
