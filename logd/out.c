/* SPDX-License-Identifier: BSD-2-Clause */
#include "logd/logd.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define HELD_MAX (1u << 20) /* bytes kept while they cannot be written */

/* Of the words of syslog_facility, in their order (RFC 3164 section 4.1.1). */
static const unsigned facilities[] = { 2,  3,  1,  16, 17, 18,
                                       19, 20, 21, 22, 23 };

static struct {
    int fd;             /* -1: standard error until master sends one */
    bool is_syslog;
    struct buf held;    /* lines not yet written, each with its newline */
    unsigned long lost; /* lines that could neither be written nor held */
    time_t second;      /* `stamp` holds this second */
    char stamp[40];
} out = { .fd = -1 };

/* How many of the held bytes could be written, at most one line's for the
 * system's logger: there a line is a datagram. */
static ssize_t write_some(struct view held)
{
    int fd = out.fd >= 0 ? out.fd : STDERR_FILENO;
    size_t end;

    if (!out.is_syslog)
        return write(fd, held.data, held.len);
    end = view_index(held, '\n');
    return write(fd, held.data, end) < 0 ? -1 : (ssize_t)end + 1;
}

bool out_flush(void)
{
    size_t at = 0;

    while (at < out.held.len) {
        ssize_t n = write_some(view_sub(buf_view(&out.held), at,
                                        out.held.len));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* a full disk, no logger: keep what fits, count the rest */
        at += (size_t)n;
    }
    buf_drop(&out.held, at);
    return out.held.len == 0;
}

void out_reloaded(void)
{
    out.stamp[0] = '\0'; /* it may be of this very second */
}

void out_use(int fd, bool is_syslog)
{
    out_flush();
    if (out.fd >= 0)
        close(out.fd);
    out.fd = fd;
    out.is_syslog = is_syslog;
    out_reloaded();
}

static void put_time(struct buf *b)
{
    uint64_t now = clock_real_us();
    time_t second = (time_t)(now / 1000000);
    bool iso = !out.is_syslog && logd_conf.log_time_format == LOG_TIME_ISO;
    struct tm tm;

    if (second != out.second || out.stamp[0] == '\0') {
        localtime_r(&second, &tm);
        strftime(out.stamp, sizeof out.stamp,
                 iso ? "%Y-%m-%dT%H:%M:%S" : "%b %e %H:%M:%S", &tm);
        out.second = second;
    }
    buf_add_text(b, out.stamp);
    if (iso) {
        char zone[8];

        localtime_r(&second, &tm);
        strftime(zone, sizeof zone, "%z", &tm);
        buf_addf(b, ".%06u%.3s:%s", (unsigned)(now % 1000000), zone, zone + 3);
    }
}

static void put_line(const char *tag, pid_t pid, unsigned level,
                     struct view text)
{
    struct buf *b = &out.held;

    if (out.is_syslog)
        buf_addf(b, "<%u>", facilities[logd_conf.syslog_facility] * 8 + level);
    put_time(b);
    if (!out.is_syslog)
        buf_addf(b, " %s", logd_conf.myhostname);
    buf_addf(b, " %s[%d]: ", tag, pid);
    utf8_add_visible(b, text);
    buf_add_char(b, '\n');
}

void out_line(const char *tag, pid_t pid, unsigned level, struct view text)
{
    if (out.held.len > HELD_MAX) {
        out.lost++;
        return;
    }
    if (out.lost > 0) {
        char note[80];

        snprintf(note, sizeof note, "warning: %lu log lines were lost",
                 out.lost);
        out.lost = 0;
        put_line("postfix/logd", getpid(), LEVEL_WARNING, view_of(note));
    }
    put_line(tag, pid, level, text);
}
