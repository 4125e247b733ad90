/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "base/io.h"
#include "base/memfd.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* --- helpers ----------------------------------------------------------- */

static void parse(struct mime *m, struct view message)
{
    struct mime_source src = mime_source_memory(message);
    struct error err;

    if (mime_parse(m, &src, MIME_LIMITS_DEFAULT, &err) < 0)
        fail_msg("%s", err.text);
}

static void add_flags(struct buf *out, unsigned flags)
{
    static const char letters[] = "DBOTU2AS"; /* in the order of the bits */

    if (flags != 0)
        buf_add_char(out, ' ');
    for (unsigned i = 0; letters[i] != '\0'; i++)
        if (flags & (1u << i))
            buf_add_char(out, letters[i]);
}

/* Write a line a part: dots for its depth, its type, flags, a leaf's body. */
static void show(struct buf *out, const struct mime *m, struct view message)
{
    buf_reset(out);
    for (size_t i = 0; i < m->parts_count; i++) {
        const struct mime_part *p = &m->parts[i];

        for (unsigned d = 0; d < p->depth; d++)
            buf_add_char(out, '.');
        buf_add_view(out, mime_text(m, p->type));
        buf_add_char(out, '/');
        buf_add_view(out, mime_text(m, p->subtype));
        add_flags(out, p->flags);
        if (p->kind == MIME_LEAF) {
            buf_add_text(out, " [");
            buf_add_view(out, view_sub(message, p->body_offset,
                                       p->body_offset + p->body_len));
            buf_add_char(out, ']');
        }
        buf_add_char(out, '\n');
    }
}

/* What holds for every tree. */
static void check_tree(const struct mime *m, struct view message)
{
    const struct mime_part *root = &m->parts[0];

    assert_true(m->parts_count > 0);
    assert_int_equal(root->header_len + root->body_len, message.len);
    for (size_t i = 0; i < m->parts_count; i++) {
        const struct mime_part *p = &m->parts[i], *parent;

        assert_int_equal(p->body_offset, p->header_offset + p->header_len);
        assert_true(p->body_offset + p->body_len <= message.len);
        assert_true(p->body_lines >= p->body_bare);
        assert_int_equal(p->child >= 0, p->kind != MIME_LEAF);
        assert_true(p->type.len > 0 && p->subtype.len > 0);
        if (i == 0)
            continue;
        parent = &m->parts[p->parent];
        assert_true((size_t)p->parent < i);
        assert_int_equal(p->depth, parent->depth + 1);
        assert_true(p->header_offset >= parent->body_offset);
        assert_true(p->body_offset + p->body_len <=
                    parent->body_offset + parent->body_len);
        if (p->next >= 0)
            assert_true(m->parts[p->next].header_offset >=
                        p->body_offset + p->body_len);
    }
}

static void expect(const char *message, const char *tree)
{
    struct buf b = BUF_INIT;
    struct mime m;

    parse(&m, view_of(message));
    check_tree(&m, view_of(message));
    show(&b, &m, view_of(message));
    if (strcmp(buf_text(&b), tree) != 0)
        fail_msg("%s\n-- gives --\n%s", message, buf_text(&b));
    mime_release(&m);
    buf_release(&b);
}

/* The same message with LF has the same tree. */
static void expect_both(const char *crlf, const char *tree)
{
    struct buf lf = BUF_INIT, b = BUF_INIT, want = BUF_INIT;
    struct mime m, n;

    for (const char *c = crlf; *c != '\0'; c++)
        if (*c != '\r')
            buf_add_char(&lf, *c);
    expect(crlf, tree);
    for (; *tree != '\0'; tree++)
        if (*tree != '\r')
            buf_add_char(&want, *tree);
    parse(&m, view_of(crlf));
    parse(&n, buf_view(&lf));
    check_tree(&n, buf_view(&lf));
    show(&b, &n, buf_view(&lf));
    assert_string_equal(buf_text(&b), buf_text(&want));
    for (size_t i = 0; i < m.parts_count; i++) {
        assert_int_equal(mime_body_size(&m.parts[i]),
                         mime_body_size(&n.parts[i]));
        assert_int_equal(mime_header_size(&m.parts[i]),
                         mime_header_size(&n.parts[i]));
        assert_int_equal(m.parts[i].body_lines, n.parts[i].body_lines);
    }
    mime_release(&m);
    mime_release(&n);
    buf_release(&lf);
    buf_release(&b);
    buf_release(&want);
}

#define MULTI(b) "Content-Type: multipart/mixed; boundary=\"" b "\"\r\n\r\n"
#define HTML     "Content-Type: text/html\r\n\r\n"

/* --- trees ------------------------------------------------------------- */

static void simple_messages_are_one_part(void **state)
{
    (void)state;
    expect("", "text/plain D []\n");
    expect("\r\n", "text/plain D []\n");
    expect_both("A: 1\r\n\r\nhello\r\n", "text/plain D [hello\r\n]\n");
    expect_both(HTML "x", "text/html [x]\n");
    expect("A: 1\r\n", "text/plain D []\n");
    expect("Content-Type: text/html", "text/html []\n");
    expect("Content-Type: text\r\n\r\nx", "text/plain B [x]\n");
    expect("Content-Type: /\r\n\r\nx", "text/plain B [x]\n");
    expect("Content-Type:\r\n\r\nx", "text/plain B [x]\n");
    expect("Content-Type: (c) TEXT (d) / (e) x-y (f) ; a=b\r\n\r\nx",
           "TEXT/x-y [x]\n");
    expect("Content-Type: text/html\r\ncontent-type: multipart/mixed;"
           " boundary=b\r\n\r\n--b\r\n", "text/html 2 [--b\r\n]\n");
}

/* RFC 2046 §5.1.1 and what surrounds parts. */
static void multiparts_have_their_parts(void **state)
{
    (void)state;
    expect_both(MULTI("simple boundary")
                "This is the preamble.\r\n"
                "--simple boundary\r\n"
                "\r\n"
                "implicitly typed\r\n"
                "It does NOT end with a linebreak.\r\n"
                "--simple boundary\r\n"
                "Content-type: text/plain; charset=us-ascii\r\n"
                "\r\n"
                "It DOES end with a linebreak.\r\n"
                "\r\n"
                "--simple boundary--\r\n"
                "This is the epilogue.\r\n"
                "--simple boundary\r\n"
                "\r\n"
                "not a part\r\n",
                "multipart/mixed\n"
                ".text/plain D [implicitly typed\r\n"
                "It does NOT end with a linebreak.]\n"
                ".text/plain [It DOES end with a linebreak.\r\n]\n");
    expect_both(MULTI("b") "--b \t\r\n" HTML "x\r\n--b--  \r\n",
                "multipart/mixed\n.text/html [x]\n");
    /* nested; the outer delimiter ends the inner multipart */
    expect_both(MULTI("o") "--o\r\n" MULTI("i") "--i\r\n\r\n1\r\n--i\r\n\r\n2"
                "\r\n--i--\r\nepilogue\r\n--o\r\n\r\n3\r\n--o--\r\n",
                "multipart/mixed\n.multipart/mixed\n..text/plain D [1]\n"
                "..text/plain D [2]\n.text/plain D [3]\n");
    expect_both(MULTI("o") "--o\r\n" MULTI("i") "--i\r\n\r\n1\r\n--o\r\n\r\n3"
                "\r\n--o--\r\n",
                "multipart/mixed\n.multipart/mixed U\n..text/plain D [1]\n"
                ".text/plain D [3]\n");
    /* no end */
    expect_both(MULTI("b") "--b\r\n\r\nx\r\n",
                "multipart/mixed U\n.text/plain D [x\r\n]\n");
    expect(MULTI("b") "--b\r\n\r\nx\r\n--b--",
           "multipart/mixed\n.text/plain D [x]\n");
    expect(MULTI("b") "--b", "multipart/mixed U\n.text/plain D []\n");
    /* parts cut short */
    expect_both(MULTI("b") "--b\r\n--b\r\nA: 1\r\n--b\r\n\r\n--b\r\n\r\n\r\n"
                "--b--\r\n",
                "multipart/mixed\n.text/plain D []\n.text/plain D []\n"
                ".text/plain D []\n.text/plain D []\n");
    /* no part at all */
    expect_both(MULTI("b") "nothing here\r\n",
                "multipart/mixed U\n.text/plain DS []\n");
    expect_both(MULTI("b") "--b--\r\n",
                "multipart/mixed\n.text/plain DS []\n");
}

static void messages_are_parts_too(void **state)
{
    (void)state;
    expect_both("Content-Type: message/rfc822\r\n\r\n"
                "Subject: inner\r\n" HTML "x\r\n",
                "message/rfc822\n.text/html [x\r\n]\n");
    expect_both(MULTI("o") "--o\r\nContent-Type: message/rfc822\r\n\r\n"
                MULTI("i") "--i\r\n\r\n1\r\n--i--\r\n--o\r\n\r\n2\r\n--o--\r\n",
                "multipart/mixed\n.message/rfc822\n..multipart/mixed\n"
                "...text/plain D [1]\n.text/plain D [2]\n");
    expect_both("Content-Type: multipart/digest; boundary=b\r\n\r\n"
                "--b\r\n\r\nSubject: a\r\n\r\n1\r\n"
                "--b\r\nContent-Type: text/html\r\n\r\n2\r\n--b--\r\n",
                "multipart/digest\n.message/rfc822 D\n..text/plain D [1]\n"
                ".text/html [2]\n");
    /* a header that the delimiter cuts off */
    expect_both(MULTI("o") "--o\r\nContent-Type: message/rfc822\r\n--o--\r\n",
                "multipart/mixed\n.message/rfc822\n..text/plain D []\n");
    /* an empty line that ends the header and belongs to the delimiter */
    expect_both("Content-Type: multipart/digest; boundary=b\r\n\r\n"
                "--b\r\n\r\nA: b\r\n\r\n--b\r\n\r\n--b\r\n"
                "Content-Type: message/rfc822\r\n\r\n--b--\r\n",
                "multipart/digest\n.message/rfc822 D\n..text/plain D []\n"
                ".message/rfc822 D\n..text/plain D []\n"
                ".message/rfc822\n..text/plain D []\n");
    /* the inner header */
    expect_both(MULTI("o") "--o\r\nContent-Type: message/rfc822\r\n\r\n"
                "Content-Type: message/rfc822\r\n--o--\r\n",
                "multipart/mixed\n.message/rfc822\n..message/rfc822\n"
                "...text/plain D []\n");
    /* encoded messages cannot be looked into (RFC 2046 §5.2.1) */
    expect("Content-Type: message/rfc822\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\n",
           "message/rfc822 O [QQ==\r\n]\n");
    expect("Content-Type: message/delivery-status\r\n\r\nA: b\r\n",
           "message/delivery-status [A: b\r\n]\n");
}

/* Boundaries made to be mistaken (H30). */
static void boundaries_are_not_mistaken(void **state)
{
#define TEN "0123456789"
#define B70 TEN TEN TEN TEN TEN TEN TEN
    (void)state;
    /* one is the beginning of another */
    expect_both(MULTI("a") "--a\r\n" MULTI("ab") "--ab\r\n\r\n1\r\n--ab--\r\n"
                "--a\r\n\r\n2\r\n--a--\r\n",
                "multipart/mixed\n.multipart/mixed A\n..text/plain D [1]\n"
                ".text/plain D [2]\n");
    expect_both(MULTI("ab") "--ab\r\n" MULTI("a") "--a\r\n\r\n1\r\n--a--\r\n"
                "--ab\r\n\r\n2\r\n--ab--\r\n",
                "multipart/mixed\n.multipart/mixed A\n..text/plain D [1]\n"
                ".text/plain D [2]\n");
    expect(MULTI("a") "--ab\r\n--a-\r\n--a--b\r\n --a\r\n-- a\r\n--a\r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
    /* the same twice: the inner one is tried first */
    expect(MULTI("a") "--a\r\n" MULTI("a") "--a\r\n\r\n1\r\n--a--\r\n--a\r\n"
           "\r\n2\r\n--a--\r\n",
           "multipart/mixed\n.multipart/mixed A\n..text/plain D [1]\n"
           ".text/plain D [2]\n");
    /* long ones */
    expect(MULTI(B70 B70 B70) "--" B70 B70 B70 "\r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
    expect(MULTI(B70 B70 B70 B70) "--" B70 B70 B70 B70 "\r\n\r\n1",
           "multipart/mixed O [--" B70 B70 B70 B70 "\r\n\r\n1]\n");
    /* odd ones */
    expect(MULTI("") "--\r\n\r\n1", "multipart/mixed O [--\r\n\r\n1]\n");
    expect("Content-Type: multipart/mixed\r\n\r\n--\r\n",
           "multipart/mixed O [--\r\n]\n");
    expect(MULTI("=?x?q?y?=") "--=?x?q?y?=\r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
    expect(MULTI("b  ") "--b  \r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
    expect("Content-Type: multipart/mixed; boundary*0=\"a\"; boundary*1=b"
           "\r\n\r\n--ab\r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
    expect("Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n"
           "--b\r\n--a\r\n\r\n1", "multipart/mixed U\n.text/plain D [1]\n");
    expect("Content-Type: multipart/mixed; boundary=----=_Part/1:2\r\n\r\n"
           "------=_Part/1:2\r\n\r\n1",
           "multipart/mixed U\n.text/plain D [1]\n");
}

/* --- sizes and sources ------------------------------------------------- */

static void sizes_count_lines_as_crlf(void **state)
{
    struct view text = VIEW("A: 1\nB: 2\r\n\nx\r\ny\nz");
    const struct mime_part *p;
    struct mime m;

    (void)state;
    parse(&m, text);
    p = &m.parts[0];
    assert_int_equal(p->header_len, 12);
    assert_int_equal(mime_header_size(p), 14);
    assert_int_equal(p->body_len, 6);
    assert_int_equal(p->body_lines, 2);
    assert_int_equal(mime_body_size(p), 7);
    mime_release(&m);
}

static void files_are_read_like_memory(void **state)
{
    struct view text = VIEW("queue header" MULTI("b") "--b\r\n\r\nx\r\n--b--"
                            "\r\ntrailer");
    struct mime_source src;
    struct error err;
    struct mime m;
    int fd = memfd_new("test", &err);

    (void)state;
    io_write_all(fd, text.data, text.len, "memfd", &err);
    src = mime_source_file(fd, 12, text.len - 12 - 7, "it");
    assert_int_equal(mime_parse(&m, &src, MIME_LIMITS_DEFAULT, &err), 0);
    assert_int_equal(m.parts_count, 2);
    assert_int_equal(m.parts[1].body_len, 1);
    mime_release(&m);
    src.len = text.len;
    assert_int_equal(mime_parse(&m, &src, MIME_LIMITS_DEFAULT, &err), -1);
    assert_non_null(strstr(err.text, "it ends at byte"));
    assert_null(m.parts);
    close(fd);
}

/* Lines longer than the parser's window, and CR and LF in two pieces. */
static void long_lines_come_in_pieces(void **state)
{
    for (size_t len = 65530; len < 65540; len++) {
        struct buf b = BUF_INIT;
        struct mime m;

        buf_add_text(&b, MULTI("b") "--b\r\nX: ");
        for (size_t i = 0; i < len; i++)
            buf_add_char(&b, 'x');
        buf_add_text(&b, "\r\n" HTML);
        for (size_t i = 0; i < len; i++)
            buf_add_char(&b, '-');
        buf_add_text(&b, "\r\n--b--\r\n");
        parse(&m, buf_view(&b));
        check_tree(&m, buf_view(&b));
        assert_int_equal(m.parts_count, 2);
        assert_true(mime_is(&m, &m.parts[1], "text", "html"));
        assert_int_equal(m.parts[1].body_len, len);
        assert_int_equal(m.parts[1].body_lines, 0);
        assert_int_equal(m.parts[0].body_bare, 0);
        assert_false(m.parts[0].flags & MIME_UNTERMINATED);
        mime_release(&m);
        buf_release(&b);
    }
    (void)state;
}

/* --- bombs (H24, H30) -------------------------------------------------- */

static void make_nested(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(b, "Content-Type: multipart/mixed; boundary=b%zu\n\n--b%zu\n",
                 i, i);
}

static void make_nested_messages(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "Content-Type: message/rfc822\n\n");
}

static void make_parts(struct buf *b, size_t n)
{
    buf_add_text(b, MULTI("b"));
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "--b\n\nx\n");
}

static void make_params(struct buf *b, size_t n)
{
    buf_add_text(b, "Content-Type: text/plain");
    for (size_t i = n; i-- > 0;)
        buf_addf(b, ";\n n*%zu*=%%41", i);
    buf_add_text(b, "\n\n");
}

/* Many headers, each with as many parameters as are looked at. */
static void make_many_params(struct buf *b, size_t n)
{
    buf_add_text(b, MULTI("b"));
    for (size_t i = 0; i < n; i++) {
        buf_add_text(b, "--b\nContent-Type: text/plain");
        for (int k = 0; k < 200; k++)
            buf_addf(b, ";p%d=", k % 7 * 30 + k);
        buf_add_text(b, "\n\n");
    }
}

static void make_addresses(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "To: \"A B\" <a@b.example>\n");
    buf_add_text(b, "\n");
}

/* Delimiters that are nearly right, in the deepest part there can be. */
static void make_near_misses(struct buf *b, size_t n)
{
    for (size_t i = 0; i < 99; i++)
        buf_addf(b, "Content-Type: multipart/mixed; boundary=aaaaaaaaaaaaaaaa"
                 "%02zu\n\n--aaaaaaaaaaaaaaaa%02zu\n", i, i);
    buf_add_text(b, "\n");
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "--aaaaaaaaaaaaaaaaaa\n--aaaaaaaaaaaaaaaaaa--\n--\n");
}

static void make_epilogue(struct buf *b, size_t n)
{
    buf_add_text(b, MULTI("b") "--b\n\nx\n--b--\n");
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "--b\n--b--\n");
}

static void make_one_header(struct buf *b, size_t n)
{
    buf_add_text(b, "Subject: ");
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "x\n x(");
}

static void make_header_lines(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(b, "\t\nx\n");
}

/* Work grows with the size and not faster: each input is parsed at two sizes,
 * and the parser's own count of bytes looked at is compared. */
static void bombs_cost_what_they_weigh(void **state)
{
    static const struct {
        void (*make)(struct buf *b, size_t n);
        size_t n;
        size_t parts; /* at the larger size */
        bool truncated;
        unsigned per_byte; /* bytes looked at for one byte of message */
    } t[] = {
        { make_nested,          10000,  101,   true,  8   },
        { make_nested_messages, 10000,  101,   true,  8   },
        { make_parts,           100000, 10000, true,  8   },
        { make_params,          20000,  1,     true,  8   },
        { make_many_params,     2000,   4001,  false, 8   },
        { make_addresses,       50000,  1,     false, 8   },
        { make_near_misses,     20000,  100,   false, 101 },
        { make_epilogue,        100000, 2,     false, 8   },
        { make_one_header,      1000000, 1,   true,  8   },
        { make_header_lines,    1000000, 1,   true,  8   },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        uint64_t steps[2];

        for (int twice = 0; twice < 2; twice++) {
            struct buf b = BUF_INIT;
            struct mime m;

            t[i].make(&b, t[i].n << twice);
            parse(&m, buf_view(&b));
            check_tree(&m, buf_view(&b));
            steps[twice] = m.steps;
            if (m.steps > b.len * t[i].per_byte)
                fail_msg("%zu: %llu steps for %zu bytes", i,
                         (unsigned long long)m.steps, b.len);
            if (twice && m.parts_count != t[i].parts)
                fail_msg("%zu: %zu parts", i, m.parts_count);
            if (twice)
                assert_int_equal(m.truncated, t[i].truncated);
            assert_true(m.text.len < (40u << 20));
            mime_release(&m);
            buf_release(&b);
        }
        assert_true(steps[1] * 10 <= steps[0] * 23);
    }
}

/* What is beyond a limit is not seen, and what comes after it still is. */
static void limits_leave_the_rest_in_order(void **state)
{
    struct mime_limits limits = MIME_LIMITS_DEFAULT;
    struct view text = VIEW(
        MULTI("o") "--o\r\nContent-Type: text/html; x=" B70 B70 ";y=1\r\n"
        "Content-ID: <2>\r\n\r\n1\r\n--o\r\n" MULTI("i")
        "--i\r\n\r\n2\r\n--i--\r\n--o\r\n\r\n3\r\n--o--\r\n");
    struct mime_source src = mime_source_memory(text);
    struct error err;
    struct mime m;

    (void)state;
    limits.field = 100;
    limits.depth = 1;
    assert_int_equal(mime_parse(&m, &src, limits, &err), 0);
    check_tree(&m, text);
    assert_int_equal(m.parts_count, 4);
    assert_true(m.truncated);
    assert_true(m.parts[1].flags & MIME_TRUNCATED);
    assert_view(mime_text(&m, m.parts[1].id), "<2>");
    assert_int_equal(m.parts[1].type_params.count, 1);
    assert_int_equal(m.parts[2].flags, MIME_OPAQUE | MIME_TRUNCATED);
    assert_int_equal(m.parts[2].kind, MIME_LEAF);
    assert_int_equal(m.parts[3].flags, MIME_DEFAULT_TYPE);
    assert_int_equal(m.parts[3].body_len, 1);
    mime_release(&m);

    limits = MIME_LIMITS_DEFAULT;
    limits.parts = 3; /* no room for the inner multipart's part */
    assert_int_equal(mime_parse(&m, &src, limits, &err), 0);
    check_tree(&m, text);
    assert_int_equal(m.parts_count, 3);
    assert_int_equal(m.parts[2].kind, MIME_LEAF);
    assert_true(m.parts[2].flags & MIME_OPAQUE);
    assert_true(m.parts[0].flags & MIME_TRUNCATED);
    mime_release(&m);

    limits = MIME_LIMITS_DEFAULT;
    limits.header = 60; /* that of the message only, and a piece */
    assert_int_equal(mime_parse(&m, &src, limits, &err), 0);
    check_tree(&m, text);
    assert_true(m.truncated);
    mime_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_messages_are_one_part),
        cmocka_unit_test(multiparts_have_their_parts),
        cmocka_unit_test(messages_are_parts_too),
        cmocka_unit_test(boundaries_are_not_mistaken),
        cmocka_unit_test(sizes_count_lines_as_crlf),
        cmocka_unit_test(files_are_read_like_memory),
        cmocka_unit_test(long_lines_come_in_pieces),
        cmocka_unit_test(bombs_cost_what_they_weigh),
        cmocka_unit_test(limits_leave_the_rest_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
