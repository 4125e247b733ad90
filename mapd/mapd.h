/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapd.h - the pieces of the lookup daemon.
 *
 *     serve.c    questions in, answers out
 *     resolve.c  which class an address is of, and its route
 *     expand.c   what an address stands for in the end
 */
#ifndef MAPD_MAPD_H
#define MAPD_MAPD_H

#include "proto/directory.h"
#include "proto/resolve.h"
#include "service/service.h"

struct mapd_conf {
    char *relay_domains, *relayhost;
    char *virtual_transport, *relay_transport, *default_transport;
    unsigned virtual_alias_recursion_limit, virtual_alias_expansion_limit;
    unsigned ipc_timeout; /* seconds */
};

extern struct mapd_conf mapd_conf;
extern const struct param mapd_params[];

/* What a client's questions need. */
struct lookup {
    struct daemon *daemon;
    struct ipc *client;
    struct ipc authd; /* joined when first needed */
};

void mapd_serve(struct daemon *d, struct client *c);

/* Ask authd; the answer's texts live until the next question to it. A failure
 * is an answer too: DIRECTORY_LATER. */
void lookup_directory(struct lookup *l, struct view address,
                      struct directory_answer *a);

/* Where does an address go? Texts as above, or constant, or the address's. */
void resolve(struct lookup *l, struct view address, struct resolve_answer *r);

/* Send what an address stands for; -1 when the client is gone. */
int expand(struct lookup *l, struct view address, struct error *err);

#endif
