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
#include "event/listener.h"
#include "ipc/peer.h"
#include "master/params.h"
#include "master/pool.h"
#include "master/roles.h"
#include "service/service.h"

#define SLOTS 4096 /* of queue ids; also the most processes at a time */

struct master;

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
    uint64_t id_base, id_mono; /* see ids.c; the first is a number that no
                                * other start had */
    int own_log[2];            /* master's own line to logd */
    struct watch signals;
    struct timer ids_timer, stop_timer;
    bool stopping;
    struct list asks;          /* joins waiting for authd (join.c) */
    uint32_t next_ticket;
    struct listener admin;     /* the control socket (admin.c) */
    struct list visitors;      /* who is connected to it */
    struct reload *reload;     /* one under way, or NULL (reload.c) */
};

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
