/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of IMAP commands: strings, numbers, sets, patterns. */
#include "base/alloc.h"
#include "imapd/fetch.h"
#include "imapd/imapd.h"
#include "imapd/search.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void astrings(void **state)
{
    static const struct {
        struct view in;
        const char *out;  /* NULL: refused */
        const char *rest;
    } t[] = {
        { VIEW("abc def"), "abc", " def" },
        { VIEW("a]b)"), "a]b", ")" },
        { VIEW("\"a b\"x"), "a b", "x" },
        { VIEW("\"\""), "", "" },
        { VIEW("\"a\\\"b\\\\\""), "a\"b\\", "" },
        { VIEW("{3}\r\na b c"), "a b", " c" },
        { VIEW("{3+}\r\na\r\n"), "a\r\n", "" },
        { VIEW("{3}\na b"), "a b", "" },
        { VIEW("{0}\r\n x"), "", " x" },
        { VIEW("\"\xc3\xa9\""), "\xc3\xa9", "" },
        { VIEW(""), NULL, NULL },
        { VIEW("(a"), NULL, NULL },
        { VIEW("\"a"), NULL, NULL },
        { VIEW("\"a\\"), NULL, NULL },
        { VIEW("\"a\\\""), NULL, NULL },
        { VIEW("\"a\\n\""), NULL, NULL },
        { VIEW("\"a\r\nb\""), NULL, NULL },
        { VIEW("\"a\0b\""), NULL, NULL },
        { VIEW("{4}\r\na b"), NULL, NULL },
        { VIEW("{1}a"), NULL, NULL },
        { VIEW("{-1}\r\na"), NULL, NULL },
        { VIEW("{18446744073709551617}\r\na"), NULL, NULL },
        { VIEW("{3}\r\na\0b"), NULL, NULL },
        { VIEW("\xc3\xa9"), NULL, NULL },
        { VIEW("*"), NULL, NULL },
    };
    struct buf pool = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct imap_args a;
        struct view v;

        imap_args_init(&a, t[i].in, &pool);
        if (t[i].out == NULL) {
            assert_false(imap_args_astring(&a, &v));
            assert_non_null(a.bad);
            continue;
        }
        assert_true(imap_args_astring(&a, &v));
        assert_null(a.bad);
        assert_view(v, t[i].out);
        assert_view(a.rest, t[i].rest);
    }
    buf_release(&pool);
}

/* Views of earlier strings stay when later ones need room. */
static void quoted_strings_stay(void **state)
{
    struct buf pool = BUF_INIT, text = BUF_INIT;
    struct view first, v;
    struct imap_args a;

    (void)state;
    buf_add_text(&text, "\"fi\\\"rst\"");
    for (int i = 0; i < 10000; i++)
        buf_add_text(&text, " \"x\\\\\"");
    imap_args_init(&a, buf_view(&text), &pool);
    assert_true(imap_args_string(&a, &first));
    for (int i = 0; i < 10000; i++)
        assert_true(imap_args_space(&a) && imap_args_string(&a, &v));
    assert_true(imap_args_end(&a));
    assert_view(first, "fi\"rst");
    buf_release(&pool);
    buf_release(&text);
}

static void literals_at_line_ends(void **state)
{
    static const struct {
        const char *line;
        bool is, sync;
        uint64_t size;
    } t[] = {
        { "a LOGIN {11}", true, true, 11 },
        { "a LOGIN {11+}", true, false, 11 },
        { "{0}", true, true, 0 },
        { "a {11} b", false, false, 0 },
        { "a {}", false, false, 0 },
        { "a {+}", false, false, 0 },
        { "a {1", false, false, 0 },
        { "a }", false, false, 0 },
        { "", false, false, 0 },
        { "{99999999999999999999}", false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        uint64_t size = 0;
        bool sync = false;

        assert_int_equal(imap_ends_in_literal(view_of(t[i].line), &size,
                                              &sync), t[i].is);
        if (t[i].is) {
            assert_int_equal(size, t[i].size);
            assert_int_equal(sync, t[i].sync);
        }
    }
}

static void words_and_numbers(void **state)
{
    struct buf pool = BUF_INIT;
    struct imap_args a;
    uint64_t n;

    (void)state;
    imap_args_init(&a, VIEW("flags FLAGS.SILENT 12 4294967296"), &pool);
    assert_false(imap_args_word(&a, "FLAG"));
    assert_true(imap_args_word(&a, "FLAGS") && imap_args_space(&a));
    assert_false(imap_args_word(&a, "FLAGS"));
    assert_true(imap_args_word(&a, "FLAGS.SILENT") && imap_args_space(&a));
    assert_true(imap_args_number(&a, UINT32_MAX, &n) && imap_args_space(&a));
    assert_int_equal(n, 12);
    assert_null(a.bad);
    assert_false(imap_args_number(&a, UINT32_MAX, &n));
    assert_non_null(a.bad);
    buf_release(&pool);
}

/* --- sets -------------------------------------------------------------- */

static void sets(void **state)
{
    static const struct {
        const char *in;
        uint32_t star;
        const char *out; /* NULL: refused */
        uint32_t largest;
    } t[] = {
        { "1", 9, "1-1", 1 },
        { "3:1", 9, "1-3", 3 },
        { "*", 9, "9-9", 0 },
        { "*:4", 9, "4-9", 0 },
        { "12:*", 9, "9-12", 0 },
        { "1:*,5", 9, "1-9", 5 },
        { "5,1,2,3,9:7,6", 9, "1-3 5-9", 9 },
        { "1:4294967294", 9, "1-4294967294", 4294967294u },
        { "2,2,2:2", 9, "2-2", 2 },
        { "0", 9, NULL, 0 },
        { "1:0", 9, NULL, 0 },
        { "4294967295", 9, NULL, 0 },
        { "99999999999999999999999", 9, NULL, 0 },
        { "", 9, NULL, 0 },
        { "1,", 9, NULL, 0 },
        { ",1", 9, NULL, 0 },
        { "1:", 9, NULL, 0 },
        { "-1", 9, NULL, 0 },
        { "a", 9, NULL, 0 },
    };
    struct buf pool = BUF_INIT, out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct imap_set set = { .n = 0 };
        struct imap_args a;

        imap_args_init(&a, view_of(t[i].in), &pool);
        buf_reset(&out);
        if (t[i].out == NULL) {
            assert_false(imap_set_parse(&a, &set) && imap_args_end(&a));
            assert_non_null(a.bad);
        } else {
            assert_true(imap_set_parse(&a, &set) && imap_args_end(&a));
            assert_int_equal(imap_set_largest(&set), t[i].largest);
            imap_set_normalise(&set, t[i].star);
            for (size_t r = 0; r < set.n; r++)
                buf_addf(&out, r ? " %u-%u" : "%u-%u", set.ranges[r].from,
                         set.ranges[r].to);
            assert_buf(&out, t[i].out);
        }
        imap_set_release(&set);
    }
    buf_release(&pool);
    buf_release(&out);
}

static void sets_know_their_members(void **state)
{
    struct buf pool = BUF_INIT, out = BUF_INIT;
    struct imap_set set = { .n = 0 };
    uint32_t in[20];
    size_t n = 0;
    struct imap_args a;

    (void)state;
    imap_args_init(&a, VIEW("12,3:5,9,4:6"), &pool);
    assert_true(imap_set_parse(&a, &set));
    imap_set_normalise(&set, 1);
    for (uint32_t i = 0; i < 15; i++)
        if (imap_set_has(&set, i))
            in[n++] = i;
    imap_set_format(&out, in, n);
    assert_buf(&out, "3:6,9,12");
    imap_set_release(&set);
    buf_release(&pool);
    buf_release(&out);
}

/* --- LIST -------------------------------------------------------------- */

static void list_patterns(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } t[] = {
        { "*", "a.b.c", true },      { "%", "a", true },
        { "%", "a.b", false },       { "%.%", "a.b", true },
        { "a*", "a.b", true },       { "a%", "a.b", false },
        { "*c", "a.b.c", true },     { "%c", "a.b.c", false },
        { "a.%.c", "a.b.c", true },  { "a.%.c", "a.b.x.c", false },
        { "", "", true },            { "", "a", false },
        { "a", "A", false },         { "inbox", "INBOX", true },
        { "InB*", "INBOX", true },   { "inbox.A", "INBOX.A", true },
        { "inbox.a", "INBOX.A", false }, { "*%", "a.b", true },
        { "%*", "a.b", true },       { "a**b", "ab", true },
        { "*a*b*", "xxaxxbxx", true }, { "*a*b", "xxbxxa", false },
        { "%a.%b", "xa.xb", true },
    };
    struct buf pattern = BUF_INIT, name = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(imap_list_match(view_of(t[i].pattern),
                                         view_of(t[i].name)), t[i].match);
    for (int i = 0; i < 120; i++) { /* exponential for a naive matcher */
        buf_add_text(&pattern, "*a%");
        buf_add_text(&name, "ab");
    }
    assert_true(imap_list_match(buf_view(&pattern), buf_view(&name)));
    buf_add_char(&pattern, 'x');
    assert_false(imap_list_match(buf_view(&pattern), buf_view(&name)));
    for (int i = 0; i < 500; i++)
        buf_add_char(&pattern, '*');
    assert_false(imap_list_match(buf_view(&pattern), buf_view(&name)));
    buf_release(&pattern);
    buf_release(&name);
}

/* --- SEARCH ------------------------------------------------------------ */

/* The program in letters: & | ! for what joins, others by their number. */
static void show(const struct search *p, struct buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        switch (p->nodes[i].op) {
        case SEARCH_AND: buf_add_char(out, '&'); break;
        case SEARCH_OR: buf_add_char(out, '|'); break;
        case SEARCH_NOT: buf_add_char(out, '!'); break;
        default: buf_add_char(out, (char)('a' + p->nodes[i].op)); break;
        }
    }
}

static bool parse_search(const char *text, struct search *p, struct buf *pool)
{
    struct imap_args a;

    imap_args_init(&a, view_of(text), pool);
    if (search_parse(&a, 100, p))
        return true;
    assert_non_null(a.bad);
    return false;
}

static void search_programs(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
    } t[] = {
        { "ALL", "a" },
        { "ALL SEEN", "ab&" },
        { "ALL SEEN 1:3", "ab&d&" },
        { "NOT SEEN", "b!" },
        { "NOT NOT SEEN ALL", "b!!a&" },
        { "OR SEEN ALL", "ba|" },
        { "OR OR SEEN ALL NOT 1", "ba|d!|" },
        { "(SEEN ALL) 1", "ba&d&" },
        { "((((SEEN))))", "b" },
        { "NOT (SEEN OR ALL 1)", "bad|&!" },
        { "UNKEYWORD x", "c!" },
        { "UID 1:* KEYWORD $Junk", "ec&" },
        { "CHARSET utf-8 SUBJECT \"\xc3\xa9\"", "o" },
        { "MODSEQ 12", "k" },
        { "MODSEQ \"/flags/\\\\draft\" all 12", "k" },
        { "SENTON 1-Feb-1994 SINCE \"1-Feb-1994\"", "mj&" },
        { "TEXT {3}\r\na b BODY x", "pq&" },
        { "HEADER X-Y \"\" LARGER 4", "of&" },
        { "", NULL }, { "ALL ", NULL }, { " ALL", NULL }, { "()", NULL },
        { "(ALL", NULL }, { "ALL)", NULL }, { "NOT", NULL }, { "OR", NULL },
        { "OR ALL", NULL }, { "OR ALL SEEN)", NULL }, { "NOT ()", NULL },
        { "BODY", NULL }, { "BODY ", NULL }, { "UID", NULL },
        { "UID 0", NULL }, { "ON 31-Foo-1994", NULL }, { "NOSUCH", NULL },
        { "LARGER x", NULL }, { "LARGER 4294967296", NULL },
        { "HEADER X", NULL }, { "ALLSEEN", NULL },
        { "CHARSET", NULL }, { "CHARSET utf-8", NULL },
    };
    struct buf pool = BUF_INIT, out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct search p;
        bool good = parse_search(t[i].in, &p, &pool);

        if (good != (t[i].out != NULL))
            fail_msg("\"%s\"", t[i].in);
        buf_reset(&out);
        show(&p, &out);
        if (good)
            assert_buf(&out, t[i].out);
        search_release(&p);
    }
    buf_release(&pool);
    buf_release(&out);
}

static void searches_do_not_nest_for_ever(void **state)
{
    static const char *const openers[] = { "(", "NOT ", "OR ALL " };
    struct buf pool = BUF_INIT, text = BUF_INIT;
    struct search p;

    (void)state;
    for (size_t i = 0; i < COUNT(openers); i++) {
        buf_reset(&text);
        for (int n = 0; n < 10000; n++)
            buf_add_text(&text, openers[i]);
        buf_add_text(&text, "ALL");
        assert_false(parse_search(buf_text(&text), &p, &pool));
        search_release(&p);
    }
    buf_reset(&text);
    for (int n = 0; n < 99; n++)
        buf_add_text(&text, "NOT ");
    buf_add_text(&text, "ALL");
    assert_true(parse_search(buf_text(&text), &p, &pool));
    search_release(&p);
    assert_true(parse_search("CHARSET klingon SUBJECT x", &p, &pool));
    assert_true(p.bad_charset);
    search_release(&p);
    buf_release(&pool);
    buf_release(&text);
}

static void headers_are_searched_decoded(void **state)
{
    static const struct view header = VIEW(
        "From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\n"
        "Subject: one\r\n  two =?iso-8859-1?q?caf=E9?=\r\n"
        "Date: Tue, 1 Feb 1994 23:30:00 -0800\r\n\r\n");
    static const struct {
        const char *name, *needle; /* folded */
        bool found;
    } t[] = {
        { "from", "j\xc3\xb6rg", true },
        { "FROM", "<j@example", true },
        { "subject", "one", true },
        { "subject", "caf\xc3\xa9", true },
        { "subject", "j@", false },
        { "to", "", false },
        { "subject", "", true },
        { "", "subject: one", true },
        { "", "j@", true },
        { "", "nothing", false },
    };
    int64_t day, asked;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        assert_int_equal(search_header(header, view_of(t[i].name),
                                       view_of(t[i].needle)), t[i].found);
    assert_true(search_sent_day(header, &day));
    asked = 8797; /* 1 Feb 1994, in the sender's zone */
    assert_int_equal(day, asked);
    assert_false(search_sent_day(VIEW("From: x\r\n\r\n"), &day));
}

/* --- FETCH ------------------------------------------------------------- */

static void fetch_items(void **state)
{
    static const struct {
        const char *in;
        int n;             /* items; -1: refused */
        bool seen, file, mime;
        const char *label; /* of the last item, if it is a section */
    } t[] = {
        { " 1 FLAGS", 1, false, false, false, NULL },
        { " 1 (FLAGS UID)", 2, false, false, false, NULL },
        { " 1 fast", 3, false, false, false, NULL },
        { " 1 ALL", 4, false, false, false, NULL },
        { " 1 FULL", 5, false, false, false, NULL },
        { " 1 BODY", 1, false, false, false, NULL },
        { " 1 BODY[]", 1, true, true, false, "BODY[]" },
        { " 1 BODY.PEEK[]", 1, false, true, false, "BODY[]" },
        { " 1 body.peek[text]<5.10>", 1, false, true, true, "BODY[TEXT]<5>" },
        { " 1 BODY[1.2.MIME]", 1, true, true, true, "BODY[1.2.MIME]" },
        { " 1 BODY.PEEK[HEADER.FIELDS (from \"To\")]", 1, false, false, false,
          "BODY[HEADER.FIELDS (FROM TO)]" },
        { " 1 BODY.PEEK[1.HEADER.FIELDS.NOT ({1}\r\nA)]", 1, false, true,
          true, "BODY[1.HEADER.FIELDS.NOT (A)]" },
        { " 1 RFC822", 1, true, true, false, "RFC822" },
        { " 1 RFC822.HEADER", 1, false, true, true, "RFC822.HEADER" },
        { " 1 RFC822.TEXT", 1, true, true, true, "RFC822.TEXT" },
        { " 1:* (UID FLAGS) (CHANGEDSINCE 5)", 3, false, false, false, NULL },
        { " 1", -1, false, false, false, NULL },
        { " 1 ()", -1, false, false, false, NULL },
        { " 1 (ALL)", -1, false, false, false, NULL },
        { " 1 (FLAGS", -1, false, false, false, NULL },
        { " 1 FLAGS x", -1, false, false, false, NULL },
        { " 1 BODY[", -1, false, false, false, NULL },
        { " 1 BODY[0]", -1, false, false, false, NULL },
        { " 1 BODY[FOO]", -1, false, false, false, NULL },
        { " 1 BODY[MIME]", -1, false, false, false, NULL },
        { " 1 BODY[HEADER.FIELDS]", -1, false, false, false, NULL },
        { " 1 BODY[HEADER.FIELDS ()]", -1, false, false, false, NULL },
        { " 1 BODY[HEADER.FIELDS (\"a b\")]", -1, false, false, false, NULL },
        { " 1 BODY[HEADER.FIELDS ({2}\r\n\r\n)]", -1, false, false, false,
          NULL },
        { " 1 BODY[]<1.0>", -1, false, false, false, NULL },
        { " 1 BODY[]<1>", -1, false, false, false, NULL },
        { " 1 BODY[]<99999999999.1>", -1, false, false, false, NULL },
        { " 1 BODY.PEEK", -1, false, false, false, NULL },
        { " 0 FLAGS", -1, false, false, false, NULL },
        { " 1 (FLAGS) (NOSUCH 1)", -1, false, false, false, NULL },
    };
    struct buf pool = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct imap_args a;
        struct fetch f;
        bool good;

        imap_args_init(&a, view_of(t[i].in), &pool);
        good = fetch_parse(&a, false, &f);
        if (good != (t[i].n >= 0))
            fail_msg("\"%s\"", t[i].in);
        if (good) {
            assert_int_equal(f.n, t[i].n);
            assert_int_equal(f.sets_seen, t[i].seen);
            assert_int_equal(f.needs_file, t[i].file);
            assert_int_equal(f.needs_mime, t[i].mime);
        } else {
            assert_non_null(a.bad);
        }
        if (t[i].label != NULL)
            assert_view(span_view(&f.labels, f.items[f.n - 1].label),
                        t[i].label);
        fetch_release(&f);
    }
    buf_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(astrings),
        cmocka_unit_test(quoted_strings_stay),
        cmocka_unit_test(literals_at_line_ends),
        cmocka_unit_test(words_and_numbers),
        cmocka_unit_test(sets),
        cmocka_unit_test(sets_know_their_members),
        cmocka_unit_test(list_patterns),
        cmocka_unit_test(search_programs),
        cmocka_unit_test(searches_do_not_nest_for_ever),
        cmocka_unit_test(headers_are_searched_decoded),
        cmocka_unit_test(fetch_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
