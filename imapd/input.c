/* SPDX-License-Identifier: BSD-2-Clause */
/* One command: a line, and while it ends in "{n}", a literal and a line. */
#include "imapd/imapd.h"

#define DRAIN_MAX (1u << 20) /* bytes of a refused literal we read */

static void closed(struct imap_session *s, enum stream_result r)
{
    imap_end(s, r == STREAM_TIMEOUT ? IMAP_TIMEOUT : IMAP_LOST);
}

/* False: nothing has come, or the session is over. */
static bool await_command(struct imap_session *s)
{
    enum stream_result r;
    struct error err;

    if (imap_all_stops(s, false))
        return false;
    r = stream_await(&s->stream, service_wake_fd(s->daemon), &err);
    if (r == STREAM_AGAIN)
        imap_all_stops(s, true);
    else if (r != STREAM_LINE)
        closed(s, r);
    return r == STREAM_LINE;
}

static bool read_line(struct imap_session *s, struct view *line)
{
    enum stream_end end;
    struct error err;
    size_t room = imapd_conf.imap_line_length > s->command.len
                      ? imapd_conf.imap_line_length - s->command.len : 0;
    enum stream_result r = stream_line(&s->stream, room, line, &end, &err);

    if (r == STREAM_LONG) {
        imap_say(s, "* BYE The command is too long.\r\n");
        imap_end(s, IMAP_BYE);
    } else if (r != STREAM_LINE) {
        closed(s, r);
    }
    return r == STREAM_LINE;
}

static bool read_literal(struct imap_session *s, uint64_t size)
{
    while (size > 0) {
        struct view data;
        struct error err;
        enum stream_result r = stream_some(&s->stream, &data, &err);

        if (r != STREAM_LINE) {
            closed(s, r);
            return false;
        }
        if (data.len > size)
            stream_unread(&s->stream, data.len - (size_t)size);
        data = view_sub(data, 0, size < data.len ? (size_t)size : data.len);
        buf_add_view(&s->command, data);
        size -= data.len;
    }
    return true;
}

void imap_drain(struct imap_session *s, uint64_t size)
{
    if (size > DRAIN_MAX) {
        imap_say(s, "* BYE A literal is too long.\r\n");
        imap_end(s, IMAP_BYE);
    }
    while (size > 0 && s->end == IMAP_GOING_ON) {
        struct view data;
        struct error err;
        enum stream_result r = stream_some(&s->stream, &data, &err);

        if (r != STREAM_LINE) {
            closed(s, r);
            return;
        }
        if (data.len > size)
            stream_unread(&s->stream, data.len - (size_t)size);
        size -= data.len < size ? data.len : size;
    }
}

/* The rest of a command that has a literal we do not want. */
static void refuse_literal(struct imap_session *s, uint64_t size, bool sync)
{
    struct imap_args a = { .rest = buf_view(&s->command) };
    struct view line, tag;

    imap_args_tag(&a, &tag);
    imap_say(s, "%.*s BAD [TOOBIG] A literal is too long.\r\n",
             tag.len < 100 ? (int)tag.len : 100, tag.data);
    s->bad++;
    while (!sync && s->end == IMAP_GOING_ON) {
        imap_drain(s, size);
        buf_reset(&s->command);
        if (s->end != IMAP_GOING_ON || !read_line(s, &line) ||
            !imap_ends_in_literal(line, &size, &sync))
            return;
    }
}

/* Is what was read "tag APPEND ..." with the mailbox behind it, so that the
 * literal that comes is the message? The mailbox may be a literal too; flags
 * and date cannot. */
static bool is_append_message(struct view command)
{
    struct view tag, verb, rest = command;

    if (!view_cut(&rest, ' ', &tag) || !view_cut(&rest, ' ', &verb) ||
        !view_is_nocase(verb, "APPEND"))
        return false;
    return view_index(rest, '{') > 0 ||
           view_index(rest, '\n') < rest.len;
}

enum imap_input imap_input(struct imap_session *s)
{
    struct view line;
    uint64_t size;
    bool sync;

    buf_reset(&s->command);
    if (!await_command(s))
        return IMAP_NONE;
    for (;;) {
        if (!read_line(s, &line))
            return IMAP_NONE;
        buf_add_view(&s->command, line);
        if (!imap_ends_in_literal(line, &size, &sync) ||
            is_append_message(buf_view(&s->command)))
            return IMAP_COMMAND;
        if (size > imapd_conf.imap_line_length - s->command.len) {
            refuse_literal(s, size, sync);
            return IMAP_NONE;
        }
        if (sync)
            imap_say(s, "+ OK\r\n");
        buf_add_text(&s->command, "\r\n");
        if (!read_literal(s, size))
            return IMAP_NONE;
    }
}
