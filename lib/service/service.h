/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.h - the daemon skeleton: from main() into the jail to the work.
 *
 * A daemon is one const struct service handed to service_main(), which reads
 * the arguments and the configuration that master passed, calls `prepare`,
 * enters the jail, tells master that it is ready, and then runs one of three
 * shapes:
 *
 *   straight line: `serve` is called for one client after another, each from
 *       an inherited listener or from the accept channel;
 *   shared straight line: `answer` is called for one question after another
 *       of all the clients that came over the accept channel;
 *   event loop: `start` is called once; peers that master joins to us speak by
 *       `rules`; the program may add listeners and timers of its own.
 *
 * Life:     service_main() does not return before the process should end.
 * Errors:   before service starts a failure is logged as fatal and ends the
 *           process with 1; later nothing from outside does.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "config/config.h"
#include "ipc/peer.h"
#include "sandbox/sandbox.h"
#include "service/control.h"

#define SERVICE_LISTENERS_MAX 64

struct daemon;

/* One client of a straight-line program. */
struct client {
    int fd;             /* serve() may take it by making it -1 */
    bool is_channel;    /* a channel of ours, stamped; else a listener's */
    int listener;       /* which listener, when it is not a channel */
    char role[32];      /* the rest is from the stamp */
    char service[SERVICE_NAME_MAX + 1];
    uint32_t pid;
    char tenant[ACCOUNT_MAX + 1];
    char account[ACCOUNT_MAX + 1];
    char session[33];
    uint64_t quota;     /* of the account, in bytes; 0: none */
    bool authenticated; /* set by serve(): it was, or could have been; take no
                           other client after it */
};

struct service {
    const char *name;           /* the program, which is its role */
    const struct param *params; /* its parameters, or NULL */
    void *conf;                 /* the struct they fill */
    size_t conf_size;
    struct sandbox sandbox;

    /* Called with the final uid but before the jail: open libraries, tables.
     * May end the process with log_fatal(). */
    void (*prepare)(struct daemon *d);

    /* Straight line: serve one client. */
    void (*serve)(struct daemon *d, struct client *c);

    /* Straight line: no client came for a second: let go of what others may
     * want. NULL: nothing. */
    void (*rest)(struct daemon *d);

    /* Shared straight line: before an orderly exit. NULL: nothing. */
    void (*ended)(struct daemon *d);

    /* Shared straight line: answer one question on `line`; -1 ends the
     * client's channel. Questions may be asked twice. */
    int (*answer)(struct daemon *d, const struct client *c, struct ipc *line,
                  struct ipc_packet *p, struct error *err);

    /* Event loop: what peers may say, and what is kept for each. */
    const struct ipc_rule *rules;
    size_t peer_size; /* of a struct that begins with a struct peer; 0: plain */
    void (*joined)(struct daemon *d, struct peer *p, const struct stamp *s);
    void (*parted)(struct daemon *d, struct peer *p);
    void (*start)(struct daemon *d);
    /* Master sent a file of its own accord; take or close file->fd. */
    void (*file)(struct daemon *d, const struct control_file *file);
    /* Peers wait until service_accept() is called: without its files this
     * program has no answers. */
    bool waits_for_files;
    /* More that master may say to this program (authd's control_whereis). */
    const struct ipc_rule *master_rules;
    /* May the new values replace the old ones? NULL: always. */
    int (*check)(struct daemon *d, const void *conf, struct error *err);
    /* The values have been replaced. */
    void (*reloaded)(struct daemon *d);
    /* Asked to stop: call service_leave() when done. NULL: at once. Comes once
     * more when first the program and then, with d->goodbye, all stops. */
    void (*stopping)(struct daemon *d);
};

/* Waiting for service_join(); part of the caller's struct. */
struct join {
    void (*done)(struct join *j, int fd, const char *why);
    struct list link;
    uint32_t ticket;
};

struct daemon {
    const struct service *service;
    const char *instance; /* the name in master.cf: "smtp", "submission" */
    unsigned slot;        /* 0..4095, no other process of ours has it */
    uint64_t id_base;     /* no queue id was made after this, microseconds */
    uint64_t id_mono;     /* clock_mono_us() when that was true */
    uint64_t life;        /* of master: none of its other starts has this */
    struct config *config;
    int root;             /* the root directory, or -1 */
    bool rooted;          /* it is also what "/" means (not in user mode) */
    uid_t uid;            /* our own; in user mode the suite's owner */
    int listeners[SERVICE_LISTENERS_MAX];
    size_t n_listeners;
    struct loop loop;     /* not of straight-line programs */

    unsigned walls;       /* those that stand: enum wall */
    bool goodbye;         /* all stops: send the client away between two of its
                             commands */

    /* Private to lib/service. */
    struct sandbox_rule *extra; /* ended by a NULL path */
    size_t n_extra;
    struct peer control;
    struct ipc control_line;
    struct watch accepting, hearing;
    struct list joins;
    struct list peers;
    uint32_t next_ticket;
    void *next_conf;
    struct config *next_config;
    char **overrides;
    size_t n_overrides;
    bool has_channel;     /* FD_ACCEPT is open */
    bool stop, look;      /* what master asked for */
};

/* Be the daemon `s`; returns the exit code for main(). */
int service_main(const struct service *s, int argc, char **argv);

/* From `prepare`: in the jail, allow `access` (enum sandbox_access) below the
 * absolute `path`, which is copied. For what only the configuration names;
 * what is known beforehand stands in the descriptor. */
void service_allow(struct daemon *d, const char *path, unsigned access);

/* --- for straight-line programs ---------------------------------------- */

/* Take no client after this one, so that a fresh process takes our place. */
void service_last_client(struct daemon *d);

/* To be woken for d->goodbye: a descriptor that can be read when master says
 * something, and, when it can, take that. */
int service_wake_fd(const struct daemon *d);
void service_hear(struct daemon *d);

/* Join a program of `service`, by its name in master.cf (for `account`, or
 * ""), waiting for master's answer, and make `out` a channel to it with that
 * time-out. */
int service_connect(struct daemon *d, const char *service, const char *account,
                    unsigned timeout_ms, struct ipc *out, struct error *err);

/* The same for what can be done without: wait at most `wait_ms` for master,
 * and as long at most for each later send or receive. */
int service_connect_soon(struct daemon *d, const char *service,
                         unsigned wait_ms, struct ipc *out,
                         struct error *err);

/* Ask over a line that is kept from client to client, joining the service
 * when it is not joined. A line whose other end has gone is joined anew, once;
 * so the question may come twice. On error the line is released. */
int service_call(struct daemon *d, const char *service, unsigned timeout_ms,
                 struct ipc *line, const struct ipc_type *ask,
                 const void *request, const struct ipc_type *answer,
                 void *reply, struct error *err);

/* --- for event loop programs ------------------------------------------- */

/* The same without waiting: j->done is called with a descriptor (the
 * callee's) or -1 and the reason. */
void service_join(struct daemon *d, const char *service, const char *account,
                  struct join *j);

/* Forget a join that was not answered yet; harmless otherwise. */
void service_join_cancel(struct join *j);

/* Let peers in that wait for a program that waits_for_files; harmless when
 * they are. */
void service_accept(struct daemon *d);

/* End the process in good order, at the end of this turn. */
void service_leave(struct daemon *d);

/* Say something to master (authd only needs this). */
void service_tell_master(struct daemon *d, const struct ipc_type *type,
                         const void *msg);

#endif
