/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/bodystructure.h"
#include "mail/imap_string.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void parse(struct mime *m, struct view message)
{
    struct mime_source src = mime_source_memory(message);
    struct error err;

    if (mime_parse(m, &src, MIME_LIMITS_DEFAULT, &err) < 0)
        fail_msg("%s", err.text);
}

static void strings_have_their_form(void **state)
{
    static const struct {
        struct view in;
        const char *out;
    } t[] = {
        { VIEW("abc"), "\"abc\"" },
        { VIEW(""), "\"\"" },
        { VIEW("a \"b\\"), "\"a \\\"b\\\\\"" },
        { VIEW("a\r\nb"), "{4}\r\na\r\nb" },
        { VIEW("\xc3\xa9"), "{2}\r\n\xc3\xa9" },
        { VIEW("a\0b"), "\"a?b\"" },
        { VIEW("\n\0"), "{2}\r\n\n?" },
    };
    struct buf b = BUF_INIT, big = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        buf_reset(&b);
        imap_string_add(&b, t[i].in);
        assert_buf(&b, t[i].out);
    }
    buf_reset(&b);
    imap_string_add_or_nil(&b, VIEW(""));
    assert_buf(&b, "NIL");
    for (int i = 0; i < IMAP_STRING_QUOTED_MAX + 1; i++)
        buf_add_char(&big, 'x');
    buf_reset(&b);
    imap_string_add(&b, buf_view(&big));
    assert_true(view_starts(buf_view(&b), "{1001}\r\nxxx"));
    buf_release(&b);
    buf_release(&big);
}

/* --- ENVELOPE ---------------------------------------------------------- */

static void envelopes_are_those_of_the_rfc(void **state)
{
    static const struct {
        const char *header, *envelope;
    } t[] = {
        /* RFC 3501 §8 */
        { "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
          "From: Terry Gray <gray@cac.washington.edu>\r\n"
          "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
          "To: imap@cac.washington.edu\r\n"
          "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
          "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
          "MIME-Version: 1.0\r\n\r\n",
          "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
          "\"IMAP4rev1 WG mtg summary and minutes\" "
          "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
          "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
          "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
          "((NIL NIL \"imap\" \"cac.washington.edu\")) "
          "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
          "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
          "\"<B27397-0100000@cac.washington.edu>\")" },
        { "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
        { "Subject:\r\nTo: \r\nSender: s@x\r\nReply-To:\r\nFrom: f@x\r\n",
          "(NIL \"\" ((NIL NIL \"f\" \"x\")) ((NIL NIL \"s\" \"x\")) "
          "((NIL NIL \"f\" \"x\")) NIL NIL NIL NIL NIL)" },
        { "To: g: a@b, \"c\" <@r:d@e>;\r\nTo: root, <>\r\n"
          "Bcc: u:;\r\nIn-Reply-To: <1>\r\n <2>\r\n",
          "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")"
          "(\"c\" \"@r\" \"d\" \"e\")(NIL NIL NIL NIL)"
          "(NIL NIL \"root\" \"MISSING_DOMAIN\")"
          "(NIL NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")) NIL "
          "((NIL NIL \"u\" NIL)(NIL NIL NIL NIL)) \"<1> <2>\" NIL)" },
        { "Subject: \"q\\\" caf\xc3\xa9\r\nFrom: =?utf-8?q?x?= <a@b>\r\n",
          "(NIL {10}\r\n\"q\\\" caf\xc3\xa9 ((\"=?utf-8?q?x?=\" NIL \"a\" "
          "\"b\")) ((\"=?utf-8?q?x?=\" NIL \"a\" \"b\")) "
          "((\"=?utf-8?q?x?=\" NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)" },
        { "To: :a@b\r\n",
          "(NIL NIL NIL NIL NIL ((NIL NIL \"\" NIL)(NIL NIL \"a\" \"b\")"
          "(NIL NIL NIL NIL)) NIL NIL NIL NIL)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;
        struct mime m;

        parse(&m, view_of(t[i].header));
        assert_true(bodystructure_envelope(&b, &m, &m.parts[0]));
        assert_buf(&b, t[i].envelope);
        mime_release(&m);
        buf_release(&b);
    }
}

static void long_lists_are_cut(void **state)
{
    struct buf text = BUF_INIT, b = BUF_INIT;
    struct mime m;

    (void)state;
    for (int i = 0; i < 50000; i++)
        buf_add_text(&text, "To: a@b.example\r\n");
    parse(&m, buf_view(&text));
    assert_false(bodystructure_envelope(&b, &m, &m.parts[0]));
    assert_true(b.len < 10000 * 30 + 100);
    mime_release(&m);
    buf_release(&text);
    buf_release(&b);
}

/* --- BODYSTRUCTURE ----------------------------------------------------- */

static void structures_are_those_of_the_rfc(void **state)
{
    static const struct {
        const char *message, *body, *extended;
    } t[] = {
        { "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\na\r\nb\r\n",
          "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 6 "
          "2)",
          "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 6 "
          "2 NIL NIL NIL NIL)" },
        { "\r\nx", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
          "\"7bit\" 1 0)",
          "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
          "\"7bit\" 1 0 NIL NIL NIL NIL)" },
        { "Content-Type: text/x\n\na\nb\n",
          "(\"text\" \"x\" NIL NIL NIL \"7bit\" 6 2)",
          "(\"text\" \"x\" NIL NIL NIL \"7bit\" 6 2 NIL NIL NIL NIL)" },
        { "Content-Type: image/png; name=\"a b\"\r\n"
          "Content-Transfer-Encoding: base64\r\nContent-ID: <i>\r\n"
          "Content-Description: d\r\nContent-MD5: m\r\n"
          "Content-Disposition: inline; filename=f\r\n"
          "Content-Language: en, de\r\nContent-Location: l\r\n\r\nQQ==",
          "(\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 4)",
          "(\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 4 "
          "\"m\" (\"inline\" (\"filename\" \"f\")) (\"en\" \"de\") \"l\")" },
        { "Content-Type: multipart/mixed; boundary=b\r\n"
          "Content-Language: en\r\n\r\n--b\r\n\r\n1\r\n"
          "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
          "--c\r\n\r\n2\r\n--c\r\nContent-Type: text/html\r\n\r\n3\r\n--c--\r\n"
          "--b--\r\n",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 "
          "0)((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
          "1 0)(\"text\" \"html\" NIL NIL NIL \"7bit\" 1 0) \"alternative\") "
          "\"mixed\")",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 "
          "0 NIL NIL NIL NIL)((\"text\" \"plain\" (\"charset\" \"us-ascii\") "
          "NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL)(\"text\" \"html\" NIL NIL NIL "
          "\"7bit\" 1 0 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"c\") "
          "NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL \"en\" NIL)" },
        { "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
          "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL NIL "
          "NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" "
          "\"us-ascii\") NIL NIL \"7bit\" 3 1) 3)",
          "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL NIL "
          "NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" "
          "\"us-ascii\") NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL) 3 NIL NIL NIL "
          "NIL)" },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 "
          "0) \"mixed\")",
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 "
          "0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)" },
        { "Content-Type: multipart/mixed\r\n\r\nx",
          "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 1)",
          "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 1 NIL NIL "
          "NIL NIL)" },
        { "Content-Type: a/b; c*0*=utf-8''%C3; c*1*=%A9; d=\xc3\xa9\r\n"
          "Content-Language: (x), ;\r\n\r\n",
          "(\"a\" \"b\" (\"c*\" \"utf-8''%C3%A9\" \"d\" {2}\r\n\xc3\xa9) NIL "
          "NIL \"7bit\" 0)",
          "(\"a\" \"b\" (\"c*\" \"utf-8''%C3%A9\" \"d\" {2}\r\n\xc3\xa9) NIL "
          "NIL \"7bit\" 0 NIL NIL NIL NIL)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT;
        struct mime m;

        parse(&m, view_of(t[i].message));
        bodystructure_format(&b, &m, false);
        assert_buf(&b, t[i].body);
        buf_reset(&b);
        bodystructure_format(&b, &m, true);
        assert_buf(&b, t[i].extended);
        mime_release(&m);
        buf_release(&b);
    }
}

/* Are parentheses outside of strings balanced, and is it one list? */
static bool is_one_list(struct view v)
{
    size_t depth = 0;

    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (c == '"') {
            for (i++; i < v.len && v.data[i] != '"'; i++)
                i += v.data[i] == '\\';
        } else if (c == '{') {
            size_t end = i + view_index(view_sub(v, i, v.len), '}');
            uint64_t n;

            if (!view_number(view_sub(v, i + 1, end), v.len, &n))
                return false;
            i = end + 2 + n;
        } else if (c == '(') {
            depth++;
        } else if (c == ')') {
            if (depth == 0 || (--depth == 0 && i + 1 < v.len))
                return false;
        }
    }
    return depth == 0 && v.len > 0;
}

static void bombs_have_a_structure(void **state)
{
    static const char *const pieces[] = {
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Content-Type: message/rfc822\n\n",
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\n",
        "Content-Type: message/rfc822\nTo: a\"\\ (, <{3}@x>\nSubject: \"\\\n\n",
        "--b\nContent-Type: multipart/mixed; boundary=\"b\"\n--b--\n\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct buf text = BUF_INIT, b = BUF_INIT;
        struct mime m;

        buf_add_text(&text, pieces[0]);
        for (int n = 0; n < 10000; n++)
            buf_add_text(&text, pieces[i]);
        parse(&m, buf_view(&text));
        bodystructure_format(&b, &m, true);
        assert_true(is_one_list(buf_view(&b)));
        assert_true(b.len <= 300 * (m.parts_count + 1));
        mime_release(&m);
        buf_release(&text);
        buf_release(&b);
    }
}

/* --- sections ---------------------------------------------------------- */

/* A message in the shape of the example in RFC 3501 §6.4.5. */
static const char nested[] =
    "Subject: top\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
    "--o\r\n\r\none\r\n"
    "--o\r\nContent-Type: application/x\r\n\r\ntwo\r\n"
    "--o\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: three\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    "--i\r\n\r\n3.1\r\n--i\r\nX: y\r\n\r\n3.2\r\n--i--\r\n"
    "--o\r\nContent-Type: multipart/mixed; boundary=j\r\n\r\n"
    "--j\r\nContent-Type: image/gif\r\n\r\n4.1\r\n"
    "--j\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: deep\r\n\r\n4.2.1\r\n--j--\r\n"
    "--o--\r\n";

static void sections_are_ranges(void **state)
{
    static const struct {
        const char *section;
        enum bodystructure_section kind;
        const char *bytes; /* NULL: not compared */
    } t[] = {
        { "", SECTION_BYTES, nested },
        { "HEADER", SECTION_BYTES, "Subject: top\r\nContent-Type: "
          "multipart/mixed; boundary=o\r\n\r\n" },
        { "header.fields", SECTION_FIELDS, "Subject: top\r\nContent-Type: "
          "multipart/mixed; boundary=o\r\n\r\n" },
        { "TEXT", SECTION_BYTES, NULL },
        { "1", SECTION_BYTES, "one" },
        { "1.MIME", SECTION_BYTES, "\r\n" },
        { "1.HEADER", SECTION_MISSING, NULL },
        { "1.TEXT", SECTION_MISSING, NULL },
        { "1.1", SECTION_MISSING, NULL },
        { "2", SECTION_BYTES, "two" },
        { "2.MIME", SECTION_BYTES, "Content-Type: application/x\r\n\r\n" },
        { "3.HEADER", SECTION_BYTES, "Subject: three\r\nContent-Type: "
          "multipart/mixed; boundary=i\r\n\r\n" },
        { "3.HEADER.FIELDS.NOT", SECTION_FIELDS, NULL },
        { "3.TEXT", SECTION_BYTES, "--i\r\n\r\n3.1\r\n--i\r\nX: y\r\n\r\n3.2"
          "\r\n--i--" },
        { "3.1", SECTION_BYTES, "3.1" },
        { "3.2", SECTION_BYTES, "3.2" },
        { "3.2.MIME", SECTION_BYTES, "X: y\r\n\r\n" },
        { "3.3", SECTION_MISSING, NULL },
        { "4.1", SECTION_BYTES, "4.1" },
        { "4.1.MIME", SECTION_BYTES, "Content-Type: image/gif\r\n\r\n" },
        { "4.2", SECTION_BYTES, "Subject: deep\r\n\r\n4.2.1" },
        { "4.2.HEADER", SECTION_BYTES, "Subject: deep\r\n\r\n" },
        { "4.2.TEXT", SECTION_BYTES, "4.2.1" },
        { "4.2.1", SECTION_BYTES, "4.2.1" },
        { "4.2.2", SECTION_MISSING, NULL },
        { "4.2.1.1", SECTION_MISSING, NULL },
        { "4.HEADER", SECTION_MISSING, NULL },
        { "5", SECTION_MISSING, NULL },
        { "5.1.1.1", SECTION_MISSING, NULL },
        { "4294967295", SECTION_MISSING, NULL },
        { "0", SECTION_MALFORMED, NULL },
        { "01", SECTION_MALFORMED, NULL },
        { "1.", SECTION_MALFORMED, NULL },
        { ".1", SECTION_MALFORMED, NULL },
        { "1..1", SECTION_MALFORMED, NULL },
        { "4294967296", SECTION_MALFORMED, NULL },
        { "MIME", SECTION_MALFORMED, NULL },
        { "1.BODY", SECTION_MALFORMED, NULL },
        { "HEADER.1", SECTION_MALFORMED, NULL },
        { "TEXT ", SECTION_MALFORMED, NULL },
    };
    struct mime m;

    (void)state;
    parse(&m, VIEW(nested));
    for (size_t i = 0; i < COUNT(t); i++) {
        struct bodystructure_range r;
        enum bodystructure_section kind =
            bodystructure_find(&m, view_of(t[i].section), &r);

        if (kind != t[i].kind)
            fail_msg("%s: %d", t[i].section, kind);
        if (t[i].bytes != NULL)
            assert_view(view_sub(VIEW(nested), r.offset, r.offset + r.len),
                        t[i].bytes);
    }
    mime_release(&m);
}

static void a_single_part_is_part_one(void **state)
{
    struct bodystructure_range r;
    struct mime m;

    (void)state;
    parse(&m, VIEW("A: 1\n\nx\ny\n"));
    assert_int_equal(bodystructure_find(&m, VIEW("1"), &r), SECTION_BYTES);
    assert_int_equal(r.offset, 6);
    assert_int_equal(r.len, 4);
    assert_int_equal(r.bare, 2);
    assert_int_equal(bodystructure_find(&m, VIEW("1.MIME"), &r),
                     SECTION_BYTES);
    assert_int_equal(r.len, 6);
    assert_int_equal(bodystructure_find(&m, VIEW("2"), &r), SECTION_MISSING);
    assert_int_equal(bodystructure_find(&m, VIEW("1.1"), &r),
                     SECTION_MISSING);
    assert_int_equal(bodystructure_find(&m, VIEW(""), &r), SECTION_BYTES);
    assert_int_equal(r.len + r.bare, 14);
    mime_release(&m);
}

static void sections_go_as_deep_as_the_tree(void **state)
{
    struct buf text = BUF_INIT, section = BUF_INIT;
    struct bodystructure_range r;
    struct mime m;

    (void)state;
    for (int i = 0; i < 200; i++)
        buf_add_text(&text, "Content-Type: message/rfc822\r\n\r\n");
    parse(&m, buf_view(&text));
    buf_add_text(&section, "1");
    for (int depth = 1; depth < 150; depth++) {
        enum bodystructure_section kind =
            bodystructure_find(&m, buf_view(&section), &r);

        assert_int_equal(kind, depth <= 101 ? SECTION_BYTES : SECTION_MISSING);
        buf_add_text(&section, ".1");
    }
    mime_release(&m);
    buf_release(&text);
    buf_release(&section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_have_their_form),
        cmocka_unit_test(envelopes_are_those_of_the_rfc),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(structures_are_those_of_the_rfc),
        cmocka_unit_test(bombs_have_a_structure),
        cmocka_unit_test(sections_are_ranges),
        cmocka_unit_test(a_single_part_is_part_one),
        cmocka_unit_test(sections_go_as_deep_as_the_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
