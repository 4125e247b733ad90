/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master.h - the supervisor: what it keeps, and its pieces.
 *
 * Master is the only root process. It reads the configuration, binds sockets,
 * starts and limits programs, gives each its uid, root and descriptors, and
 * joins programs to each other. It never accepts a connection from outside,
 * and never reads a byte that came from the network or from a message: what
 * it reads are main.cf, master.cf, typed messages on control channels, and
 * exit codes.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <sys/types.h>

#include "config/config.h"
#include "config/mastercf.h"
#include "ipc/peer.h"
#include "master/params.h"
#include "master/roles.h"
#include "service/service.h"

#define SLOTS 4096 /* of queue ids; also the most processes at a time */

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

struct master {
    struct loop loop;
    const char *config_directory;
    struct config *config;
    struct mastercf services;
    struct master_conf conf;
    unsigned walls;
    int config_fd;             /* the sealed main.cf for children */
    bool is_root;
    bool in_foreground;        /* standard output is the starter's */
    int empty_net;             /* the empty network namespace, or -1 */
    int empty_root;            /* a detached empty mount, or -1 */
    int queue_dir, store_dir, data_dir; /* -1: not there */
    bool store_missing;                 /* and it was logged */
    int lock_fd;               /* pid/master.pid, locked */
    int ready_fd;              /* tell the starter when all is up; or -1 */
    bool is_up;                /* all was ready once */
    struct list pools;
    struct child *slots[SLOTS]; /* which child has which slot */
    unsigned next_slot;
    uint64_t id_base, id_mono; /* see ids.h */
    int own_log[2];            /* master's own line to logd */
    struct watch signals;
    struct timer ids_timer, stop_timer;
    bool stopping;
    struct list asks;          /* joins waiting for authd (join.c) */
    uint32_t next_ticket;
    struct watch admin;        /* the control socket (admin.c) */
    struct list visitors;      /* who is connected to it */
    struct reload *reload;     /* one under way, or NULL (reload.c) */
};

/* --- pool.c: how many processes there are ------------------------------ */

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

/* Free a pool that has no child; its parent keeps what they share. */
void pool_free(struct pool *p);

/* A process ended; `status` is from waitpid(2). */
void pool_reap(struct master *m, pid_t pid, int status);

/* Ask all children of the pool to end. */
void pool_stop(struct pool *p);

/* The child with this control peer. */
struct child *child_of(struct peer *control);

/* Are all programs that should run ready? */
bool pools_ready(struct master *m);

/* --- spawn.c: one process, from fork to exec --------------------------- */

/* Start a process for `c` (its pool, slot set); its control end is `control`
 * (borrowed). Sets c->pid. */
int spawn(struct child *c, int control, struct error *err);

/* --- listen.c ---------------------------------------------------------- */

/* Bind and listen on everything that the row of `p` asks for. */
int listen_row(struct pool *p, struct error *err);

/* --- places.c: directories, mounts and namespaces ---------------------- */

/* Make the queue's directories with their owners, open the stores. */
int places_create(struct master *m, struct error *err);

/* Is the mail store there, with this instance's mark? Opened anew by this
 * call, which also logs what is wrong, once until it was right again. */
bool places_store_ready(struct master *m);

/* In the child: the descriptor of the root directory for `p`, or -1 for none
 * (user mode, empty root). -2 on error. */
int places_root(const struct pool *p, struct error *err);

/* The uid that the programs of `p` run as. */
uid_t places_uid(const struct pool *p);

/* --- join.c ------------------------------------------------------------ */

/* The rules for what children may say. */
extern const struct ipc_rule master_rules[];

/* Fail every join that waits for authd: it is gone. */
void joins_fail(struct master *m);

/* --- files.c: files that programs may have ----------------------------- */

/* Send a program that has just become ready what it is to have. */
void files_send(struct child *c);

/* Open the log file again and hand it to logd. */
void files_reopen_log(struct master *m);

/* The same for a logd whose log takes no lines; nothing if it can't be
 * opened at the moment. */
void files_try_log(struct child *c);

/* --- reload.c ---------------------------------------------------------- */

/* Read the configuration and build the children's copy; used at the start
 * and by reload. On error nothing of `m` has changed. */
int config_build(struct master *m, struct error *err);

/* Begin a reload; `done` is told how it ended ("" for well). */
void reload_begin(struct master *m, void (*done)(struct master *m, void *arg,
                                                  const char *why),
                  void *arg);

/* A child answered; a child went away. */
void reload_answer(struct child *c, bool accepted, struct view why);
void reload_forget(struct child *c);

/* --- admin.c: the control socket of `postern` -------------------------- */

/* Listen on it. */
int admin_open(struct master *m, struct error *err);

/* --- ids.c: no queue id twice ------------------------------------------ */

/* Read the floor below which ids were used, and keep it ahead of use. */
int ids_open(struct master *m, struct error *err);

/* Write the floor as of now: nothing will be made after this. */
void ids_close(struct master *m);

/* Microseconds: no id was made by anybody after this. */
uint64_t ids_now(const struct master *m);

/* --- main.c ------------------------------------------------------------ */

/* Begin to stop; the loop ends when the last child is gone. */
void master_stop(struct master *m, const char *why);

/* Called whenever a child became ready or ended. */
void master_progress(struct master *m);

#endif
