/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd.h - the directory daemon's pieces.
 *
 *     database.c   the SQLite file and its statements (database.h)
 *     directory.c  what mapd and master ask
 *     accounts.c   what the postern command changes
 *     auth.c       SASL exchanges
 *     auth_scram.c those of SCRAM
 *     delay.c      what failures cost
 *     worker.c     processes that compute hashes
 */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "authd/database.h"
#include "base/map.h"
#include "proto/auth.h"
#include "proto/directory.h"
#include "sasl/scram.h"
#include "service/service.h"

struct authd_conf {
    char *data_directory, *recipient_delimiter, *auth_mechanisms;
    unsigned tenant_uid_base, auth_worker_processes;
    unsigned auth_failure_delay, auth_failure_delay_max; /* seconds */
    unsigned auth_failure_memory, auth_success_memory;
    unsigned scram_iterations;
};

extern struct authd_conf authd_conf;
extern const struct param authd_params[];
extern const struct ipc_rule authd_rules[], authd_master_rules[];

/* What main.c names: service.h says when each is called. */
void authd_prepare(struct daemon *d);
void authd_start(struct daemon *d);

/* --- directory.c ------------------------------------------------------- */

/* Put an address into the form the database has: lower case, and without an
 * extension when that is how it is found. */
void directory_fold(struct buf *out, struct view address);

/* Find the account that "user+ext@domain" is, the whole name first. */
int directory_account(struct view address, struct account *a,
                      struct error *err);

/* Of rules: the questions of proto/directory.h. */
void on_directory_ask(struct peer *p, const void *msg);
void on_sender_ask(struct peer *p, const void *msg);
void on_whereis(struct peer *p, const void *msg);

/* --- accounts.c -------------------------------------------------------- */

/* Take the postern command's connections from the listener. */
void accounts_start(struct daemon *d);

/* --- worker.c ---------------------------------------------------------- */

struct work {
    struct list link;
    /* `ok` for a check: the password is right; for a hash: it was made. What
     * was made is in `made`, which is wiped after the call. */
    void (*done)(struct work *w, bool ok, const struct secret *made);
};

/* Start the processes; before the jail. */
void workers_prepare(void);
void workers_start(struct daemon *d);

/* Compare a password with a hash ("" for an account that is not there: it
 * takes as long and is wrong), or make a hash. SCRAM keys are made of a right
 * one if `want_keys`, and with each hash if SCRAM is offered. `w` is part of
 * the caller's struct. */
void work_check(struct work *w, struct view password, const char *hash,
                bool want_keys);
void work_hash(struct work *w, struct view password);

/* The answer is not wanted any more. */
void work_cancel(struct work *w);

/* --- auth.c and auth_scram.c: exchanges -------------------------------- */

enum step {
    PLAIN_MESSAGE,  /* waiting for the one message of PLAIN */
    LOGIN_NAME,     /* waiting for the two of LOGIN */
    LOGIN_PASSWORD,
    SCRAM_FIRST,    /* waiting for the three of SCRAM; the last is empty */
    SCRAM_FINAL,
    SCRAM_END,
    CHECKING,       /* a worker compares */
    HELD,           /* not looked at yet, for the failures before it */
    WAITING,        /* it was wrong; the answer is late on purpose */
};

struct exchange {
    struct list link;
    struct auth_peer *owner;
    struct daemon *daemon;
    uint32_t ticket;
    enum step step;
    char service[33], mechanism[33], client[65], session[33], role[33];
    char name[321];      /* as claimed */
    struct account account;
    bool found, is_tried;
    int session_fd;      /* or -1 */
    struct work work;
    struct timer delay;
    enum auth_result result;
    struct buf held;     /* the message that is to be looked at; wiped */
    void (*look)(struct exchange *x, struct view message);
    struct scram scram;
    struct scram_keys keys;
    struct buf exporter, endpoint; /* what TLS offers to bind to */
    bool plus_offered;
};

/* Is SCRAM among auth_mechanisms, so that keys are worth making? */
bool auth_wants_keys(void);

/* Keep the claimed name; false when it can be nobody's. */
bool exchange_take_name(struct exchange *x, struct view name);

/* Send a challenge. */
void exchange_challenge(struct exchange *x, struct view data);

/* The account is known: look at the message that proves it, now or when the
 * failures before allow it; or end the exchange when they don't. */
void exchange_prove(struct exchange *x, struct view message,
                    void (*look)(struct exchange *x, struct view message));

/* End it, and tell; or first wait, because it was wrong. */
void exchange_finish(struct exchange *x, enum auth_result result);
void exchange_fail(struct exchange *x, const char *why);

/* The three messages of the client. */
void scram_exchange_begin(struct exchange *x, const struct auth_begin *b);
void scram_exchange_step(struct exchange *x, struct view data);

/* --- auth.c ------------------------------------------------------------ */

struct auth_peer {
    struct peer peer;
    struct list link;
    struct list exchanges;
    char account[321]; /* who proved itself over it last; "": nobody */
};

/* A client of proto/auth.h came; it went; and, of rules, what it says. */
void auth_joined(struct daemon *d, struct peer *p, const struct stamp *s);
void auth_parted(struct daemon *d, struct peer *p);
void on_proof_ask(struct peer *p, const void *msg);
void on_auth_begin(struct peer *p, const void *msg);
void on_auth_response(struct peer *p, const void *msg);
void on_auth_cancel(struct peer *p, const void *msg);

#endif
