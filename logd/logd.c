/* SPDX-License-Identifier: BSD-2-Clause */
#include "logd/logd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

#define TURN_LINES 64 /* read from one service before the next */
#define RETRY_MS 1000 /* a log that takes no lines is tried this often */

struct source {
    struct watch watch;
    struct list link;
    char tag[121];
};

struct logd_conf logd_conf;

/* The daemon's one context. */
static struct {
    struct daemon *daemon;
    struct list sources;
    struct timer retry;
} logd = { .sources = LIST_INIT(logd.sources) };

/* --- out --------------------------------------------------------------- */

/* The logger may have been started anew, the file's disk may be gone: master
 * can open what we cannot. */
static void on_retry(struct timer *t)
{
    (void)t; /* the end of this turn sets it again if need be */
    if (!out_flush())
        service_tell_master(logd.daemon, &control_log_wanted_type, NULL);
}

static void end_of_turn(struct loop *l, void *arg)
{
    (void)arg;
    if (!out_flush() && logd.retry.place == 0)
        timer_set(l, &logd.retry, RETRY_MS);
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
    out_line(s->tag, who.pid, (unsigned)(data[0] - '0') & 7,
             (struct view){ data + 1, (size_t)n - 1 });
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
    if (file->fd >= 0)
        out_use(file->fd, view_is(file->name, "syslog"));
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
    logd.daemon = d;
    logd.retry.fire = on_retry;
    d->loop.turn = end_of_turn;
    entries_start(d);
}

void logd_reloaded(struct daemon *d)
{
    (void)d;
    out_reloaded();
}

void logd_stopping(struct daemon *d)
{
    list_each (l, &logd.sources)
        while (read_line(list_entry(l, struct source, link)))
            continue;
    out_flush();
    service_leave(d);
}
