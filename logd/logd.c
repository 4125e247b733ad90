/* SPDX-License-Identifier: BSD-2-Clause */
#include "logd/logd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define TURN_LINES 64         /* read from one service before the next */
#define HELD_MAX (1u << 20)   /* bytes kept while the file cannot be written */

struct source {
    struct watch watch;
    struct list link;
    char tag[121];
};

struct logd_conf logd_conf;

/* The daemon's one context. */
static struct {
    struct list sources;
    int file;             /* -1: standard error until master sends one */
    struct buf held;      /* lines not yet written */
    unsigned long lost;   /* lines that could neither be written nor held */
    time_t second;        /* `stamp` holds this second */
    char stamp[40];
} logd = { .sources = LIST_INIT(logd.sources), .file = -1 };

/* --- out --------------------------------------------------------------- */

static void write_held(void)
{
    int fd = logd.file >= 0 ? logd.file : STDERR_FILENO;

    while (logd.held.len > 0) {
        ssize_t n = write(fd, logd.held.data, logd.held.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* a full disk: keep what fits, count the rest */
        buf_drop(&logd.held, (size_t)n);
    }
}

static void end_of_turn(struct loop *l, void *arg)
{
    (void)l;
    (void)arg;
    write_held();
}

static void put_time(struct buf *out)
{
    uint64_t now = clock_real_us();
    time_t second = (time_t)(now / 1000000);
    bool iso = logd_conf.log_time_format == LOG_TIME_ISO;
    struct tm tm;

    if (second != logd.second || logd.stamp[0] == '\0') {
        localtime_r(&second, &tm);
        strftime(logd.stamp, sizeof logd.stamp,
                 iso ? "%Y-%m-%dT%H:%M:%S" : "%b %e %H:%M:%S", &tm);
        logd.second = second;
    }
    buf_add_text(out, logd.stamp);
    if (iso) {
        char zone[8];

        localtime_r(&second, &tm);
        strftime(zone, sizeof zone, "%z", &tm);
        buf_addf(out, ".%06u%.3s:%s", (unsigned)(now % 1000000), zone,
                 zone + 3);
    }
}

static void put_line(const char *tag, pid_t pid, struct view text)
{
    struct buf *out = &logd.held;

    if (out->len > HELD_MAX) {
        logd.lost++;
        return;
    }
    if (logd.lost > 0) {
        unsigned long lost = logd.lost;
        char note[80];

        logd.lost = 0;
        snprintf(note, sizeof note, "warning: %lu log lines were lost", lost);
        put_line("postfix/logd", getpid(), view_of(note));
    }
    put_time(out);
    buf_addf(out, " %s %s[%d]: ", logd_conf.myhostname, tag, pid);
    logd_clean(out, text);
    buf_add_char(out, '\n');
}

/* --- in ---------------------------------------------------------------- */

/* One packet: its level's digit, then the text. False when there is none. */
static bool read_line(struct source *s)
{
    char data[LOG_LINE_MAX + 2];
    union {
        char space[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { data, sizeof data };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof control };
    ssize_t n = recvmsg(s->watch.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *cm;
    struct ucred who = { .pid = 0 };

    if (n <= 0)
        return false;
    cm = CMSG_FIRSTHDR(&msg);
    if (cm != NULL && cm->cmsg_level == SOL_SOCKET &&
        cm->cmsg_type == SCM_CREDENTIALS)
        memcpy(&who, CMSG_DATA(cm), sizeof who);
    put_line(s->tag, who.pid, (struct view){ data + 1, (size_t)n - 1 });
    return true;
}

static void on_lines(struct watch *w, uint32_t events)
{
    struct source *s = list_entry(w, struct source, watch);

    (void)events;
    for (int i = 0; i < TURN_LINES && read_line(s); i++)
        continue;
}

static void on_source(struct peer *p, const void *msg)
{
    const struct control_log_source *c = msg;
    struct source *s = alloc_zero(1, sizeof *s);

    view_copy(c->tag, s->tag, sizeof s->tag);
    s->watch = (struct watch){ .fd = c->fd, .ready = on_lines };
    list_append(&logd.sources, &s->link);
    if (loop_watch(p->loop, &s->watch, EPOLLIN) < 0)
        log_error("cannot read the lines of %s", s->tag);
}

const struct ipc_rule logd_master_rules[] = {
    { &control_log_source_type, NULL, on_source },
    { NULL, NULL, NULL },
};

void logd_file(struct daemon *d, const struct control_file *file)
{
    (void)d;
    if (file->fd < 0)
        return;
    write_held();
    if (logd.file >= 0)
        close(logd.file);
    logd.file = file->fd;
}

/* --- life -------------------------------------------------------------- */

/* localtime_r() reads the zone's file at its first call: before the jail. */
void logd_prepare(struct daemon *d)
{
    time_t now = 0;
    struct tm tm;

    (void)d;
    localtime_r(&now, &tm);
}

/* Our own lines come over our service's line like everybody's. */
void logd_start(struct daemon *d)
{
    d->loop.turn = end_of_turn;
}

/* A stamp in the old format may be of this very second. */
void logd_reloaded(struct daemon *d)
{
    (void)d;
    logd.stamp[0] = '\0';
}

void logd_stopping(struct daemon *d)
{
    list_each (l, &logd.sources)
        while (read_line(list_entry(l, struct source, link)))
            continue;
    write_held();
    service_leave(d);
}
