/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the one event loop: descriptors, timers and a turn's duties.
 *
 * Used where many peers wait (DESIGN §1.4). Watches and timers live inside
 * their owner's structs; the loop borrows them until they are removed. Any
 * handler may remove any watch or timer, its own included. The loop is not
 * re-entrant.
 *
 * Life:     loop_init, loop_run until loop_stop, loop_release.
 * Units:    milliseconds of the monotonic clock.
 * Blocking: only loop_run(), and only in epoll_wait(2).
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

struct watch {
    int fd; /* borrowed; remove the watch before closing it */
    /* `events` are EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, EPOLLRDHUP. */
    void (*ready)(struct watch *w, uint32_t events);
    uint32_t events; /* what is waited for; 0: not in the loop */
};

struct timer {
    void (*fire)(struct timer *t); /* the timer is already off when called */
    uint64_t due;                  /* by clock_mono_ms() */
    size_t place;                  /* in the heap, from 1; 0: not set */
};

struct loop {
    int epoll_fd;
    bool running, stopping;
    uint64_t now;           /* clock_mono_ms() at the start of this turn */
    struct timer **timers;  /* a heap by `due`, the first at [1] */
    size_t n_timers, cap_timers;
    struct epoll_event *batch; /* events of this turn not yet handled */
    int n_batch;
    /* Called at the end of every turn, before sleeping; may be NULL. */
    void (*turn)(struct loop *l, void *arg);
    void *turn_arg;
};

/* Make an empty loop; a kernel without epoll ends the process. */
void loop_init(struct loop *l);
void loop_release(struct loop *l);

/* Wait for `events` on w->fd from now on, or for others than before. 0, or
 * -1 with errno when the descriptor cannot be waited for. */
int loop_watch(struct loop *l, struct watch *w, uint32_t events);

/* Wait for nothing on it any more; harmless when it is not in the loop. */
void loop_unwatch(struct loop *l, struct watch *w);

/* Fire once, `delay_ms` from now; a timer already set is moved. */
void timer_set(struct loop *l, struct timer *t, uint64_t delay_ms);

/* Do not fire; harmless when it is not set. */
void timer_cancel(struct loop *l, struct timer *t);

/* Handle events until loop_stop(). */
void loop_run(struct loop *l);

/* Make loop_run() return at the end of this turn. */
void loop_stop(struct loop *l);

#endif
