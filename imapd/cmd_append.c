/* SPDX-License-Identifier: BSD-2-Clause */
/* APPEND (RFC 3501 §6.3.11, RFC 4315 §3): the message goes from the client to
 * a nameless file as it comes. */
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/memfd.h"
#include "imapd/commands.h"
#include "mail/date.h"

#define MEMORY_MAX (1u << 20) /* bytes; larger messages go to the disk */

struct append {
    struct view mailbox;
    struct imap_flags flags;
    uint32_t date;
    uint64_t size;
    bool sync;
};

static bool take_date(struct imap_args *a, uint32_t *date)
{
    struct view text;
    struct date d;

    if (!imap_args_string(a, &text))
        return false;
    if (date_parse_imap(text, &d) < 0)
        return imap_args_fail(a, "The date is none.");
    *date = d.time < 0 ? 0 : d.time > UINT32_MAX ? UINT32_MAX
                                                 : (uint32_t)d.time;
    return true;
}

static bool parse(struct imap_args *a, struct append *ap)
{
    ap->date = (uint32_t)(clock_real_us() / 1000000);
    if (!imap_args_space(a) || !imap_args_mailbox(a, &ap->mailbox) ||
        !imap_args_space(a))
        return false;
    if (imap_args_next_is(a, '(') &&
        (!imap_flag_list(a, false, &ap->flags) || !imap_args_space(a)))
        return false;
    if (imap_args_next_is(a, '"') &&
        (!take_date(a, &ap->date) || !imap_args_space(a)))
        return false;
    if (view_rindex(a->rest, '{') != 0 ||
        !imap_ends_in_literal(a->rest, &ap->size, &ap->sync))
        return imap_args_fail(a, "The message must be a literal.");
    return true;
}

/* --- the message ------------------------------------------------------- */

enum content { CONTENT_OK, CONTENT_NUL, CONTENT_FAILED };

/* Read the literal into `fd`. What cannot be used or kept is read to its end
 * all the same. */
static enum content receive(struct imap_session *s, uint64_t size, int fd,
                            struct error *err)
{
    enum content result = CONTENT_OK;

    while (size > 0) {
        struct error lost;
        struct view data;
        enum stream_result r = stream_some(&s->stream, &data, &lost);

        if (r != STREAM_LINE) {
            imap_end(s, r == STREAM_TIMEOUT ? IMAP_TIMEOUT : IMAP_LOST);
            return CONTENT_OK;
        }
        if (data.len > size)
            stream_unread(&s->stream, data.len - (size_t)size);
        data = view_sub(data, 0, size < data.len ? (size_t)size : data.len);
        size -= data.len;
        if (result == CONTENT_OK && memchr(data.data, '\0', data.len) != NULL)
            result = CONTENT_NUL;
        if (result == CONTENT_OK &&
            io_write_all(fd, data.data, data.len, "the message", err) < 0)
            result = CONTENT_FAILED;
    }
    return result;
}

/* The command ends behind the message; more than one message is MULTIAPPEND,
 * which we do not have. */
static bool end_of_command(struct imap_session *s)
{
    enum stream_end end;
    struct view line;
    struct error err;
    enum stream_result r;

    if (s->end != IMAP_GOING_ON)
        return false;
    r = stream_line(&s->stream, imapd_conf.imap_line_length, &line, &end,
                    &err);
    if (r != STREAM_LINE) {
        imap_end(s, r == STREAM_TIMEOUT ? IMAP_TIMEOUT : IMAP_LOST);
        return false;
    }
    if (line.len > 0)
        imap_bad(s, "Nothing may follow the message.");
    return line.len == 0;
}

static void commit(struct imap_session *s, struct append *ap, int fd)
{
    struct mailbox_new new = {
        .fd = fd, .len = ap->size, .flags = ap->flags.system,
        .keywords = ap->flags.keywords, .n_keywords = ap->flags.n,
        .date = ap->date,
    };
    enum store_why why = STORE_OK;
    uint32_t validity, uid;
    struct error err;

    if (mailbox_append(s->store, ap->mailbox, &new, 1, &validity, &uid, &why,
                       &err) < 0) {
        imap_refuse(s, why, true, &err);
        return;
    }
    imap_tell(s, ap->mailbox);
    imap_ok(s, "[APPENDUID %u %u] Append completed.", validity, uid);
}

static int open_file(const struct imap_session *s, uint64_t size,
                     struct error *err)
{
    int fd;

    if (size <= MEMORY_MAX)
        return memfd_new("append", err);
    fd = openat(s->root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? error_sys(err, "cannot make a file for a message") : fd;
}

static void receive_and_commit(struct imap_session *s, struct append *ap)
{
    struct error err;
    int fd = open_file(s, ap->size, &err);
    enum content content = CONTENT_FAILED;

    if (fd < 0) {
        imap_failed(s, &err);
        if (!ap->sync) {
            imap_drain(s, ap->size);
            end_of_command(s);
        }
        return;
    }
    if (ap->sync)
        imap_say(s, "+ OK\r\n");
    content = receive(s, ap->size, fd, &err);
    if (!end_of_command(s)) {
        if (s->reply.len == 0)
            imap_no(s, "The message did not come.");
    } else if (content == CONTENT_NUL) {
        imap_no(s, "[CANNOT] The message has a NUL byte.");
    } else if (content == CONTENT_FAILED) {
        imap_failed(s, &err);
    } else {
        commit(s, ap, fd);
    }
    close(fd);
}

void imap_cmd_append(struct imap_session *s, struct imap_args *a)
{
    struct append ap = { .size = 0 };
    const char *refusal = NULL;

    if (!parse(a, &ap))
        return;
    if (ap.size > imapd_conf.message_size_limit)
        refusal = "[TOOBIG] The message is too large.";
    else if (ap.size == 0)
        refusal = "[CANNOT] The message is empty.";
    if (refusal == NULL) {
        receive_and_commit(s, &ap);
        return;
    }
    if (!ap.sync) {
        imap_drain(s, ap.size);
        end_of_command(s);
    }
    imap_no(s, "%s", refusal);
}
