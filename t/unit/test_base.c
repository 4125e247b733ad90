/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/crc.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/list.h"
#include "base/map.h"
#include "base/memfd.h"
#include "scratch.h"
#include "unit.h"

static void views_compare_and_search(void **state)
{
    (void)state;
    assert_true(view_is_nocase(VIEW("MAIL"), "mail"));
    assert_false(view_is(VIEW("MAIL"), "mail"));
    assert_true(view_starts_nocase(VIEW("From: x"), "FROM:"));
    assert_false(view_starts(VIEW("ab"), "abc"));
    assert_true(view_ends(VIEW("a.cf"), ".cf"));
    assert_int_equal(view_index(VIEW("a@b@c"), '@'), 1);
    assert_int_equal(view_rindex(VIEW("a@b@c"), '@'), 3);
    assert_int_equal(view_index(VIEW("abc"), '@'), 3);
    assert_true(view_cmp(VIEW("a"), VIEW("ab")) < 0);
    assert_true(view_cmp(VIEW("b"), VIEW("ab")) > 0);
    assert_view(view_trim(VIEW(" \t a b \r\n")), "a b");
    assert_view(view_sub(VIEW("hello"), 1, 99), "ello");
}

static void views_are_cut_at_separators(void **state)
{
    struct view rest = VIEW("a:b:"), part;

    (void)state;
    assert_true(view_cut(&rest, ':', &part));
    assert_view(part, "a");
    assert_true(view_cut(&rest, ':', &part));
    assert_view(part, "b");
    assert_true(view_cut(&rest, ':', &part));
    assert_view(part, "");
    assert_false(view_cut(&rest, ':', &part));

    rest = VIEW(", a,, b ");
    assert_true(view_word(&rest, ", ", &part));
    assert_view(part, "a");
    assert_true(view_word(&rest, ", ", &part));
    assert_view(part, "b");
    assert_false(view_word(&rest, ", ", &part));
}

static void numbers_are_digits_within_the_limit(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } t[] = {
        { "0", 10, true, 0 },
        { "10", 10, true, 10 },
        { "11", 10, false, 0 },
        { "5", 3, false, 0 },
        { "", 10, false, 0 },
        { "-1", 10, false, 0 },
        { " 1", 10, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999", UINT64_MAX, false, 0 },
        { "4294967297", UINT32_MAX, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        uint64_t n = 0;

        assert_int_equal(view_number(view_of(t[i].text), t[i].max, &n),
                         t[i].ok);
        assert_int_equal(n, t[i].value);
    }
}

static void views_are_copied_only_whole(void **state)
{
    char out[4];

    (void)state;
    assert_true(view_copy(VIEW("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_false(view_copy(VIEW("abcd"), out, sizeof out));
    assert_false(view_copy(VIEW("a\0b"), out, sizeof out));
}

static void a_buffer_grows_and_shrinks(void **state)
{
    struct buf b = BUF_INIT;
    char *taken;

    (void)state;
    assert_buf(&b, "");
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "%d,", i % 10);
    assert_int_equal(b.len, 2000);
    buf_drop(&b, 1996);
    assert_buf(&b, "8,9,");
    buf_cut(&b, 1);
    assert_buf(&b, "8");
    buf_add_char(&b, 'x');
    buf_add_view(&b, VIEW("yz"));
    taken = buf_take(&b);
    assert_string_equal(taken, "8xyz");
    free(taken);
    assert_null(b.data);
    buf_release(&b);
}

static void errors_are_sentences(void **state)
{
    struct error err;

    (void)state;
    errno = ENOENT;
    assert_int_equal(error_sys(&err, "cannot open %s", "x"), -1);
    assert_string_equal(err.text, "cannot open x: No such file or directory");
    assert_int_equal(err.kind, FAIL_TEMP);
    assert_int_equal(err.sys, ENOENT);
    error_prefix(&err, "table %s", "t");
    assert_string_equal(err.text,
                        "table t: cannot open x: No such file or directory");
}

static void base64_is_exact(void **state)
{
    static const struct {
        const char *plain, *coded;
    } good[] = {
        { "", "" },         { "f", "Zg==" },     { "fo", "Zm8=" },
        { "foo", "Zm9v" },  { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
    };
    static const char *const bad[] = { "Zg=", "Zg", "Zh==", "Zm9=", "Z===",
                                       "====", "Zg==Zg==", "Zm9v\n", "Zm 9v",
                                       "Zm9\xff", "=m9v" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct buf b = BUF_INIT;

        encode_base64(&b, view_of(good[i].plain));
        assert_buf(&b, good[i].coded);
        buf_reset(&b);
        assert_int_equal(decode_base64(&b, view_of(good[i].coded)), 0);
        assert_buf(&b, good[i].plain);
        buf_release(&b);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b = BUF_INIT;

        assert_int_equal(decode_base64(&b, view_of(bad[i])), -1);
        assert_int_equal(b.len, 0);
        buf_release(&b);
    }
}

static void hex_goes_both_ways(void **state)
{
    struct buf b = BUF_INIT, c = BUF_INIT;

    (void)state;
    encode_hex(&b, VIEW("\x01\xab\xff"));
    assert_buf(&b, "01abff");
    assert_int_equal(decode_hex(&c, VIEW("01ABff")), 0);
    assert_memory_equal(c.data, "\x01\xab\xff", 3);
    assert_int_equal(decode_hex(&c, VIEW("0")), -1);
    assert_int_equal(decode_hex(&c, VIEW("0g")), -1);
    assert_int_equal(c.len, 3);
    buf_release(&b);
    buf_release(&c);
}

static void crc32c_matches_rfc3720(void **state)
{
    unsigned char zero[32] = { 0 }, up[32];

    (void)state;
    assert_int_equal(crc32c(0, zero, 32), 0x8a9136aa);
    for (unsigned i = 0; i < 32; i++)
        up[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(crc32c(crc32c(0, up, 13), up + 13, 19), 0x46dd794e);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
}

struct item {
    struct map_node node;
    struct list link;
    char name[8];
};

static void count_items(struct map_node *n, void *arg)
{
    struct item *item = map_entry(n, struct item, node);

    assert_int_equal(item->name[0], 'k');
    ++*(int *)arg;
}

static void a_map_finds_what_was_added(void **state)
{
    struct map m = { 0 };
    struct item items[200] = { { .name = "" } }, twin;
    int seen = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        snprintf(items[i].name, sizeof items[i].name, "k%d", i);
        items[i].node.key = view_of(items[i].name);
        assert_true(map_add(&m, &items[i].node));
    }
    twin.node.key = VIEW("k7");
    assert_false(map_add(&m, &twin.node));
    assert_int_equal(m.count, 200);
    assert_ptr_equal(map_find(&m, VIEW("k150")), &items[150].node);
    assert_null(map_find(&m, VIEW("k200")));
    map_each(&m, count_items, &seen);
    assert_int_equal(seen, 200);
    for (struct map_node *n; (n = map_any(&m)) != NULL;)
        map_remove(&m, n);
    assert_int_equal(m.count, 0);
}

static void a_list_keeps_order(void **state)
{
    struct item items[3];
    struct list head = LIST_INIT(head);
    int i = 0;

    (void)state;
    list_append(&head, &items[1].link);
    list_append(&head, &items[2].link);
    list_prepend(&head, &items[0].link);
    list_each (l, &head)
        assert_ptr_equal(list_entry(l, struct item, link), &items[i++]);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    list_each_safe (l, &head)
        list_remove(l);
    assert_true(list_empty(&head));
}

static void only_sealed_content_is_taken(void **state)
{
    struct error err;
    uint64_t size = 0;
    int fd = memfd_new("t", &err);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, "hello", 5, "t", &err), 0);
    assert_int_equal(memfd_check(fd, 10, &size, &err), -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    assert_int_equal(memfd_check(fd, 10, &size, &err), -1);
    assert_int_equal(memfd_seal(fd, &err), 0);
    assert_int_equal(memfd_check(fd, 10, &size, &err), 0);
    assert_int_equal(size, 5);
    assert_int_equal(memfd_check(fd, 4, &size, &err), -1);
    assert_int_equal(err.kind, FAIL_PERM);
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
}

static void copies_are_whole(void **state)
{
    struct error err;
    struct buf b = BUF_INIT;
    int from = memfd_new("from", &err), to = memfd_new("to", &err);
    char *big = alloc_zero(200000, 1);

    (void)state;
    big[199999] = 'z';
    assert_int_equal(io_write_all(from, big, 200000, "from", &err), 0);
    assert_int_equal(io_copy(from, 1, 199999, to, "to", &err), 0);
    assert_int_equal(io_copy(from, 1, 200000, to, "to", &err), -1);
    lseek(to, 0, SEEK_SET);
    assert_int_equal(io_read_all(to, &b, 1000, "to", &err), -1);
    buf_reset(&b);
    lseek(to, 199998, SEEK_SET);
    assert_int_equal(io_pread_all(to, buf_room(&b, 1), 1, 199998, "to", &err),
                     0);
    assert_int_equal(b.data[0], 'z');
    buf_release(&b);
    free(big);
    close(from);
    close(to);
}

/* The file holds this and its permissions are these. */
static void holds(const struct scratch *s, const char *text, mode_t mode)
{
    struct buf b = BUF_INIT;
    struct error err;
    struct stat st;

    assert_int_equal(io_read_file(s->dir, "file", &b, 100, &err), 0);
    assert_buf(&b, text);
    assert_int_equal(fstatat(s->dir, "file", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, mode);
    buf_release(&b);
}

static void a_file_is_replaced_whole(void **state)
{
    mode_t mask = umask(022);
    struct scratch s;
    struct error err;

    (void)state;
    scratch_make(&s);
    assert_int_equal(io_replace_file(s.dir, "file", "first\n", 6, 0666, &err),
                     0);
    holds(&s, "first\n", 0644);
    assert_int_equal(io_replace_file(s.dir, "file", "2\n", 2, 0600, &err), 0);
    holds(&s, "2\n", 0600);
    assert_int_equal(io_replace_file(s.dir, "file", "", 0, 0600, &err), 0);
    holds(&s, "", 0600);
    assert_int_equal(faccessat(s.dir, "file.new", F_OK, 0), -1);

    /* What one that did not come to its end has left. */
    assert_int_equal(io_replace_file(s.dir, "file.new", "a long rest", 11,
                                     0600, &err), 0);
    assert_int_equal(io_replace_file(s.dir, "file", "3", 1, 0600, &err), 0);
    holds(&s, "3", 0600);
    scratch_remove(&s);
    umask(mask);
}

static void a_file_not_replaced_stays(void **state)
{
    struct scratch s;
    struct error err;

    (void)state;
    scratch_make(&s);
    assert_int_equal(io_replace_file(s.dir, "file", "old", 3, 0600, &err), 0);
    assert_int_equal(symlinkat("other", s.dir, "file.new"), 0);
    assert_int_equal(io_replace_file(s.dir, "file", "new", 3, 0600, &err), -1);
    assert_int_equal(err.sys, ELOOP);
    assert_int_equal(faccessat(s.dir, "other", F_OK, 0), -1);
    holds(&s, "old", 0600);

    /* A directory has the name. */
    assert_int_equal(mkdirat(s.dir, "taken", 0700), 0);
    assert_int_equal(io_replace_file(s.dir, "taken", "x", 1, 0600, &err), -1);
    assert_int_equal(err.sys, EISDIR);
    assert_int_equal(unlinkat(s.dir, "taken", AT_REMOVEDIR), 0);
    scratch_remove(&s);
}

/* One that was removed: root, too, cannot write into it. */
static void nothing_is_written_into_no_directory(void **state)
{
    struct scratch s;
    struct error err;

    (void)state;
    scratch_make(&s);
    assert_int_equal(rmdir(s.path), 0);
    assert_int_equal(io_replace_file(s.dir, "file", "x", 1, 0600, &err), -1);
    assert_int_equal(err.kind, FAIL_TEMP);
    assert_string_equal(err.text, "cannot make the file file.new: No such file "
                        "or directory");
    close(s.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_and_search),
        cmocka_unit_test(views_are_cut_at_separators),
        cmocka_unit_test(numbers_are_digits_within_the_limit),
        cmocka_unit_test(views_are_copied_only_whole),
        cmocka_unit_test(a_buffer_grows_and_shrinks),
        cmocka_unit_test(errors_are_sentences),
        cmocka_unit_test(base64_is_exact),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(crc32c_matches_rfc3720),
        cmocka_unit_test(a_map_finds_what_was_added),
        cmocka_unit_test(a_list_keeps_order),
        cmocka_unit_test(only_sealed_content_is_taken),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(a_file_is_replaced_whole),
        cmocka_unit_test(a_file_not_replaced_stays),
        cmocka_unit_test(nothing_is_written_into_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
