/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From nameless file to durable name (DESIGN §5):
 *
 *     O_TMPFILE, write, fsync(file), linkat, fsync(directory), 250
 *
 * A power cut before the link leaves nothing; after the last sync, all. A
 * message that may go the fast path is written to a memory file first, and
 * comes here when it could not be delivered at once (offer.c).
 */
#include "cleanup/cleanup.h"

#include <errno.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memfd.h"
#include "base/nameless.h"
#include "proto/queue.h"

void cleanup_prepare(struct daemon *d)
{
    (void)d;
    nameless_prepare();
}

/* --- ids --------------------------------------------------------------- */

void commit_make_id(struct daemon *d, char id[QFILE_ID_LEN + 1])
{
    static uint64_t last;
    uint64_t now = d->id_base + (clock_mono_us() - d->id_mono);

    if (now <= last)
        now = last + 1;
    last = now;
    qfile_make_id(now, d->slot, id);
}

/* --- content ----------------------------------------------------------- */

static int full(struct reply *reply)
{
    return reply_set(reply, 452, "4.3.1", "Insufficient system storage");
}

static int failed(struct transaction *t, const struct error *err,
                  struct reply *reply)
{
    log_error("%s: %s", t->queue_id, err->text);
    if (err->sys == ENOSPC || err->sys == EDQUOT)
        return full(reply);
    return reply_set(reply, 451, "4.3.0", "Error: queue file write error");
}

static int check_space(struct transaction *t, struct reply *reply)
{
    struct statfs fs;

    if (fstatfs(t->fd, &fs) == 0 &&
        (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize <
            cleanup_conf.queue_minfree) {
        log_warning("%s: less than queue_minfree = %llu bytes are free in the "
                    "queue", t->queue_id,
                    (unsigned long long)cleanup_conf.queue_minfree);
        return full(reply);
    }
    return 0;
}

static int write_recipients(struct transaction *t, struct error *err)
{
    for (size_t i = 0; i < t->n_order; i++) {
        const struct recipient *r = t->order[i];
        struct envelope_rcpt e = {
            .address = view_of(r->address),
            .original = view_of(r->original),
            .orcpt = view_of(r->orcpt),
            .notify = r->notify,
            .transport = view_of(r->transport),
            .nexthop = view_of(r->nexthop),
            .account = view_of(r->account),
            .quota = r->quota,
        };

        if (qwriter_rcpt(&t->writer, &e, err) < 0)
            return -1;
    }
    return 0;
}

static int open_file(struct transaction *t, struct reply *reply)
{
    struct error err;

    t->fd = nameless_open(t->daemon->root, 0400, &err);
    return t->fd < 0 ? failed(t, &err, reply) : check_space(t, reply);
}

static int begin_file(struct transaction *t, bool whole, struct reply *reply)
{
    struct error err;

    t->in_memory = whole && offer_allowed(t);
    if (!t->in_memory) {
        if (open_file(t, reply) < 0)
            return -1;
    } else {
        t->fd = memfd_new("message", &err);
        if (t->fd < 0)
            return failed(t, &err, reply);
    }
    if (qwriter_begin(&t->writer, t->fd, clock_real_us(), &t->e, &err) < 0 ||
        write_recipients(t, &err) < 0)
        return failed(t, &err, reply);
    return 0;
}

/* A bare CR or LF would be read as a line's end by somebody on the way
 * (security.md R1). smtpd has refused it; so do we, whoever sends it. */
static bool is_clean(struct transaction *t, struct view v)
{
    char before = t->last;

    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (c == '\0' || (c == '\n') != (before == '\r'))
            return false;
        before = c;
    }
    t->last = before;
    return true;
}

/* Take the header off the first piece. */
static int write_header(struct transaction *t, struct view *piece,
                        struct error *err)
{
    struct buf top = BUF_INIT;
    size_t end = headers_write(t, *piece, &top);
    int rc;

    *piece = view_sub(*piece, end, piece->len);
    rc = qwriter_content(&t->writer, top.data, top.len, err);
    buf_release(&top);
    return rc;
}

static int write_piece(struct transaction *t, struct view piece,
                       struct reply *reply)
{
    struct error err;

    if (t->writer.content_len == 0) {
        if (headers_learn(t, piece, reply) < 0)
            return -1;
        if (write_header(t, &piece, &err) < 0)
            return failed(t, &err, reply);
    }
    if (qwriter_content(&t->writer, piece.data, piece.len, &err) < 0)
        return failed(t, &err, reply);
    return 0;
}

int commit_content(struct transaction *t, int fd, bool last,
                   struct reply *reply)
{
    static struct buf piece; /* kept for its memory */
    struct error err;
    uint64_t size;

    if (memfd_check(fd, cleanup_conf.content_memory_limit, &size, &err) < 0 ||
        io_pread_all(fd, buf_room(&piece, size), size, 0, "content", &err) <
            0) {
        log_warning("%s: %s", t->queue_id, err.text);
        return reply_set(reply, 451, "4.3.0", "Error: content refused");
    }
    t->size += size;
    if (t->size > cleanup_conf.message_size_limit)
        return reply_set(reply, 552, "5.3.4", "Message size exceeds fixed "
                         "limit");
    if (!is_clean(t, (struct view){ piece.data, size }))
        return reply_set(reply, 550, "5.6.0", "Message has a bare CR, a bare "
                         "LF or a NUL");
    if (t->fd < 0 && begin_file(t, last, reply) < 0)
        return -1;
    return write_piece(t, (struct view){ piece.data, size }, reply);
}

/* --- the end ----------------------------------------------------------- */

/* A failed sync is never tried again on the same file: the kernel may have
 * dropped what it could not write. What has a name by then is qmgr's, who looks
 * for it when our line ends: the client is told to come again, so that the
 * message may arrive twice, rather than not. */
static int make_durable(struct transaction *t, struct error *err)
{
    if (io_sync(t->fd) < 0)
        return error_sys(err, "cannot sync the queue file");
    if (nameless_link(t->fd, t->daemon->root, t->queue_id) < 0)
        return error_sys(err, "cannot link the queue file into incoming");
    if (io_sync(t->daemon->root) < 0) {
        ipc_release(t->qmgr);
        return error_sys(err, "cannot sync incoming");
    }
    return 0;
}

int commit_join_qmgr(struct transaction *t, struct error *err)
{
    if (t->qmgr->fd >= 0)
        return 0;
    return service_connect(t->daemon, "qmgr", "",
                           cleanup_conf.ipc_timeout * 1000, t->qmgr, err);
}

/* qmgr finds the message by itself if it is away now. */
static void tell_qmgr(struct transaction *t)
{
    struct queue_new msg = { view_of(t->queue_id) };
    struct error err;

    for (int again = 0; again < 2; again++) {
        if (commit_join_qmgr(t, &err) < 0)
            break;
        if (ipc_send(t->qmgr, &queue_new_type, &msg, &err) == 0)
            return;
        ipc_release(t->qmgr);
    }
    log_warning("%s: cannot tell qmgr: %s", t->queue_id, err.text);
}

/* What could not be delivered at once becomes a file, with a note that part
 * of it may have been. */
static int move_to_disk(struct transaction *t, bool offered,
                        struct reply *reply)
{
    uint64_t end = t->writer.content_offset + t->writer.content_len;
    struct rcpt_record note = { .index = ENVELOPE_MESSAGE,
                                .status = MESSAGE_OFFERED,
                                .when_us = clock_real_us() };
    int memory = t->fd, rc = -1;
    struct error err;

    if (open_file(t, reply) < 0)
        goto out;
    if (io_copy(memory, 0, end, t->fd, "the queue file", &err) < 0 ||
        (offered && qfile_append(t->fd, &end, &note, &err) < 0)) {
        failed(t, &err, reply);
        goto out;
    }
    rc = 0;
out:
    close(memory);
    return rc;
}

/* 1: delivered; 0: to be made durable; -1: refused. */
static int try_offer(struct transaction *t, struct reply *reply)
{
    struct error err;

    switch (offer_make(t, reply, &err)) {
    case OFFER_DELIVERED:
        return 1;
    case OFFER_REFUSED:
        return -1;
    case OFFER_COMMIT:
        return move_to_disk(t, true, reply);
    default:
        log_warning("%s: not offered for delivery: %s", t->queue_id,
                    err.text);
        return move_to_disk(t, false, reply);
    }
}

int commit_finish(struct transaction *t, struct reply *reply)
{
    struct error err;
    int n = 0;

    if (t->last != '\n')
        return reply_set(reply, 550, "5.6.0", "Message does not end with a "
                         "line's end");
    /* Before the message has a name: if we are killed after that, the end of
     * this connection tells qmgr to look. It need not be there. */
    if (commit_join_qmgr(t, &err) < 0)
        log_warning("%s: cannot join qmgr: %s", t->queue_id, err.text);
    if (qwriter_finish(&t->writer, &err) < 0)
        return failed(t, &err, reply);
    log_info("%s: message-id=%s", t->queue_id,
             t->header.message_id.len ? buf_text(&t->header.message_id)
                                      : "<>");
    if (t->in_memory)
        n = try_offer(t, reply);
    if (n < 0)
        return -1;
    if (n == 0) {
        if (make_durable(t, &err) < 0)
            return failed(t, &err, reply);
        tell_qmgr(t);
    }
    return reply_set(reply, 250, "2.0.0", "Ok: queued as %s", t->queue_id);
}

void commit_abort(struct transaction *t)
{
    io_close(&t->fd);
    qwriter_release(&t->writer);
}
