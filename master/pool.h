/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - the processes of one row of master.cf: how many there are, from
 * fork to the end.
 *
 * Life:      a row's pool from the start of master to its end; one of a tenant
 *            or a session until its last child is gone (`doomed`).
 * Blocking:  none; what is waited for comes through the loop.
 */
#ifndef MASTER_POOL_H
#define MASTER_POOL_H

#include <sys/types.h>

#include "base/list.h"
#include "config/mastercf.h"
#include "event/loop.h"
#include "ipc/peer.h"
#include "master/roles.h"
#include "service/service.h"

struct master;

/* The processes of one row of master.cf, or of one tenant, or one session. */
struct pool {
    struct list link;
    struct master *master;
    const struct role *role;
    const struct mastercf_row *row;
    struct pool *parent;       /* the row's own pool, for per-tenant ones */
    int channel[2];            /* accept channel: ours to send, theirs */
    int log[2];                /* log pair: theirs to send, logd's */
    int listeners[SERVICE_LISTENERS_MAX];
    size_t n_listeners;
    struct list children;
    unsigned total, idle;      /* processes; idle ones, starting included */
    unsigned pending;          /* stamped and not yet taken */
    unsigned failures;         /* in a row */
    uint64_t failed_ms;        /* when the last of them was counted */
    struct timer throttle;     /* set: start nothing until it fires */
    struct timer trim;         /* ends idle processes beyond the spare */
    bool doomed;               /* to be freed with its last child */
    /* Per tenant or session only: */
    char tenant[ACCOUNT_MAX + 1];
    char account[ACCOUNT_MAX + 1]; /* of a session */
    uid_t uid;
    char *path;                /* below the store; owned */
};

enum child_state {
    CHILD_STARTING,
    CHILD_IDLE,
    CHILD_BUSY,
    CHILD_STOPPING,
    CHILD_LEAVING,  /* the same, since all stops */
};

struct child {
    struct list link;
    struct pool *pool;
    struct peer control;
    pid_t pid;
    unsigned slot;
    enum child_state state;
    bool was_ready;
    unsigned walls;            /* what it says stands around it: enum wall */
    unsigned config_asked; /* new configurations it has not answered for */
    uint64_t started;          /* clock_mono_ms() */
};

/* Make the pools of all rows of master.cf, with their sockets bound. */
int pools_create(struct master *m, struct error *err);

/* A line to logd that says who sent each packet: [0] to send, [1] logd's. */
int pool_log_pair(int log[2], struct error *err);

/* A pool like `row_pool` for one tenant or session; path is copied. */
struct pool *pool_derive(struct pool *row_pool, const char *tenant, uid_t uid,
                         const char *path);

/* The row's pool named `service`, or the first of the role, or NULL. */
struct pool *pool_find(struct master *m, struct view service);
struct pool *pool_of_role(struct master *m, const char *role);

/* Start or end processes until there are as many as are needed. */
void pool_adjust(struct pool *p);

/* The same, at once however often starts have failed. */
void pool_retry(struct pool *p);

/* Free a pool that has no child; its parent keeps what they share. */
void pool_free(struct pool *p);

/* A process ended; `status` is from waitpid(2). */
void pool_reap(struct master *m, pid_t pid, int status);

/* Is there no process, and none to come soon, since those that were started
 * failed one after the other? */
bool pool_does_not_start(const struct pool *p);

/* Ask all children of the pool to end. */
void pool_stop(struct pool *p);

/* The child with this control peer. */
struct child *child_of(struct peer *control);

/* Are all programs that should run ready? */
bool pools_ready(struct master *m);

/* spawn.c: start a process for `c` (its pool, slot set); its control end is
 * `control` (borrowed). Sets c->pid. */
int spawn(struct child *c, int control, struct error *err);

#endif
