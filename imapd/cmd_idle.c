/* SPDX-License-Identifier: BSD-2-Clause */
/* IDLE (RFC 2177): changes are told as they happen. Waiting is one poll(2) on
 * the client, on notify and on master; the disk is looked at when a notice
 * came, and now and then because programs that know no notify change Maildirs
 * too. */
#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "imapd/commands.h"
#include "imapd/notice.h"

#define LINE_MAX_IDLE 1000

static bool send_all(struct imap_session *s)
{
    struct error err;

    if (s->end == IMAP_GOING_ON && stream_flush(&s->stream, &err) < 0)
        imap_end(s, IMAP_LOST);
    return s->end == IMAP_GOING_ON;
}

static bool look(struct imap_session *s)
{
    imap_sync(s, true, false);
    return send_all(s);
}

/* Wait for the client; false when the session is over. */
static bool wait_for_client(struct imap_session *s)
{
    uint64_t end = clock_mono_ms() + imapd_conf.imap_idle_timeout * 1000ULL;
    int every = (int)imapd_conf.imap_idle_poll * 1000;

    while (!stream_pending(&s->stream)) {
        struct pollfd fds[3] = {
            { .fd = s->stream.fd, .events = POLLIN },
            { .fd = notice_fd(s), .events = POLLIN },
            { .fd = service_wake_fd(s->daemon), .events = POLLIN },
        };
        int n = poll(fds, 3, every);

        if (n < 0 && errno != EINTR)
            imap_end(s, IMAP_LOST);
        if (imap_all_stops(s, fds[2].revents != 0))
            return false;
        if (fds[0].revents != 0)
            break;
        if (clock_mono_ms() >= end)
            imap_end(s, IMAP_TIMEOUT);
        if (n == 0 || (fds[1].revents != 0 && notice_take(s)))
            look(s);
        if (s->end != IMAP_GOING_ON)
            return false;
    }
    return true;
}

void imap_cmd_idle(struct imap_session *s, struct imap_args *a)
{
    struct view line;
    enum stream_end end;
    struct error err;

    if (!imap_args_end(a))
        return;
    notice_listen(s);
    notice_take(s);
    imap_say(s, "+ idling\r\n");
    if (!look(s) || !wait_for_client(s)) {
        imap_ok(s, "Idle ended.");
        return;
    }
    switch (stream_line(&s->stream, LINE_MAX_IDLE, &line, &end, &err)) {
    case STREAM_LINE:
        if (view_is_nocase(line, "DONE"))
            imap_ok(s, "Idle completed.");
        else
            imap_bad(s, "DONE ends IDLE.");
        return;
    case STREAM_LONG:
        imap_bad(s, "DONE ends IDLE.");
        imap_end(s, IMAP_BYE);
        return;
    default:
        imap_end(s, IMAP_LOST);
        imap_ok(s, "Idle ended.");
    }
}
