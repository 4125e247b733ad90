/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue/qfile.h"

#include <assert.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/crc.h"
#include "base/io.h"

#define MAGIC "POSTERN\1" /* the last byte is the version */

struct head {
    char magic[8];
    uint32_t crc; /* of the head with this field 0 */
    uint32_t n_rcpts;
    uint32_t envelope_len, envelope_crc;
    uint64_t content_offset, content_len;
    uint32_t content_crc, flags;
    uint64_t arrival_us;
    uint64_t spare;
};
_Static_assert(sizeof(struct head) == 64, "the head is 64 bytes on disk");

struct status_head {
    uint32_t len, crc;
};

/* --- ids --------------------------------------------------------------- */

bool qfile_is_id(struct view v)
{
    if (v.len != QFILE_ID_LEN)
        return false;
    for (size_t i = 0; i < v.len; i++)
        if (!(v.data[i] >= '0' && v.data[i] <= '9') &&
            !(v.data[i] >= 'A' && v.data[i] <= 'F'))
            return false;
    return true;
}

uint64_t qfile_id_time(struct view id)
{
    uint64_t n = 0;

    for (size_t i = 0; i < QFILE_ID_LEN; i++)
        n = n << 4 | (unsigned)(id.data[i] <= '9' ? id.data[i] - '0'
                                                  : id.data[i] - 'A' + 10);
    return n >> 12;
}

void qfile_make_id(uint64_t time_us, unsigned slot, char id[QFILE_ID_LEN + 1])
{
    snprintf(id, QFILE_ID_LEN + 1, "%016llX",
             (unsigned long long)(time_us << 12 | (slot & 0xfff)));
}

/* --- writing ----------------------------------------------------------- */

/* A record in the envelope: its length, then its bytes. */
static int add_record(struct buf *b, const struct ipc_type *type,
                      const void *msg, struct error *err)
{
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0, start = b->len;
    uint32_t len = 0;

    buf_add(b, &len, sizeof len);
    if (ipc_encode(b, type, msg, fds, &n_fds, err) < 0) {
        buf_cut(b, start);
        return -1;
    }
    len = (uint32_t)(b->len - start - sizeof len);
    memcpy(b->data + start, &len, sizeof len);
    return 0;
}

int qwriter_begin(struct qwriter *w, int fd, uint64_t arrival_us,
                  const struct envelope *e, struct error *err)
{
    *w = (struct qwriter){ .fd = fd, .arrival_us = arrival_us };
    return add_record(&w->envelope, &envelope_type, e, err);
}

int qwriter_rcpt(struct qwriter *w, const struct envelope_rcpt *r,
                 struct error *err)
{
    assert(w->content_offset == 0);
    if (w->n_rcpts == ENVELOPE_RCPT_MAX ||
        w->envelope.len > QFILE_ENVELOPE_MAX - IPC_MESSAGE_MAX)
        return error_set(err, FAIL_PERM, "more than %d recipients",
                         ENVELOPE_RCPT_MAX);
    if (add_record(&w->envelope, &envelope_rcpt_type, r, err) < 0)
        return -1;
    w->n_rcpts++;
    return 0;
}

/* Write the envelope, so that content can follow; the head comes last. */
static int write_envelope(struct qwriter *w, struct error *err)
{
    uint64_t end = sizeof(struct head) + w->envelope.len;

    if (w->content_offset != 0)
        return 0;
    w->content_offset = (end + 7) & ~7ULL;
    return io_pwrite_all(w->fd, w->envelope.data, w->envelope.len,
                         sizeof(struct head), "the queue file", err);
}

int qwriter_content(struct qwriter *w, const void *data, size_t len,
                    struct error *err)
{
    if (write_envelope(w, err) < 0 ||
        io_pwrite_all(w->fd, data, len, w->content_offset + w->content_len,
                      "the queue file", err) < 0)
        return -1;
    w->content_crc = crc32c(w->content_crc, data, len);
    w->content_len += len;
    return 0;
}

int qwriter_finish(struct qwriter *w, struct error *err)
{
    struct head h = {
        .magic = MAGIC,
        .n_rcpts = w->n_rcpts,
        .envelope_len = (uint32_t)w->envelope.len,
        .envelope_crc = crc32c(0, w->envelope.data, w->envelope.len),
        .arrival_us = w->arrival_us,
    };
    static const char zeros[8];

    if (write_envelope(w, err) < 0)
        return -1;
    /* Content fills the gap before it; where there is none, nothing would. */
    if (w->content_len == 0 &&
        io_pwrite_all(w->fd, zeros,
                      w->content_offset - sizeof h - w->envelope.len,
                      sizeof h + w->envelope.len, "the queue file", err) < 0)
        return -1;
    h.content_offset = w->content_offset;
    h.content_len = w->content_len;
    h.content_crc = w->content_crc;
    h.crc = crc32c(0, &h, sizeof h);
    return io_pwrite_all(w->fd, &h, sizeof h, 0, "the queue file", err);
}

void qwriter_release(struct qwriter *w)
{
    buf_release(&w->envelope);
}

/* --- reading ----------------------------------------------------------- */

static int read_head(struct head *h, int fd, const char *name,
                     struct error *err)
{
    uint32_t crc;

    if (io_pread_all(fd, h, sizeof *h, 0, name, err) < 0)
        return -1;
    if (memcmp(h->magic, MAGIC, 7) != 0)
        return error_set(err, FAIL_PERM, "%s is not a queue file", name);
    if (h->magic[7] != MAGIC[7])
        return error_set(err, FAIL_PERM, "%s has version %d of the queue "
                         "file; this program knows 1", name, h->magic[7]);
    crc = h->crc;
    h->crc = 0;
    if (crc32c(0, h, sizeof *h) != crc)
        return error_set(err, FAIL_PERM, "the head of %s is damaged", name);
    if (h->envelope_len > QFILE_ENVELOPE_MAX ||
        h->n_rcpts > ENVELOPE_RCPT_MAX ||
        h->content_offset < sizeof *h + h->envelope_len ||
        h->content_offset > sizeof *h + h->envelope_len + 7 ||
        h->content_len > (1ULL << 50))
        return error_set(err, FAIL_PERM, "the head of %s makes no sense",
                         name);
    return 0;
}

/* The next record of the envelope; false when there is none or it is cut. */
static bool next_record(struct view *rest, struct view *record)
{
    uint32_t len;

    if (rest->len < sizeof len)
        return false;
    memcpy(&len, rest->data, sizeof len);
    *record = view_sub(*rest, sizeof len, sizeof len + len);
    *rest = view_sub(*rest, sizeof len + len, rest->len);
    return record->len == len;
}

static int decode_envelope(struct qfile *q, const struct head *h,
                           const char *name, struct error *err)
{
    struct view rest = buf_view(&q->bytes), record;

    if (!next_record(&rest, &record) ||
        ipc_decode(record, NULL, 0, &envelope_type, &q->e, err) < 0)
        return error_set(err, FAIL_PERM, "%s has no envelope", name);
    q->rcpts = alloc_zero(h->n_rcpts, sizeof *q->rcpts);
    for (size_t i = 0; i < h->n_rcpts; i++) {
        if (!next_record(&rest, &record))
            return error_set(err, FAIL_PERM, "recipient %zu of %s is missing",
                             i, name);
        if (ipc_decode(record, NULL, 0, &envelope_rcpt_type, &q->rcpts[i].r,
                       err) < 0)
            return error_prefix(err, "recipient %zu of %s", i, name);
        q->n_rcpts++;
    }
    return 0;
}

static void apply(struct qfile *q, const struct rcpt_record *s)
{
    struct qrcpt *r;

    if (s->index == ENVELOPE_MESSAGE && s->status == MESSAGE_WARNED)
        q->warned = true;
    if (s->index == ENVELOPE_MESSAGE && s->status == MESSAGE_OFFERED)
        q->offered = true;
    if (s->index >= q->n_rcpts || s->status > RCPT_EXPANDED)
        return;
    r = &q->rcpts[s->index];
    r->status = (enum rcpt_status)s->status;
    r->attempts = s->attempts;
    r->when_us = s->when_us;
    r->text = s->text;
    view_copy(s->dsn, r->dsn, sizeof r->dsn);
}

/* Statuses up to the first that is not whole: that one was being written when
 * the power went. */
static int read_statuses(struct qfile *q, int fd, const char *name,
                         struct error *err)
{
    uint64_t start = q->content_offset + q->content_len;
    struct view rest;
    struct stat st;
    size_t len;

    if (fstat(fd, &st) < 0)
        return error_sys(err, "cannot fstat %s", name);
    if ((uint64_t)st.st_size < start)
        return error_set(err, FAIL_PERM, "%s is %llu bytes short", name,
                         (unsigned long long)(start - (uint64_t)st.st_size));
    q->end = start;
    if ((uint64_t)st.st_size == start)
        return 0;
    if ((uint64_t)st.st_size - start > QFILE_ENVELOPE_MAX)
        return error_set(err, FAIL_PERM, "the statuses of %s are too long",
                         name);
    len = (size_t)((uint64_t)st.st_size - start);
    if (io_pread_all(fd, buf_room(&q->statuses, len), len, start, name, err) <
        0)
        return -1;
    q->statuses.len = len;
    rest = buf_view(&q->statuses);
    while (rest.len >= sizeof(struct status_head)) {
        struct status_head sh;
        struct rcpt_record s;
        struct error ignored;
        struct view bytes;

        memcpy(&sh, rest.data, sizeof sh);
        bytes = view_sub(rest, sizeof sh, sizeof sh + sh.len);
        if (bytes.len != sh.len || crc32c(0, bytes.data, bytes.len) != sh.crc ||
            ipc_decode(bytes, NULL, 0, &rcpt_record_type, &s, &ignored) < 0)
            break;
        apply(q, &s);
        rest = view_sub(rest, sizeof sh + sh.len, rest.len);
        q->end = start + (q->statuses.len - rest.len);
    }
    return 0;
}

int qfile_read(struct qfile *q, int fd, const char *name, struct error *err)
{
    struct head h;

    *q = (struct qfile){ .n_rcpts = 0 };
    if (read_head(&h, fd, name, err) < 0)
        return -1;
    q->arrival_us = h.arrival_us;
    q->content_offset = h.content_offset;
    q->content_len = h.content_len;
    q->content_crc = h.content_crc;
    if (io_pread_all(fd, buf_room(&q->bytes, h.envelope_len), h.envelope_len,
                     sizeof h, name, err) < 0)
        goto bad;
    q->bytes.len = h.envelope_len;
    if (crc32c(0, q->bytes.data, q->bytes.len) != h.envelope_crc) {
        error_set(err, FAIL_PERM, "the envelope of %s is damaged", name);
        goto bad;
    }
    if (decode_envelope(q, &h, name, err) < 0 ||
        read_statuses(q, fd, name, err) < 0)
        goto bad;
    return 0;
bad:
    qfile_release(q);
    return -1;
}

int qfile_check_content(int fd, uint64_t offset, uint64_t len, uint32_t crc,
                        const char *name, struct error *err)
{
    char chunk[65536];
    uint32_t found = 0;

    while (len > 0) {
        size_t part = len < sizeof chunk ? (size_t)len : sizeof chunk;

        if (io_pread_all(fd, chunk, part, offset, name, err) < 0)
            return -1;
        found = crc32c(found, chunk, part);
        offset += part;
        len -= part;
    }
    if (found != crc)
        return error_set(err, FAIL_PERM, "the content of %s is damaged", name);
    return 0;
}

int qfile_append(int fd, uint64_t *end, const struct rcpt_record *s,
                 struct error *err)
{
    struct buf b = BUF_INIT;
    struct status_head sh = { 0, 0 };
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    int rc = -1;

    buf_add(&b, &sh, sizeof sh);
    if (ipc_encode(&b, &rcpt_record_type, s, fds, &n_fds, err) < 0)
        goto out;
    sh.len = (uint32_t)(b.len - sizeof sh);
    sh.crc = crc32c(0, b.data + sizeof sh, sh.len);
    memcpy(b.data, &sh, sizeof sh);
    if (io_pwrite_all(fd, b.data, b.len, *end, "a queue file's statuses",
                      err) < 0)
        goto out;
    *end += b.len;
    rc = 0;
out:
    buf_release(&b);
    return rc;
}

void qfile_release(struct qfile *q)
{
    free(q->rcpts);
    buf_release(&q->bytes);
    buf_release(&q->statuses);
    *q = (struct qfile){ .n_rcpts = 0 };
}
