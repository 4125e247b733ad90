/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/log.h"

/* Linux tells here of what became of the connection, too: that is no reason to
 * pause, or whoever breaks off would keep others out. */
int listener_accept(int fd, int flags, bool *pause)
{
    int conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | flags);

    *pause = conn < 0 && (errno == EMFILE || errno == ENFILE ||
                          errno == ENOMEM || errno == ENOBUFS);
    if (conn < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
        log_warning("cannot accept a connection: %s",
                    strerrordesc_np(errno));
    return conn;
}

static void on_connection(struct watch *w, uint32_t events)
{
    struct listener *l = list_entry(w, struct listener, watch);
    bool pause;
    int fd = listener_accept(w->fd, l->flags, &pause);

    (void)events;
    if (fd >= 0) {
        l->accepted(l, fd);
    } else if (pause) {
        loop_unwatch(l->loop, w);
        timer_set(l->loop, &l->pause, LISTENER_PAUSE_MS);
    }
}

static void on_pause(struct timer *t)
{
    listener_start(list_entry(t, struct listener, pause));
}

void listener_init(struct listener *l, struct loop *loop, int fd, int flags,
                   void (*accepted)(struct listener *l, int fd))
{
    *l = (struct listener){
        .accepted = accepted,
        .loop = loop,
        .watch = { .fd = fd, .ready = on_connection },
        .pause = { .fire = on_pause },
        .flags = flags,
    };
}

void listener_start(struct listener *l)
{
    if (l->pause.place != 0)
        return;
    if (loop_watch(l->loop, &l->watch, EPOLLIN) < 0)
        timer_set(l->loop, &l->pause, LISTENER_PAUSE_MS);
}

void listener_stop(struct listener *l)
{
    timer_cancel(l->loop, &l->pause);
    loop_unwatch(l->loop, &l->watch);
}
