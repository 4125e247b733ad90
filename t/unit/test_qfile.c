/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "base/crc.h"
#include "base/io.h"
#include "base/memfd.h"
#include "queue/qfile.h"
#include "unit.h"

static const struct envelope sample = {
    .sender = { "ann@example.org", 15 },
    .client_address = { "192.0.2.1", 9 },
    .envid = { "id", 2 },
    .ret = ENVELOPE_RET_HDRS,
    .flags = ENVELOPE_8BITMIME,
};

/* A queue file with two recipients and this content; its descriptor. */
static int make(const char *content)
{
    struct envelope_rcpt r[2] = {
        { .address = VIEW("bob@example.org"), .transport = VIEW("local"),
          .account = VIEW("bob@example.org"), .quota = 7 },
        { .address = VIEW("eve@example.net"), .original = VIEW("all@x.org"),
          .notify = ENVELOPE_NOTIFY_NEVER, .transport = VIEW("smtp") },
    };
    struct qwriter w;
    struct error err;
    int fd = memfd_new("q", &err);

    assert_int_equal(qwriter_begin(&w, fd, 123456789, &sample, &err), 0);
    assert_int_equal(qwriter_rcpt(&w, &r[0], &err), 0);
    assert_int_equal(qwriter_rcpt(&w, &r[1], &err), 0);
    assert_int_equal(qwriter_content(&w, content, strlen(content), &err), 0);
    assert_int_equal(qwriter_finish(&w, &err), 0);
    qwriter_release(&w);
    return fd;
}

static void a_file_comes_back_as_it_was_written(void **state)
{
    struct qfile q;
    struct error err;
    int fd = make("Subject: x\r\n\r\nbody\r\n");
    char text[20];

    (void)state;
    assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
    assert_view(q.e.sender, "ann@example.org");
    assert_int_equal(q.e.ret, ENVELOPE_RET_HDRS);
    assert_int_equal(q.n_rcpts, 2);
    assert_view(q.rcpts[0].r.account, "bob@example.org");
    assert_int_equal(q.rcpts[0].r.quota, 7);
    assert_view(q.rcpts[1].r.original, "all@x.org");
    assert_int_equal(q.rcpts[1].status, RCPT_PENDING);
    assert_int_equal(q.arrival_us, 123456789);
    assert_int_equal(q.content_len, 20);
    assert_int_equal(
        io_pread_all(fd, text, 20, q.content_offset, "t", &err), 0);
    assert_memory_equal(text, "Subject: x\r\n\r\nbody\r\n", 20);
    assert_int_equal(qfile_check_content(fd, q.content_offset, q.content_len,
                                         q.content_crc, "t", &err), 0);
    qfile_release(&q);
    close(fd);
}

/* Nothing fills the gap before content that is not there. */
static void a_file_without_content_comes_back(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 8; len++) {
        struct envelope e = { .sender = { "ann@b.cde", len } };
        struct qwriter w;
        struct qfile q;
        struct error err;
        int fd = memfd_new("q", &err);

        assert_int_equal(qwriter_begin(&w, fd, 1, &e, &err), 0);
        assert_int_equal(qwriter_finish(&w, &err), 0);
        qwriter_release(&w);
        assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
        assert_int_equal(q.content_len, 0);
        qfile_release(&q);
        close(fd);
    }
}

/* Content that begins so far behind that its end comes round to the front,
 * where statuses would be written over the envelope. */
static void content_is_behind_the_envelope(void **state)
{
    uint64_t offset = UINT64_MAX - 15;
    char head[64];
    uint32_t crc;
    struct qfile q;
    struct error err;
    int fd = make("twenty bytes of it\r\n");

    (void)state;
    assert_int_equal(io_pread_all(fd, head, sizeof head, 0, "t", &err), 0);
    memcpy(head + 24, &offset, sizeof offset);
    memset(head + 8, 0, sizeof crc);
    crc = crc32c(0, head, sizeof head);
    memcpy(head + 8, &crc, sizeof crc);
    assert_int_equal(io_pwrite_all(fd, head, sizeof head, 0, "t", &err), 0);
    assert_int_equal(qfile_read(&q, fd, "t", &err), -1);
    assert_int_equal(err.kind, FAIL_PERM);
    close(fd);
}

static void append(int fd, uint64_t *end, uint32_t index, uint32_t status,
                   const char *text)
{
    struct rcpt_record r = { .index = index, .status = status,
                             .attempts = 2, .when_us = 5,
                             .dsn = VIEW("4.4.1"), .text = view_of(text) };
    struct error err;

    assert_int_equal(qfile_append(fd, end, &r, &err), 0);
}

static void the_last_status_of_a_recipient_counts(void **state)
{
    struct qfile q;
    struct error err;
    int fd = make("x\r\n");
    uint64_t end;

    (void)state;
    assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
    end = q.end;
    qfile_release(&q);
    append(fd, &end, 0, RCPT_DEFERRED, "later");
    append(fd, &end, 1, RCPT_DEFERRED, "busy");
    append(fd, &end, 0, RCPT_DELIVERED, "done");
    append(fd, &end, 7, RCPT_DELIVERED, "nobody");
    append(fd, &end, ENVELOPE_MESSAGE, MESSAGE_WARNED, "");
    assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
    assert_int_equal(q.rcpts[0].status, RCPT_DELIVERED);
    assert_view(q.rcpts[0].text, "done");
    assert_int_equal(q.rcpts[1].status, RCPT_DEFERRED);
    assert_view(q.rcpts[1].text, "busy");
    assert_string_equal(q.rcpts[1].dsn, "4.4.1");
    assert_int_equal(q.rcpts[1].attempts, 2);
    assert_true(q.warned);
    assert_int_equal(q.end, end);
    qfile_release(&q);
    close(fd);
}

/* A status cut short at any byte is as if it had not been written, and the
 * next one takes its place. */
static void a_torn_status_is_not_there(void **state)
{
    struct qfile q;
    struct error err;
    int fd = make("x\r\n");
    uint64_t first, second;

    (void)state;
    assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
    first = q.end;
    qfile_release(&q);
    append(fd, &first, 0, RCPT_DEFERRED, "one");
    second = first;
    append(fd, &second, 0, RCPT_DELIVERED, "two");
    for (uint64_t len = second - 1; len >= first; len--) {
        uint64_t end;

        assert_int_equal(ftruncate(fd, (off_t)len), 0);
        assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
        assert_int_equal(q.rcpts[0].status, RCPT_DEFERRED);
        assert_int_equal(q.end, first);
        end = q.end;
        qfile_release(&q);
        append(fd, &end, 1, RCPT_BOUNCED, "three");
        assert_int_equal(qfile_read(&q, fd, "t", &err), 0);
        assert_int_equal(q.rcpts[1].status, RCPT_BOUNCED);
        qfile_release(&q);
    }
    close(fd);
}

/* No single bit of head, envelope or content can change unseen. */
static void every_flipped_bit_is_seen(void **state)
{
    struct qfile q;
    struct error err;
    int fd = make("Subject: x\r\n\r\nbody\r\n");
    off_t size = lseek(fd, 0, SEEK_END);

    (void)state;
    for (off_t at = 0; at < size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            unsigned char c, flipped;
            bool seen;

            assert_int_equal(pread(fd, &c, 1, at), 1);
            flipped = (unsigned char)(c ^ (1 << bit));
            assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
            if (qfile_read(&q, fd, "t", &err) < 0) {
                seen = true;
                assert_int_equal(err.kind, FAIL_PERM);
            } else {
                seen = qfile_check_content(fd, q.content_offset, q.content_len,
                                         q.content_crc, "t", &err) < 0 ||
                       ((uint64_t)at >= 64 + q.bytes.len &&
                        (uint64_t)at < q.content_offset); /* padding */
                qfile_release(&q);
            }
            assert_true(seen);
            assert_int_equal(pwrite(fd, &c, 1, at), 1);
        }
    }
    close(fd);
}

static void a_file_cut_short_is_refused(void **state)
{
    struct qfile q;
    struct error err;
    int fd = make("Subject: x\r\n\r\nbody\r\n");

    (void)state;
    for (off_t len = lseek(fd, 0, SEEK_END) - 1; len >= 0; len--) {
        assert_int_equal(ftruncate(fd, len), 0);
        assert_int_equal(qfile_read(&q, fd, "t", &err), -1);
        assert_int_equal(err.kind, FAIL_PERM);
    }
    close(fd);
}

static void ids_hold_their_time(void **state)
{
    char id[QFILE_ID_LEN + 1], next[QFILE_ID_LEN + 1];

    (void)state;
    qfile_make_id(1790000000123456, 4095, id);
    assert_int_equal(strlen(id), QFILE_ID_LEN);
    assert_true(qfile_is_id(view_of(id)));
    assert_true(qfile_id_time(view_of(id)) == 1790000000123456);
    qfile_make_id(1790000000123457, 0, next);
    assert_true(strcmp(id, next) < 0);
    assert_false(qfile_is_id(VIEW("0123456789abcdef")));
    assert_false(qfile_is_id(VIEW("0123456789ABCDE")));
    assert_false(qfile_is_id(VIEW("0123456789ABCDEG")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_back_as_it_was_written),
        cmocka_unit_test(a_file_without_content_comes_back),
        cmocka_unit_test(content_is_behind_the_envelope),
        cmocka_unit_test(the_last_status_of_a_recipient_counts),
        cmocka_unit_test(a_torn_status_is_not_there),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(ids_hold_their_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
