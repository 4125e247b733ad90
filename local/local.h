/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local.h - one delivery after the other, for one tenant.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "proto/delivery.h"
#include "service/service.h"

struct local_conf {
    char *myhostname;
    unsigned ipc_timeout; /* seconds */
};

extern struct local_conf local_conf;
extern const struct param local_params[];

/* Before the jail. */
void local_prepare(struct daemon *d);

/* Serve qmgr's deliveries until it hangs up. */
void local_serve(struct daemon *d, struct client *c);

/* Tell who has the account's INBOX open that a message came. Best effort: it
 * waits for 100 ms at most, and where notify is away it is not asked again
 * for some seconds; open sessions look for themselves then (tell.c). */
void local_tell(struct daemon *d, struct view account);

#endif
