/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queue files. Any bytes are a queue file that holds together, or are refused
 * for good; a status that is appended to one is what is read next.
 *
 * The first byte: MEND gives head and envelope the checksums they need, so
 * that what lies behind them is reached; MAKE writes a file of the input's
 * texts, which must come back.
 */
#include "queue/qfile.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "t/fuzz/fuzz.h"

enum { MEND = 1, MAKE = 2 };

/* Where the head (qfile.h) has its checksums, and what they are of. */
#define HEAD_LEN     64
#define AT_CRC       8
#define AT_ENV_LEN   16
#define AT_ENV_CRC   20

/* --- reading ----------------------------------------------------------- */

static uint64_t size_of(int fd)
{
    struct stat st;

    MUST(fstat(fd, &st) == 0);
    return (uint64_t)st.st_size;
}

/* Content is in the file and before the statuses. */
static void check_places(const struct qfile *q, int fd)
{
    uint64_t size = size_of(fd);

    MUST(q->content_offset >= HEAD_LEN + q->bytes.len);
    MUST(q->content_offset <= size &&
         q->content_len <= size - q->content_offset);
    MUST(q->end >= q->content_offset + q->content_len && q->end <= size);
    for (size_t i = 0; i < q->n_rcpts; i++)
        MUST(q->rcpts[i].status <= RCPT_EXPANDED);
}

static void check_append(const struct qfile *q, int fd)
{
    struct rcpt_record s = { .index = 0, .status = RCPT_DEFERRED,
                             .when_us = 7, .attempts = 3,
                             .dsn = VIEW("4.2.0"), .text = VIEW("later") };
    struct qfile again;
    struct error err;
    uint64_t end = q->end;

    if (q->n_rcpts == 0)
        return;
    MUST(qfile_append(fd, &end, &s, &err) == 0);
    MUST(ftruncate(fd, (off_t)end) == 0); /* what made no sense is gone */
    MUST(qfile_read(&again, fd, "again", &err) == 0);
    MUST(again.end == end && again.n_rcpts == q->n_rcpts);
    MUST(again.rcpts[0].status == RCPT_DEFERRED &&
         again.rcpts[0].attempts == 3 && again.rcpts[0].when_us == 7);
    MUST(view_is(again.rcpts[0].text, "later"));
    for (size_t i = 1; i < q->n_rcpts; i++)
        MUST(again.rcpts[i].status == q->rcpts[i].status &&
             view_eq(again.rcpts[i].r.address, q->rcpts[i].r.address));
    qfile_release(&again);
}

static void read_file(struct view bytes)
{
    int fd = fuzz_file(bytes);
    struct qfile q;
    struct error err;

    if (qfile_read(&q, fd, "input", &err) == 0) {
        check_places(&q, fd);
        qfile_check_content(fd, q.content_offset, q.content_len,
                            q.content_crc, "input", &err);
        check_append(&q, fd);
        qfile_release(&q);
    } else {
        MUST(err.kind == FAIL_PERM && err.text[0] != '\0');
    }
    close(fd);
}

static void mend(struct buf *b)
{
    uint32_t len, crc;

    if (b->len < HEAD_LEN)
        return;
    memcpy(&len, b->data + AT_ENV_LEN, sizeof len);
    if (len <= b->len - HEAD_LEN) {
        crc = crc32c(0, b->data + HEAD_LEN, len);
        memcpy(b->data + AT_ENV_CRC, &crc, sizeof crc);
    }
    memset(b->data + AT_CRC, 0, sizeof crc);
    crc = crc32c(0, b->data, HEAD_LEN);
    memcpy(b->data + AT_CRC, &crc, sizeof crc);
}

/* --- writing ----------------------------------------------------------- */

static bool is_text(struct view v, size_t max)
{
    for (size_t i = 0; i < v.len; i++)
        if (strchr("\r\n", v.data[i]) != NULL)
            return false;
    return v.len <= max;
}

/* A sender, recipients, a line each; behind an empty one the content. */
static void make_file(struct view rest)
{
    int fd = fuzz_file(VIEW(""));
    struct qwriter w = { .fd = -1 };
    struct envelope e = { .flags = 5 };
    struct view all = rest, line;
    struct qfile q;
    struct error err;
    size_t n = 0;

    view_cut(&rest, '\n', &e.sender);
    MUST((qwriter_begin(&w, fd, 42, &e, &err) == 0) ==
         is_text(e.sender, ENVELOPE_ADDR_MAX));
    if (!is_text(e.sender, ENVELOPE_ADDR_MAX))
        goto out;
    while (view_cut(&rest, '\n', &line) && line.len > 0) {
        struct envelope_rcpt r = { .address = line, .nexthop = VIEW("x") };

        n += qwriter_rcpt(&w, &r, &err) == 0;
    }
    MUST(qwriter_content(&w, rest.data ? rest.data : "", rest.len, &err) == 0);
    MUST(qwriter_finish(&w, &err) == 0);
    MUST(qfile_read(&q, fd, "made", &err) == 0);
    check_places(&q, fd);
    MUST(q.n_rcpts == n && q.arrival_us == 42 && q.e.flags == 5);
    MUST(view_eq(q.e.sender, e.sender) && q.content_len == rest.len);
    MUST(qfile_check_content(fd, q.content_offset, q.content_len,
                             q.content_crc, "made", &err) == 0);
    view_cut(&all, '\n', &line);
    for (size_t i = 0; i < n && view_cut(&all, '\n', &line);)
        i += is_text(line, ENVELOPE_ADDR_MAX) &&
             view_eq(q.rcpts[i].r.address, line);
    check_append(&q, fd);
    qfile_release(&q);
out:
    qwriter_release(&w);
    close(fd);
}

static void check_id(struct view v)
{
    char id[QFILE_ID_LEN + 1];

    if (!qfile_is_id(v))
        return;
    qfile_make_id(qfile_id_time(v), 0, id);
    MUST(memcmp(id, v.data, 13) == 0 && qfile_is_id(view_of(id)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view rest = fuzz_text(data + 1, len - 1);
    struct buf b = BUF_INIT;

    if (len == 0)
        return 0;
    check_id(rest);
    if (data[0] & MAKE) {
        make_file(rest);
        return 0;
    }
    buf_add_view(&b, rest);
    if (data[0] & MEND)
        mend(&b);
    read_file(buf_view(&b));
    buf_release(&b);
    fuzz_closed_all();
    return 0;
}
