/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.h - accepting connections in an event loop.
 *
 * A connection for which the system has no room (EMFILE, ENFILE, ENOMEM,
 * ENOBUFS) stays where it is, and would be there again at each turn: it is
 * looked for again after a pause, of which one line tells.
 *
 * Life:     listener_init, then listener_start and listener_stop as often as
 *           wanted. Lives inside its owner's struct; stop it before that goes.
 * Ownership: the listening descriptor is borrowed; an accepted one is the
 *           callee's.
 * Errors:   none; what accept4(2) says is logged.
 * Blocking: never.
 */
#ifndef EVENT_LISTENER_H
#define EVENT_LISTENER_H

#include "event/loop.h"

#define LISTENER_PAUSE_MS 1000

struct listener {
    void (*accepted)(struct listener *l, int fd);
    struct loop *loop;
    struct watch watch;
    struct timer pause;
    int flags;
};

/* For connections to `fd`, which does not block; `flags` are those of
 * accept4(2), besides SOCK_CLOEXEC. */
void listener_init(struct listener *l, struct loop *loop, int fd, int flags,
                   void (*accepted)(struct listener *l, int fd));

/* Take them from now on; take none. Harmless when it is so. */
void listener_start(struct listener *l);
void listener_stop(struct listener *l);

/* For those who accept outside a loop: accept4(2), or -1, when there was none
 * or it is lost; after `*pause` there is no room. What the system said is
 * logged. */
int listener_accept(int fd, int flags, bool *pause);

#endif
