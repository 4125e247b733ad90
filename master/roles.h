/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roles.h - what each program may be: its uid, its root, whom it may join.
 *
 * The one static table that master checks every request against. What a
 * program may do inside its jail stands in its own main.c.
 */
#ifndef MASTER_ROLES_H
#define MASTER_ROLES_H

#include <stdbool.h>

enum role_shape {
    ROLE_HUB,    /* one process with an event loop */
    ROLE_WORKER, /* a pool of processes, one client each at a time */
    ROLE_SHARED, /* `spare` processes, many clients each */
};

enum role_root {
    ROOT_EMPTY,    /* an empty, read-only directory */
    ROOT_QUEUE,    /* the queue directory */
    ROOT_INCOMING, /* its incoming/ alone */
    ROOT_DATA,     /* the accounts' database directory */
    ROOT_TENANT,   /* one tenant's mail */
    ROOT_ACCOUNT,  /* one account's mail */
    ROOT_HOST,     /* none: tables may stand anywhere; Landlock limits it */
};

enum role_per {
    PER_SERVICE, /* one pool a row of master.cf */
    PER_TENANT,  /* one pool a tenant, as the tenant's uid */
    PER_SESSION, /* one process an authenticated session */
};

struct role {
    const char *name;    /* the program */
    unsigned uid_offset; /* from role_uid_base; tenants' uids otherwise */
    enum role_shape shape;
    enum role_root root;
    enum role_per per;
    bool is_access;      /* logs as the access side, not the mail side */
    bool host_network;   /* else it lives in the empty network namespace */
    unsigned spare;      /* idle workers kept ready */
    const char *joins;   /* words: the roles it may join */
    const char *sockets; /* words: sockets in public/; "*": the row's name */
};

/* The role of the program `name`, or NULL. */
const struct role *role_find(const char *name);

/* May a program of role `r` join one of role `other`? */
bool role_may_join(const struct role *r, const struct role *other);

/* Does the list of words contain `word`? */
bool role_has_word(const char *words, const char *word);

/* Print the table, a line a role, for "postern hardening roles". */
void roles_print(void);

/* Walk the table; ends at a NULL name. */
extern const struct role roles[];

#endif
