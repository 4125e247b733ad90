/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "base/io.h"
#include "base/memfd.h"
#include "mail/header.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Walk `text` and write "name=unfolded value|" for each field. */
static void walk(struct buf *out, struct view text)
{
    struct header_walk w;
    struct header_field f;

    buf_reset(out);
    buf_add_text(out, "");
    header_start(&w, text, SIZE_MAX);
    while (header_next(&w, &f)) {
        buf_add_view(out, f.name);
        buf_add_char(out, '=');
        header_unfold(out, f.value);
        buf_add_char(out, '|');
    }
}

static void fields_have_names_and_values(void **state)
{
    static const struct {
        struct view text;
        const char *fields;
        size_t end;
    } t[] = {
        { VIEW("A: 1\r\nB: 2\r\n\r\nbody: 3\r\n"), "A=1|B=2|", 14 },
        { VIEW("A: 1\nB: 2\n\nbody: 3\n"), "A=1|B=2|", 11 },
        { VIEW("A: 1\r\nB: 2"), "A=1|B=2|", 10 },
        { VIEW("A: 1\r\n folded\r\n\ttwice\r\n\r\n"), "A=1 folded\ttwice|",
          25 },
        { VIEW("A:\r\n 1\r\n\r\n"), "A=1|", 10 },
        { VIEW("A:\r\n \r\n x\r\n\r\n"), "A=x|", 13 },
        { VIEW("A:b:c\r\n\r\n"), "A=b:c|", 9 },
        { VIEW("A :1\r\nB \t: 2\r\n\r\n"), "A=1|B=2|", 16 },
        { VIEW("A:\r\n\r\n"), "A=|", 6 },
        { VIEW("\r\nA: 1\r\n"), "", 2 },
        { VIEW("\nA: 1\n"), "", 1 },
        { VIEW(""), "", 0 },
        { VIEW("A: 1\r\r\n\r\n"), "A=1|", 9 },
        { VIEW("A: 1\n\r\nB: 2\n"), "A=1|", 7 },
        /* what is no field has no name, and its bytes are kept */
        { VIEW("From me Sat\r\nA: 1\r\n\r\n"), "=From me Sat|A=1|", 21 },
        { VIEW(" fold\r\nA: 1\r\n\r\n"), "=fold|A=1|", 15 },
        { VIEW("A b: 1\r\n\r\n"), "=A b: 1|", 10 },
        { VIEW(": 1\r\n\r\n"), "=: 1|", 7 },
        { VIEW("A\0: 1\r\n\r\n"), "=A : 1|", 9 },
        { VIEW("A\r\n : 1\r\n\r\n"), "=A : 1|", 11 },
        { VIEW("A: a\0b\rc\r\n\r\n"), "A=a b c|", 12 },
    };
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        walk(&b, t[i].text);
        if (strcmp(buf_text(&b), t[i].fields) != 0)
            fail_msg("case %zu: %s", i, buf_text(&b));
        assert_int_equal(header_end(t[i].text), t[i].end);
    }
    buf_release(&b);
}

static void ranges_cover_the_header(void **state)
{
    struct view text = VIEW("junk\r\nA: 1\r\n x\r\n\tz\nB:2\n\r\nbody");
    struct header_walk w;
    struct header_field f;
    size_t at = 0;

    (void)state;
    header_start(&w, text, SIZE_MAX);
    while (header_next(&w, &f)) {
        assert_int_equal(f.offset, at);
        assert_ptr_equal(f.raw.data, text.data + at);
        at += f.raw.len;
    }
    assert_true(w.ended);
    assert_int_equal(w.offset, at + 2);
    assert_int_equal(w.offset, header_end(text));
}

static void first_and_last_are_found(void **state)
{
    struct view text = VIEW("To: a\r\nX: y\r\nTO: b\r\n\r\nTo: body\r\n");
    struct header_field f;

    (void)state;
    assert_true(header_find(text, "to", &f));
    assert_view(view_trim(f.value), "a");
    assert_true(header_find_last(text, "to", &f));
    assert_view(view_trim(f.value), "b");
    assert_false(header_find(text, "T", &f));
    assert_false(header_find_last(text, "body", &f));
}

static void the_number_of_fields_is_limited(void **state)
{
    struct buf b = BUF_INIT;
    struct header_walk w;
    struct header_field f;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 50000; i++)
        buf_add_text(&b, "To: a@b.example\n");
    header_start(&w, buf_view(&b), 1000);
    while (header_next(&w, &f))
        n++;
    assert_int_equal(n, 1000);
    assert_false(w.ended);
    buf_release(&b);
}

static void load(struct view file, uint64_t from, uint64_t end, size_t limit,
                 const char *want, bool want_whole)
{
    struct buf b = BUF_INIT;
    struct error err;
    bool whole;
    int fd = memfd_new("test", &err);

    io_write_all(fd, file.data, file.len, "memfd", &err);
    buf_add_text(&b, "");
    assert_int_equal(header_load(fd, from, end, limit, &b, &whole, "memfd",
                                 &err), 0);
    assert_buf(&b, want);
    assert_int_equal(whole, want_whole);
    close(fd);
    buf_release(&b);
}

static void headers_are_loaded_from_files(void **state)
{
    struct view v = VIEW("zzA: 1\r\n\r\nbody\r\n\r\n");
    struct buf big = BUF_INIT;
    struct error err;
    bool whole;
    int fd = memfd_new("test", &err);

    (void)state;
    load(v, 2, v.len, 1000, "A: 1\r\n\r\n", true);
    load(v, 2, 8, 1000, "A: 1\r\n", true);
    load(v, 2, v.len, 5, "A: 1\r", false);
    load(v, 2, 2, 5, "", true);
    load(VIEW("\n\nx"), 0, 3, 100, "\n", true);

    /* Longer than a chunk, the empty line cut by a chunk's end. */
    buf_add_text(&big, "X: ");
    while (big.len < 16384 - 3)
        buf_add_char(&big, 'x');
    buf_add_text(&big, "\r\n\r\nbody");
    io_write_all(fd, big.data, big.len, "memfd", &err);
    buf_cut(&big, big.len - 4);
    {
        struct buf got = BUF_INIT;

        assert_int_equal(header_load(fd, 0, big.len + 4, HEADER_SIZE_MAX, &got,
                                     &whole, "memfd", &err), 0);
        assert_true(whole);
        assert_buf(&got, buf_text(&big));
        buf_release(&got);
    }
    close(fd);
    buf_release(&big);
}

static void a_file_that_is_too_short_is_an_error(void **state)
{
    struct buf b = BUF_INIT;
    struct error err;
    bool whole;
    int fd = memfd_new("test", &err);

    (void)state;
    io_write_all(fd, "A: 1\r\n", 6, "memfd", &err);
    assert_int_equal(header_load(fd, 0, 7, 100, &b, &whole, "it", &err), -1);
    assert_non_null(strstr(err.text, "it ends at byte"));
    close(fd);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_names_and_values),
        cmocka_unit_test(ranges_cover_the_header),
        cmocka_unit_test(first_and_last_are_found),
        cmocka_unit_test(the_number_of_fields_is_limited),
        cmocka_unit_test(headers_are_loaded_from_files),
        cmocka_unit_test(a_file_that_is_too_short_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
