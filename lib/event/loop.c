/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/loop.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define BATCH 64

void loop_init(struct loop *l)
{
    *l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
    if (l->epoll_fd < 0)
        log_fatal("cannot make an event loop: %s", strerrordesc_np(errno));
    l->now = clock_mono_ms();
}

void loop_release(struct loop *l)
{
    close(l->epoll_fd);
    free(l->timers);
    *l = (struct loop){ .epoll_fd = -1 };
}

int loop_watch(struct loop *l, struct watch *w, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };
    int op = w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    assert(events != 0);
    if (w->events == events)
        return 0;
    if (epoll_ctl(l->epoll_fd, op, w->fd, &ev) < 0)
        return -1;
    w->events = events;
    return 0;
}

void loop_unwatch(struct loop *l, struct watch *w)
{
    if (w->events == 0)
        return;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->events = 0;
    /* It may be freed now: forget what this turn still has for it. */
    for (int i = 0; i < l->n_batch; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
}

/* --- timers: a binary heap, each timer knowing its place --------------- */

static void put(struct loop *l, size_t place, struct timer *t)
{
    l->timers[place] = t;
    t->place = place;
}

static void sift_up(struct loop *l, size_t place, struct timer *t)
{
    while (place > 1 && l->timers[place / 2]->due > t->due) {
        put(l, place, l->timers[place / 2]);
        place /= 2;
    }
    put(l, place, t);
}

static void sift_down(struct loop *l, size_t place, struct timer *t)
{
    for (;;) {
        size_t child = place * 2;

        if (child > l->n_timers)
            break;
        if (child < l->n_timers &&
            l->timers[child + 1]->due < l->timers[child]->due)
            child++;
        if (l->timers[child]->due >= t->due)
            break;
        put(l, place, l->timers[child]);
        place = child;
    }
    put(l, place, t);
}

void timer_cancel(struct loop *l, struct timer *t)
{
    size_t place = t->place;
    struct timer *last;

    if (place == 0)
        return;
    t->place = 0;
    last = l->timers[l->n_timers--];
    if (last == t)
        return;
    if (place > 1 && l->timers[place / 2]->due > last->due)
        sift_up(l, place, last);
    else
        sift_down(l, place, last);
}

void timer_set(struct loop *l, struct timer *t, uint64_t delay_ms)
{
    timer_cancel(l, t);
    t->due = clock_mono_ms() + delay_ms;
    if (l->n_timers + 2 > l->cap_timers) {
        l->cap_timers = l->cap_timers ? l->cap_timers * 2 : 16;
        l->timers = alloc_resize(l->timers, l->cap_timers, sizeof *l->timers);
    }
    l->n_timers++;
    sift_up(l, l->n_timers, t);
}

static void fire_due(struct loop *l)
{
    while (l->n_timers > 0 && l->timers[1]->due <= l->now) {
        struct timer *t = l->timers[1];

        timer_cancel(l, t);
        t->fire(t);
    }
}

/* --- the turn ---------------------------------------------------------- */

static int sleep_ms(const struct loop *l)
{
    uint64_t now = clock_mono_ms(), due;

    if (l->n_timers == 0)
        return -1;
    due = l->timers[1]->due;
    if (due <= now)
        return 0;
    return due - now > 3600000 ? 3600000 : (int)(due - now);
}

static void handle(struct loop *l, struct epoll_event *events, int n)
{
    l->batch = events;
    l->n_batch = n;
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;

        if (w != NULL)
            w->ready(w, events[i].events);
    }
    l->batch = NULL;
    l->n_batch = 0;
}

void loop_run(struct loop *l)
{
    struct epoll_event events[BATCH];

    assert(!l->running);
    l->running = true;
    while (!l->stopping) {
        int n = epoll_wait(l->epoll_fd, events, BATCH, sleep_ms(l));

        l->now = clock_mono_ms();
        if (n > 0)
            handle(l, events, n);
        fire_due(l);
        if (l->turn != NULL)
            l->turn(l, l->turn_arg);
    }
    l->running = false;
    l->stopping = false;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}
