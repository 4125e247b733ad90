/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/header_write.h"
#include "mail/mailbox_list.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* No line longer than `max`, none only of blanks, all ended by CRLF. */
static void check_lines(struct view field, size_t max)
{
    struct view rest = field, line;

    assert_true(view_ends(field, "\r\n"));
    rest.len -= 1;
    while (view_cut(&rest, '\n', &line)) {
        assert_true(view_ends(line, "\r"));
        assert_true(line.len - 1 <= max);
        assert_true(view_trim(line).len > 0);
    }
}

static void text_is_written_and_read_back(void **state)
{
    static const struct {
        const char *text, *field; /* NULL: only read back */
    } t[] = {
        { "Hello", "Subject: Hello\r\n" },
        { "  Hello  there ", "Subject: Hello  there\r\n" },
        { "", "Subject:\r\n" },
        { "caf\xc3\xa9", "Subject: =?utf-8?q?caf=C3=A9?=\r\n" },
        { "a caf\xc3\xa9 b", "Subject: a =?utf-8?q?caf=C3=A9?= b\r\n" },
        { "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
          "Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n" },
        { "=?utf-8?q?x?=", NULL },
        { "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "12345", "Subject: 1234567890 1234567890 1234567890 1234567890 "
          "1234567890 1234567890\r\n 12345\r\n" },
        { "\xc3\xa9 1234567890 1234567890 1234567890 1234567890 1234567890 "
          "1234567890 1234567890 \xe2\x82\xac\xf0\x9f\x98\x80 end", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct buf b = BUF_INIT, raw = BUF_INIT, back = BUF_INIT;
        struct header_field f;
        struct error err;

        buf_add_text(&back, "");
        if (header_write_text(&b, "Subject", view_of(t[i].text), &err) < 0)
            fail_msg("%s", err.text);
        if (t[i].field)
            assert_buf(&b, t[i].field);
        if (*t[i].text)
            check_lines(buf_view(&b), 78);
        assert_true(header_find(buf_view(&b), "subject", &f));
        header_unfold(&raw, f.value);
        encoded_word_decode(&back, buf_view(&raw));
        assert_view(view_trim(view_of(t[i].text)), buf_text(&back));
        buf_release(&b);
        buf_release(&raw);
        buf_release(&back);
    }
}

static void long_text_comes_back_whole(void **state)
{
    static const char *const pieces[] = {
        "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a", " ", "\xc3\xa9", "=?", "_",
        "xyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyzxyz",
    };
    struct buf text = BUF_INIT;
    unsigned seed = 1;

    (void)state;
    buf_add_text(&text, "\xc3\xa9");
    for (int i = 0; i < 300; i++) {
        struct buf b = BUF_INIT, raw = BUF_INIT, back = BUF_INIT;
        struct header_field f;
        struct error err;

        seed = seed * 1103515245 + 12345;
        buf_add_text(&text, pieces[(seed >> 16) % COUNT(pieces)]);
        buf_add_text(&text, "\xc3\xa9"); /* so that all of it is encoded */
        assert_int_equal(header_write_text(&b, "Subject", buf_view(&text),
                                           &err), 0);
        check_lines(buf_view(&b), 76);
        assert_true(header_find(buf_view(&b), "subject", &f));
        header_unfold(&raw, f.value);
        encoded_word_decode(&back, buf_view(&raw));
        assert_buf(&back, buf_text(&text));
        buf_release(&b);
        buf_release(&raw);
        buf_release(&back);
    }
    buf_release(&text);
}

static void nothing_is_smuggled_into_a_header(void **state)
{
    static const struct view t[] = {
        VIEW("a\r\nBcc: x@y"), VIEW("a\nb"),     VIEW("a\rb"),
        VIEW("a\0b"),          VIEW("a\x1b[2J"), VIEW("a\x7f"),
        VIEW("\xff"),          VIEW("\xc3"),
    };
    struct buf b = BUF_INIT;
    struct error err;

    (void)state;
    buf_add_text(&b, "X: y\r\n");
    for (size_t i = 0; i < COUNT(t); i++) {
        assert_int_equal(header_write_text(&b, "A", t[i], &err), -1);
        assert_int_equal(header_write_structured(&b, "A", t[i], &err), -1);
        assert_int_equal(header_write_mailbox(&b, "A", t[i], VIEW("a@b"),
                                              &err), -1);
        assert_int_equal(header_write_mailbox(&b, "A", VIEW("a"), t[i],
                                              &err), -1);
    }
    assert_int_equal(header_write_text(&b, "A:", VIEW("x"), &err), -1);
    assert_int_equal(header_write_text(&b, "A b", VIEW("x"), &err), -1);
    assert_int_equal(header_write_text(&b, "A\r\n", VIEW("x"), &err), -1);
    assert_int_equal(header_write_text(&b, "", VIEW("x"), &err), -1);
    assert_buf(&b, "X: y\r\n");
    buf_release(&b);
}

static void what_is_too_long_is_refused(void **state)
{
    struct buf word = BUF_INIT, out = BUF_INIT;
    struct error err;

    (void)state;
    buf_add_text(&out, "");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&word, 'x');
    assert_int_equal(header_write_structured(&out, "X", buf_view(&word), &err),
                     -1);
    assert_buf(&out, "");
    /* Running text can be cut into encoded words. */
    assert_int_equal(header_write_text(&out, "X", buf_view(&word), &err), 0);
    check_lines(buf_view(&out), 78);
    buf_cut(&word, 990);
    buf_reset(&out);
    assert_int_equal(header_write_structured(&out, "X", buf_view(&word), &err),
                     0);
    while (word.len <= HEADER_WRITE_MAX)
        buf_add_text(&word, " x");
    buf_reset(&out);
    assert_int_equal(header_write_structured(&out, "X", buf_view(&word), &err),
                     -1);
    assert_int_equal(out.len, 0);
    buf_release(&word);
    buf_release(&out);
}

static void mailboxes_are_quoted_as_needed(void **state)
{
    static const struct {
        const char *display, *address, *field;
    } t[] = {
        { "", "a@b.org", "From: a@b.org\r\n" },
        { "Ann Lee", "a@b.org", "From: Ann Lee <a@b.org>\r\n" },
        { "Lee, Ann", "a@b.org", "From: \"Lee, Ann\" <a@b.org>\r\n" },
        { "A \"x\\", "a@b.org", "From: \"A \\\"x\\\\\" <a@b.org>\r\n" },
        { "<evil@x.org>,", "a@b.org",
          "From: \"<evil@x.org>,\" <a@b.org>\r\n" },
        { "Ren\xc3\xa9 B.", "a@b.org",
          "From: =?utf-8?q?Ren=C3=A9_B=2E?= <a@b.org>\r\n" },
        { "x", "\"a b\"@b.org", "From: x <\"a b\"@b.org>\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct mailbox_list l = MAILBOX_LIST_INIT;
        struct buf b = BUF_INIT, name = BUF_INIT;
        struct header_field f;
        struct error err;

        assert_int_equal(header_write_mailbox(&b, "From",
                                              view_of(t[i].display),
                                              view_of(t[i].address), &err), 0);
        assert_buf(&b, t[i].field);
        /* Whoever reads it sees one mailbox of that name. */
        assert_true(header_find(buf_view(&b), "From", &f));
        mailbox_list_parse(&l, f.value, MAILBOX_LIST_MAX);
        assert_int_equal(l.count, 1);
        buf_add_text(&name, "");
        encoded_word_decode(&name, mailbox_list_text(&l, l.list[0].name));
        assert_buf(&name, t[i].display);
        mailbox_list_release(&l);
        buf_release(&b);
        buf_release(&name);
    }
}

static void structured_fields_keep_their_blanks(void **state)
{
    struct buf b = BUF_INIT, back = BUF_INIT;
    struct view value = VIEW("by mail.example.org (Postern) with ESMTPS id "
                             "0123456789ABCDEF  for <someone@example.net>; "
                             "Sun, 22 Nov 2026 20:49:01 +0100");
    struct header_field f;
    struct error err;

    (void)state;
    assert_int_equal(header_write_structured(&b, "Received", value, &err), 0);
    check_lines(buf_view(&b), 78);
    assert_true(header_find(buf_view(&b), "Received", &f));
    header_unfold(&back, f.value);
    assert_view(value, buf_text(&back));
    buf_release(&b);
    buf_release(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_written_and_read_back),
        cmocka_unit_test(long_text_comes_back_whole),
        cmocka_unit_test(nothing_is_smuggled_into_a_header),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(mailboxes_are_quoted_as_needed),
        cmocka_unit_test(structured_fields_keep_their_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
