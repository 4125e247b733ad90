/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"

#define READ_SIZE  16384
#define FLUSH_SIZE 16384

void stream_init(struct stream *s, int fd, unsigned timeout_ms)
{
    int flags = fcntl(fd, F_GETFL);

    *s = (struct stream){ .fd = fd, .timeout_ms = timeout_ms };
    if (flags >= 0 && !(flags & O_NONBLOCK))
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void stream_release(struct stream *s)
{
    if (s->layer != NULL)
        s->layer->release(s->layer_state);
    s->layer = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    buf_wipe(&s->in); /* passwords come this way */
    buf_release(&s->out);
}

void stream_deadline(struct stream *s, uint64_t ms)
{
    s->deadline_ms = ms ? clock_mono_ms() + ms : 0;
}

/* STREAM_LINE when ready, STREAM_AGAIN when `wake` can be read. */
static enum stream_result wait_ready(struct stream *s, short events, int wake)
{
    unsigned ms = s->timeout_ms;

    if (s->deadline_ms != 0) {
        uint64_t now = clock_mono_ms();

        if (now >= s->deadline_ms)
            return STREAM_TIMEOUT;
        if (s->deadline_ms - now < ms)
            ms = (unsigned)(s->deadline_ms - now);
    }
    switch (io_wait_either(s->fd, events, wake, (int)ms)) {
    case 1:
        return STREAM_LINE;
    case 2:
        return STREAM_AGAIN;
    default:
        return STREAM_TIMEOUT;
    }
}

/* --- out --------------------------------------------------------------- */

static ssize_t write_some(struct stream *s, const char *data, size_t len,
                          short *events)
{
    *events = POLLOUT;
    if (s->layer != NULL)
        return s->layer->write(s->layer_state, s->fd, data, len, events);
    return send(s->fd, data, len, MSG_NOSIGNAL);
}

int stream_drain(struct stream *s, short *events, struct error *err)
{
    size_t sent = 0;
    int rc = 1;

    while (rc == 1 && sent < s->out.len) {
        ssize_t n = write_some(s, s->out.data + sent, s->out.len - sent,
                               events);

        if (n > 0)
            sent += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            rc = 0;
        else if (n == 0 || errno != EINTR)
            rc = error_sys(err, "cannot write to the connection");
    }
    s->bytes_out += sent;
    buf_drop(&s->out, sent);
    return rc;
}

int stream_flush(struct stream *s, struct error *err)
{
    short events;
    int rc;

    while ((rc = stream_drain(s, &events, err)) == 0)
        if (wait_ready(s, events, -1) != STREAM_LINE)
            return error_set(err, FAIL_TEMP, "the peer does not read");
    return rc < 0 ? -1 : 0;
}

int stream_write(struct stream *s, struct view data, struct error *err)
{
    buf_add_view(&s->out, data);
    return s->out.len >= FLUSH_SIZE ? stream_flush(s, err) : 0;
}

int stream_printf(struct stream *s, struct error *err, const char *fmt, ...)
{
    char small[1024];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (len >= (int)sizeof small) {
        va_start(ap, fmt);
        vsnprintf(buf_room(&s->out, (size_t)len), (size_t)len + 1, fmt, ap);
        va_end(ap);
        s->out.len += (size_t)len;
        return s->out.len >= FLUSH_SIZE ? stream_flush(s, err) : 0;
    }
    return stream_write(s, (struct view){ small, (size_t)len }, err);
}

/* --- in ---------------------------------------------------------------- */

bool stream_pending(const struct stream *s)
{
    return s->at < s->in.len;
}

void stream_discard(struct stream *s)
{
    s->at = s->in.len;
}

/* Bytes already taken make room for new ones. */
static void compact(struct stream *s)
{
    if (s->at == 0)
        return;
    buf_drop(&s->in, s->at);
    s->at = 0;
}

static ssize_t read_some(struct stream *s, char *to, size_t len, short *events)
{
    *events = POLLIN;
    if (s->layer != NULL)
        return s->layer->read(s->layer_state, s->fd, to, len, events);
    return recv(s->fd, to, len, 0);
}

enum stream_result stream_fill(struct stream *s, short *events,
                               struct error *err)
{
    compact(s);
    for (;;) {
        ssize_t n = read_some(s, buf_room(&s->in, READ_SIZE), READ_SIZE,
                              events);

        if (n > 0) {
            s->in.len += (size_t)n;
            s->bytes_in += (uint64_t)n;
            return STREAM_LINE;
        }
        if (n == 0)
            return STREAM_CLOSED;
        if (errno == EAGAIN)
            return STREAM_AGAIN;
        if (errno != EINTR) {
            error_sys(err, "cannot read from the connection");
            return STREAM_BROKEN;
        }
    }
}

/* Read more, waiting if need be; what we have to say goes out before, and then
 * the peer's answer takes its time: no use to look at once. (A layer may have
 * bytes that the socket does not tell of.) */
static enum stream_result fill(struct stream *s, int wake, struct error *err)
{
    enum stream_result r = STREAM_LINE;
    bool spoke = s->out.len > 0;
    short events;

    if (stream_flush(s, err) < 0)
        return STREAM_BROKEN;
    if (spoke && s->layer == NULL)
        r = wait_ready(s, POLLIN, wake);
    while (r == STREAM_LINE) {
        r = stream_fill(s, &events, err);
        if (r != STREAM_AGAIN)
            return r;
        r = wait_ready(s, events, wake);
    }
    return r;
}

enum stream_result stream_await(struct stream *s, int wake, struct error *err)
{
    return stream_pending(s) ? STREAM_LINE : fill(s, wake, err);
}

static bool take_line(struct stream *s, struct view *line,
                      enum stream_end *end, size_t from)
{
    char *nl = s->in.len > from
                   ? memchr(s->in.data + from, '\n', s->in.len - from) : NULL;
    size_t len;

    if (nl == NULL)
        return false;
    len = (size_t)(nl - s->in.data) - s->at;
    *end = len > 0 && nl[-1] == '\r' ? STREAM_CRLF : STREAM_LF;
    *line = (struct view){ s->in.data + s->at,
                           *end == STREAM_CRLF ? len - 1 : len };
    s->at += len + 1;
    return true;
}

enum stream_result stream_line(struct stream *s, size_t limit,
                               struct view *line, enum stream_end *end,
                               struct error *err)
{
    size_t searched = 0; /* bytes behind s->at known to hold no LF */

    for (;;) {
        enum stream_result r;

        if (take_line(s, line, end, s->at + searched))
            return line->len > limit ? STREAM_LONG : STREAM_LINE;
        searched = s->in.len - s->at;
        if (searched > limit + 1)
            return STREAM_LONG;
        r = fill(s, -1, err);
        if (r != STREAM_LINE)
            return r;
    }
}

enum stream_result stream_next_line(struct stream *s, size_t limit,
                                    struct view *line, enum stream_end *end)
{
    if (take_line(s, line, end, s->at))
        return line->len > limit ? STREAM_LONG : STREAM_LINE;
    return s->in.len - s->at > limit + 1 ? STREAM_LONG : STREAM_AGAIN;
}

struct view stream_input(const struct stream *s)
{
    return view_sub(buf_view(&s->in), s->at, s->in.len);
}

void stream_took(struct stream *s, size_t len)
{
    assert(len <= s->in.len - s->at);
    s->at += len;
}

void stream_forget(struct stream *s)
{
    compact(s);
    if (s->in.data != NULL)
        explicit_bzero(s->in.data + s->in.len, s->in.cap - s->in.len);
}

void stream_shrink(struct stream *s)
{
    if (s->at == s->in.len) {
        buf_wipe(&s->in);
        s->at = 0;
    }
    if (s->out.len == 0)
        buf_release(&s->out);
}

enum stream_result stream_some(struct stream *s, struct view *data,
                               struct error *err)
{
    enum stream_result r = stream_await(s, -1, err);

    if (r != STREAM_LINE)
        return r;
    *data = (struct view){ s->in.data + s->at, s->in.len - s->at };
    s->at = s->in.len;
    return STREAM_LINE;
}

void stream_unread(struct stream *s, size_t len)
{
    assert(len <= s->at);
    s->at -= len;
}

bool stream_is_http(struct view line)
{
    static const char *const words[] = { "GET ", "POST ", "PUT ", "HEAD ",
                                         "OPTIONS ", "CONNECT ", "Host:",
                                         "User-Agent:" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (view_starts_nocase(line, words[i]))
            return true;
    return false;
}
