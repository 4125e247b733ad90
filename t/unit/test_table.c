/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/braces.h"
#include "table/fold.h"
#include "table/table_list.h"
#include "table/table_type.h"
#include "table_place.h"

static void inline_tables_answer(void **state)
{
    (void)state;
    ask_spec("inline:{ a=1, {b = x y} C=3}", 0, (const struct question[]) {
        { "a", "1" }, { "A", "1" }, { "b", "x y" }, { "c", "3" }, { "d", NULL },
        { "", NULL }, { NULL, NULL },
    });
    ask_spec("inline:{A=1}", TABLE_KEEP_CASE, (const struct question[]) {
        { "A", "1" }, { "a", NULL }, { NULL, NULL },
    });
    ask_spec("proxy:inline:{ {b=1} {B=2} }", 0, (const struct question[]) {
        { "b", "2" }, { NULL, NULL },
    });
    ask_spec("inline:{ {\xc3\x9c = u} }", 0, (const struct question[]) {
        { "\xc3\xbc", "u" }, { "\xc3\x9c", "u" }, { "\xc3", NULL },
        { NULL, NULL },
    });
    ask_spec("inline:{ {\xc3\x9c = u} }", TABLE_BYTES,
             (const struct question[]) {
        { "\xc3\xbc", NULL }, { "\xc3\x9c", "u" }, { NULL, NULL },
    });
}

static void static_tables_answer_anything(void **state)
{
    (void)state;
    ask_spec("static:OK", 0, (const struct question[]) {
        { "x", "OK" }, { "", "OK" }, { NULL, NULL },
    });
    ask_spec("static:{ 550 5.7.1 no, {never} }", 0,
             (const struct question[]) {
        { "x", "550 5.7.1 no, {never}" }, { NULL, NULL },
    });
}

static void bad_names_are_refused(void **state)
{
    static const struct {
        const char *spec, *says;
    } rows[] = {
        { "", "names no table" },
        { "hash", "names no table" },
        { "hash:", "names no table" },
        { ":x", "names no table" },
        { "proxy:", "names no table" },
        { "nis:x", "there is no table type \"nis\"; the types are hash, " },
        { "static:{ x", "do not match" },
        { "static:{ x } y", "do not match" },
        { "inline:x", "do not match" },
        { "inline:{a=1", "do not match" },
        { "inline:{}", "has no entry" },
        { "inline:{ a }", "has no \"=\"" },
        { "inline:{ a b=2 }", "has no \"=\"" },
        { "inline:{ {a b=2} }", "not one word" },
        { "inline:{ {=2} }", "not one word" },
        { "inline:{ {a=1}{b=2} }", "do not match" },
        { "cidr:{ 1.2.3.4 ok }", "each rule in its own { }" },
        { "cidr:{ {1.2.3.4 ok}", "do not match" },
        { "pcre:/nowhere/at/all",
          "cannot open table pcre:/nowhere/at/all: No" },
        { "texthash:/", "Is a directory" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err;

        assert_null(table_open(NULL, rows[i].spec, 0, &err));
        if (strstr(err.text, rows[i].says) == NULL)
            print_error("%s: %s\n", rows[i].spec, err.text);
        assert_non_null(strstr(err.text, rows[i].says));
    }
}

static void texthash_reads_lines(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "texthash", VIEW(
        " lead x\n"
        "a@B one\n"
        "# comment\n"
        "\n"
        "key\n"
        "  # between\n"
        "  cont inued  \r\n"
        "lone\n"
        "\"q k\" v\n"
        "esc\\ aped w\n"
        "\"open k v\n"
        "x: alias\n"
        "A@b two\n"
        "nul\0x y\n"
        "bad\xff z\n"
        "last line"), 0);

    ask(t, (const struct question[]) {
        { "a@b", "one" }, { "key", "cont inued" }, { "lone", NULL },
        { "\"q k\"", "v" }, { "q k", NULL }, { "esc\\ aped", "w" },
        { "x:", "alias" }, { "nul", NULL }, { "last", "line" },
        { "lead", NULL }, { "#", NULL }, { NULL, NULL },
    });
    table_close(&t);
}

static void texthash_warns_of_bad_lines(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "texthash", VIEW(
        " lead x\nlone\n\"open k v\nx: alias\na 1\nA 2\nnul\0x y\nbad\xff z\n"
        ), 0);
    struct buf want = BUF_INIT;

    buf_addf(&want, "%1$s, line 1: a logical line must not start with white "
             "space: ignoring this line\n"
             "%1$s, line 2: expected format: key whitespace value -- ignoring "
             "this line\n"
             "%1$s, line 3: unbalanced '\"' -- ignoring this line\n"
             "%1$s, line 4: record is in \"key: value\" format; is this an "
             "alias file?\n"
             "%1$s, line 6: duplicate entry: \"A\"\n"
             "%1$s, line 7: it holds a NUL character: ignoring this line\n"
             "%1$s, line 8: it is not UTF-8: ignoring this line\n", p->file);
    assert_string_equal(buf_text(&p->warnings), buf_text(&want));
    buf_release(&want);
    table_close(&t);
    t = open_text(p, "texthash", VIEW("bad\xff z\n"), TABLE_BYTES);
    ask(t, (const struct question[]) { { "bad\xff", "z" }, { NULL, NULL } });
    table_close(&t);
}

static void a_changed_file_is_noticed(void **state)
{
    struct place *p = *state;
    struct table *t = open_text(p, "texthash", VIEW("a 1\n"), 0);

    assert_false(table_changed(t));
    put_file(p, VIEW("a 22\n"));
    assert_true(table_changed(t));
    ask(t, (const struct question[]) { { "a", "1" }, { NULL, NULL } });
    table_close(&t);

    /* While it is away, what we have is better than nothing. */
    t = open_text(p, "cidr", VIEW("1.2.3.4 x\n"), 0);
    unlink(p->file);
    assert_false(table_changed(t));
    put_file(p, VIEW("1.2.3.4 y\n"));
    assert_true(table_changed(t));
    table_close(&t);
}

static void lists_ask_in_turn(void **state)
{
    struct error err;
    struct buf out = BUF_INIT;
    struct table_list *l = table_list_open(
        NULL, "inline:{ a=1, {e = } }, pcre:{ {/^b/ 2} },\n\tstatic:{ 3, 4 }",
        0, &err);

    (void)state;
    assert_non_null(l);
    assert_int_equal(table_list_count(l), 3);
    assert_int_equal(table_list_lookup(l, VIEW("A"), TABLE_WHOLE, &out, &err),
                     1);
    assert_int_equal(table_list_lookup(l, VIEW("b"), TABLE_WHOLE, &out, &err),
                     1);
    assert_int_equal(table_list_lookup(l, VIEW("c"), TABLE_WHOLE, &out, &err),
                     1);
    assert_buf(&out, "123, 4");
    /* Parts of a key are nothing that patterns know. */
    assert_int_equal(table_list_lookup(l, VIEW("b"), TABLE_PART, &out, &err),
                     0);
    assert_int_equal(table_list_lookup(l, VIEW("e"), TABLE_PART, &out, &err),
                     -1);
    assert_non_null(strstr(err.text, "empty string result is not allowed"));
    assert_false(table_list_changed(l));
    table_list_close(&l);
    assert_null(l);

    l = table_list_open(NULL, " , ", 0, &err);
    assert_int_equal(table_list_count(l), 0);
    assert_int_equal(table_list_lookup(l, VIEW("a"), TABLE_WHOLE, &out, &err),
                     0);
    table_list_close(&l);
    assert_null(table_list_open(NULL, "static:x, hash:/nowhere/a", 0, &err));
    assert_string_equal(err.text,
                        "cannot open table hash:/nowhere/a.db: No such file "
                        "or directory; run \"postmap hash:/nowhere/a\"");
    buf_release(&out);
}

static int echo_open(struct table *t, struct error *err)
{
    t->state = t->env.arg;
    return strcmp(t->name, "bad") ? 0 : error_set(err, FAIL_TEMP, "away");
}

static int echo_lookup(struct table *t, struct view key, struct buf *out,
                       struct error *err)
{
    (void)err;
    buf_addf(out, "%s %.*s", t->name, VIEW_ARG(key));
    return 1;
}

static void echo_close(struct table *t)
{
    ++*(int *)t->state;
}

static void a_program_may_add_types(void **state)
{
    static const struct table_type echo = {
        .name = "directory", .fixed = true, .open = echo_open,
        .lookup = echo_lookup, .close = echo_close,
    };
    const struct table_type *const types[] = { &echo, NULL };
    int closed = 0;
    struct table_env env = { .types = types, .arg = &closed };
    struct error err;
    struct table *t = table_open(&env, "directory:alias", 0, &err);

    (void)state;
    ask(t, (const struct question[]) { { "A@x", "alias a@x" },
                                       { NULL, NULL } });
    assert_int_equal(table_each(t, NULL, NULL, &err), -1);
    table_close(&t);
    assert_int_equal(closed, 1);
    assert_null(table_open(&env, "directory:bad", 0, &err));
    assert_string_equal(err.text, "away");
    assert_int_equal(closed, 2);
}

static void a_type_may_do_without_a_name(void **state)
{
    static const struct table_type echo = {
        .name = "directory", .fixed = true, .folds = true, .nameless = true,
        .open = echo_open, .lookup = echo_lookup, .close = echo_close,
    };
    const struct table_type *const types[] = { &echo, NULL };
    int closed = 0;
    struct table_env env = { .types = types, .arg = &closed };
    struct error err;
    struct table *t = table_open(&env, "proxy:directory:", 0, &err);

    (void)state;
    assert_non_null(t);
    ask(t, (const struct question[]) { { "A@x", " A@x" }, { NULL, NULL } });
    table_close(&t);
    assert_null(table_open(&env, "directory", 0, &err));
}

static void note(const char *path, void *arg)
{
    buf_addf(arg, "%s\n", path);
}

static void tables_tell_their_files(void **state)
{
    struct buf paths = BUF_INIT;

    (void)state;
    table_list_files(NULL, "hash:/a/b, proxy:btree:/c static:/d\n"
                     "inline:{/e=/f} texthash:/g cidr:{ {1.2.3.4 /h} } "
                     "pcre:/i example.com nis:/j /k regexp:{ {/l/ m} } hash:",
                     note, &paths);
    assert_buf(&paths, "/a/b.db\n/c.db\n/g\n/i\n");
    buf_release(&paths);
}

static void the_right_maker_is_named(void **state)
{
    struct error err;

    (void)state;
    assert_null(table_open(NULL, "btree:/nowhere/aliases.local", 0, &err));
    assert_non_null(strstr(err.text,
                           "run \"postalias btree:/nowhere/aliases.local\""));
}

static void keys_are_folded(void **state)
{
    static const struct {
        const char *key;
        bool bytes;
        const char *folded;
    } rows[] = {
        { "AbC@Ex.ORG", false, "abc@ex.org" },
        { "Stra\xc3\x9f" "E", false, "strasse" },
        { "\xc3\x9c", false, "\xc3\xbc" },
        { "A\xc3\x9c", true, "a\xc3\x9c" },
        { "A\xff" "B", false, "a\xff" "b" },
        /* One character may become three times as many bytes. */
        { "\xce\x90\xce\x90", false, "\xce\xb9\xcc\x88\xcc\x81"
          "\xce\xb9\xcc\x88\xcc\x81" },
        { "", false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = BUF_INIT;

        fold_key(view_of(rows[i].key), rows[i].bytes, &out);
        assert_buf(&out, rows[i].folded);
        buf_release(&out);
    }
}

static void words_keep_their_braces(void **state)
{
    struct view rest = VIEW(", a {b, {c}} d{e f}g }h{ i"), word, inside;

    (void)state;
    assert_true(braces_word(&rest, &word));
    assert_view(word, "a");
    assert_true(braces_word(&rest, &word));
    assert_view(word, "{b, {c}}");
    assert_true(braces_take(&word, &inside));
    assert_view(inside, "b, {c}");
    assert_true(braces_word(&rest, &word));
    assert_view(word, "d{e f}g");
    assert_true(braces_word(&rest, &word));
    assert_view(word, "}h{ i");
    assert_false(braces_word(&rest, &word));
    word = VIEW("{ {x }");
    assert_false(braces_take(&word, &inside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_tables_answer),
        cmocka_unit_test(static_tables_answer_anything),
        cmocka_unit_test(bad_names_are_refused),
        PLACED(texthash_reads_lines),
        PLACED(texthash_warns_of_bad_lines),
        PLACED(a_changed_file_is_noticed),
        cmocka_unit_test(lists_ask_in_turn),
        cmocka_unit_test(a_program_may_add_types),
        cmocka_unit_test(a_type_may_do_without_a_name),
        cmocka_unit_test(tables_tell_their_files),
        cmocka_unit_test(the_right_maker_is_named),
        cmocka_unit_test(keys_are_folded),
        cmocka_unit_test(words_keep_their_braces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
