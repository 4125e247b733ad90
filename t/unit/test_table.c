/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "table/braces.h"
#include "table/dbfile.h"
#include "table/fold.h"
#include "table/mapmake.h"
#include "table/network.h"
#include "table/table_list.h"
#include "table/table_type.h"
#include "unit.h"

/* A private directory, the file every test writes, and what was warned of. */
struct place {
    char dir[40], file[60];
    struct buf warnings;
};

static void collect(const char *sentence, void *arg)
{
    struct place *p = arg;

    buf_addf(&p->warnings, "%s\n", sentence);
}

static int make_place(void **state)
{
    struct place *p = alloc_zero(1, sizeof *p);

    snprintf(p->dir, sizeof p->dir, "/tmp/test_table.XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    snprintf(p->file, sizeof p->file, "%s/map", p->dir);
    *state = p;
    return 0;
}

static int drop_place(void **state)
{
    struct place *p = *state;
    char db[80];

    snprintf(db, sizeof db, "%s.db", p->file);
    unlink(db);
    unlink(p->file);
    buf_release(&p->warnings);
    /* Fails, and the test with it, when a temporary file was left behind. */
    if (rmdir(p->dir) < 0)
        return -1;
    free(p);
    return 0;
}

static void put_file(const struct place *p, struct view text)
{
    int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    struct error err;

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text.data, text.len, "file", &err), 0);
    close(fd);
}

/* Open `type`:file; the file holds `text`. */
static struct table *open_text(struct place *p, const char *type,
                               struct view text, unsigned flags)
{
    struct table_env env = { .warn = collect, .arg = p };
    struct buf spec = BUF_INIT;
    struct table *t;
    struct error err;

    put_file(p, text);
    buf_reset(&p->warnings);
    buf_addf(&spec, "%s:%s", type, p->file);
    t = table_open(&env, buf_text(&spec), flags, &err);
    if (t == NULL)
        print_error("%s\n", err.text);
    assert_non_null(t);
    buf_release(&spec);
    return t;
}

struct question {
    const char *key;
    const char *value; /* NULL: not there */
};

static void ask(struct table *t, const struct question *q)
{
    for (; q->key != NULL; q++) {
        struct buf out = BUF_INIT;
        struct error err;
        int found = table_lookup(t, view_of(q->key), &out, &err);

        if (found < 0)
            print_error("%s\n", err.text);
        if (found != (q->value != NULL))
            print_error("key \"%s\" of %s\n", q->key, table_name(t));
        assert_int_equal(found, q->value != NULL);
        assert_buf(&out, q->value ? q->value : "");
        buf_release(&out);
    }
}

static void ask_spec(const char *spec, unsigned flags,
                     const struct question *q)
{
    struct error err;
    struct table *t = table_open(NULL, spec, flags, &err);

    if (t == NULL)
        print_error("%s\n", err.text);
    assert_non_null(t);
    ask(t, q);
    table_close(&t);
    assert_null(t);
}

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
        { "pcre:/nowhere/at/all", "cannot open table pcre:/nowhere/at/all: No" },
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

static char *db_spec(const struct place *p, const char *type)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%s:%s", type, p->file);
    return buf_take(&b);
}

static int count_entry(struct view key, struct view value, void *arg)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 0;
}

static void db_files_are_made_and_read(void **state)
{
    static const char *const types[] = { "hash", "btree" };
    struct place *p = *state;

    for (int i = 0; i < 4; i++) {
        struct mapmake m = { .warn = collect, .arg = p, .no_nul = i >= 2 };
        char *spec = db_spec(p, types[i % 2]);
        struct table *t;
        struct stat st;
        struct error err;
        char db[80];
        int n = 0;

        put_file(p, VIEW("A@b one two\nkey: v\n\xc3\x9c u\n"));
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        t = table_open(NULL, spec, 0, &err);
        assert_non_null(t);
        ask(t, (const struct question[]) {
            { "a@B", "one two" }, { "KEY:", "v" }, { "\xc3\xbc", "u" },
            { "key", NULL }, { "", NULL }, { NULL, NULL },
        });
        assert_int_equal(table_each(t, count_entry, &n, &err), 0);
        assert_int_equal(n, 3);
        table_close(&t);
        snprintf(db, sizeof db, "%s.db", p->file);
        assert_int_equal(stat(db, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(unlink(db), 0);
        free(spec);
    }
}

static void keys_with_a_nul_are_nowhere(void **state)
{
    struct place *p = *state;
    struct mapmake m = { 0 };
    char *spec = db_spec(p, "hash");
    struct buf out = BUF_INIT;
    struct error err;
    struct table *t;

    put_file(p, VIEW("a 1\n"));
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    t = table_open(NULL, spec, 0, &err);
    assert_int_equal(table_lookup(t, (struct view){ "a\0", 2 }, &out, &err),
                     0);
    assert_int_equal(table_lookup(t, (struct view){ "a", 1 }, &out, &err), 1);
    table_close(&t);
    buf_release(&out);
    free(spec);
}

static void duplicates_are_treated_as_asked(void **state)
{
    static const struct {
        enum mapmake_duplicates how;
        const char *value;
        bool warns;
    } rows[] = {
        { MAPMAKE_WARN, "1", true },
        { MAPMAKE_IGNORE, "1", false },
        { MAPMAKE_REPLACE, "2", false },
    };
    struct place *p = *state;
    char *spec = db_spec(p, "btree");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mapmake m = { .warn = collect, .arg = p,
                             .duplicates = rows[i].how };
        struct error err;
        struct table *t;

        put_file(p, VIEW("a 1\nA 2\n"));
        buf_reset(&p->warnings);
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        assert_int_equal(strstr(buf_text(&p->warnings),
                                "duplicate entry: \"a\"") != NULL,
                         rows[i].warns);
        t = table_open(NULL, spec, 0, &err);
        ask(t, (const struct question[]) { { "a", rows[i].value },
                                           { NULL, NULL } });
        table_close(&t);
    }
    free(spec);
}

static void db_files_are_changed_whole(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    const struct view gone[] = { VIEW("B"), VIEW("zz"), VIEW("c") };

    for (int nul = 0; nul <= 1; nul++) {
        struct mapmake m = { .warn = collect, .arg = p, .no_nul = !nul };
        struct error err;
        struct table *old, *t;

        put_file(p, VIEW("a 1\nb 2\nc 3\n"));
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        old = table_open(NULL, spec, 0, &err);
        /* What is added takes the form of what is there. */
        m.no_nul = nul;
        assert_int_equal(mapmake_add(&m, spec, VIEW("d 4\na 9\n"), "more",
                                     &err), 0);
        assert_true(table_changed(old));
        assert_int_equal(mapmake_delete(&m, spec, gone, 3, &err), 2);
        assert_int_equal(mapmake_delete(&m, spec, gone, 3, &err), 0);
        t = table_open(NULL, spec, 0, &err);
        ask(t, (const struct question[]) {
            { "a", "1" }, { "b", NULL }, { "c", NULL }, { "d", "4" },
            { NULL, NULL },
        });
        assert_false(table_changed(t));
        /* Who had it open still sees all of the old one. */
        ask(old, (const struct question[]) {
            { "b", "2" }, { "d", NULL }, { NULL, NULL },
        });
        table_close(&t);
        table_close(&old);
    }
    free(spec);
}

static void a_failed_build_leaves_the_old_table(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    struct mapmake m = { 0 };
    struct error err;
    struct table *t;

    put_file(p, VIEW("a 1\n"));
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    assert_int_equal(unlink(p->file), 0);
    assert_int_equal(mapmake_build(&m, spec, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(mapmake_build(&m, "texthash:/x", &err), -1);
    assert_non_null(strstr(err.text, "does not support bulk-mode creation"));
    assert_int_equal(mapmake_build(&m, "hash:", &err), -1);
    t = table_open(NULL, spec, 0, &err);
    ask(t, (const struct question[]) { { "a", "1" }, { NULL, NULL } });
    table_close(&t);
    free(spec);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct error err;
    char db[80];
    struct dbfile *d;

    snprintf(db, sizeof db, "%s.db", p->file);
    d = dbfile_create("hash", db, 0, 0600, &err);
    assert_non_null(d);
    assert_int_equal(dbfile_put(d, VIEW("a"), VIEW("1"), DBFILE_OLD_STAYS,
                                &err), 0);
    dbfile_abort(&d);
    assert_null(d);
    assert_int_equal(access(db, F_OK), -1);
    assert_null(dbfile_create("nosuch", db, 0, 0600, &err));
}

static void broken_db_files_are_refused(void **state)
{
    static const struct view contents[] = {
        { "", 0 }, { "x", 1 }, { "not a database at all, but long enough "
        "to hold the place where the magic number stands, and then some more "
        "text so that a whole page might be read from it", 150 },
    };
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    char db[80];

    snprintf(db, sizeof db, "%s.db", p->file);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct error err;

        put_file(p, contents[i]);
        assert_int_equal(rename(p->file, db), 0);
        assert_null(table_open(NULL, spec, 0, &err));
        assert_non_null(strstr(err.text, "run \"postmap hash:"));
    }
    free(spec);
}

static void the_right_maker_is_named(void **state)
{
    struct error err;

    (void)state;
    assert_null(table_open(NULL, "btree:/nowhere/aliases.local", 0, &err));
    assert_non_null(strstr(err.text,
                           "run \"postalias btree:/nowhere/aliases.local\""));
}

static void alias_files_become_tables(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    struct mapmake m = { .aliases = true, .warn = collect, .arg = p };
    struct error err;
    struct table *t;

    put_file(p, VIEW("# c\nRoot: me,\n  you\n\"q n\": |x\na@b: c\nno colon\n"));
    buf_reset(&p->warnings);
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 5: name must be local"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 6: need name:value pair"));
    t = table_open(NULL, spec, 0, &err);
    ask(t, (const struct question[]) {
        { "root", "me, you" }, { "q n", "|x" }, { "@", "@" },
        { "a@b", NULL }, { NULL, NULL },
    });
    table_close(&t);
    free(spec);
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

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, \
                                                     drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inline_tables_answer),
        cmocka_unit_test(static_tables_answer_anything),
        cmocka_unit_test(bad_names_are_refused),
        PLACED(texthash_reads_lines),
        PLACED(texthash_warns_of_bad_lines),
        PLACED(a_changed_file_is_noticed),
        cmocka_unit_test(networks_are_read),
        PLACED(cidr_rules_are_asked_in_order),
        PLACED(bad_cidr_rules_are_skipped),
        PLACED(patterns_match_and_substitute),
        PLACED(each_bad_pattern_is_told),
        PLACED(substitution_can_be_forbidden),
        PLACED(pcre_has_its_flags),
        PLACED(work_and_results_are_limited),
        cmocka_unit_test(rules_may_stand_in_the_name),
        cmocka_unit_test(lists_ask_in_turn),
        cmocka_unit_test(a_program_may_add_types),
        PLACED(db_files_are_made_and_read),
        PLACED(keys_with_a_nul_are_nowhere),
        PLACED(duplicates_are_treated_as_asked),
        PLACED(db_files_are_changed_whole),
        PLACED(a_failed_build_leaves_the_old_table),
        PLACED(an_abandoned_file_leaves_nothing),
        PLACED(broken_db_files_are_refused),
        cmocka_unit_test(the_right_maker_is_named),
        PLACED(alias_files_become_tables),
        cmocka_unit_test(keys_are_folded),
        cmocka_unit_test(words_keep_their_braces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
