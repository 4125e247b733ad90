/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapd.h - the pieces of the lookup daemon.
 *
 *     serve.c      questions in, answers out
 *     maps.c       the tables of each parameter, opened and opened anew
 *     domains.c    lists of domains, some of which are in tables (domains.h)
 *     directory.c  what authd knows, also as the table "directory:"
 *     route.c      transport:nexthop, and transport_maps
 *     resolve.c    which class an address is of, and its route
 *     targets.c    the addresses that an alias names
 *     expand.c     what an address stands for in the end
 *
 * Errors:   a function that returns -1 could not ask a table or authd: the
 *           mail must wait. "Unknown" is only what all of them have said.
 * Blocking: everything may wait for the disk, and for authd.
 */
#ifndef MAPD_MAPD_H
#define MAPD_MAPD_H

#include "mapd/domains.h"
#include "proto/directory.h"
#include "proto/resolve.h"
#include "service/service.h"
#include "table/table_address.h"

struct mapd_conf {
    char *myorigin, *mydestination, *relayhost, *recipient_delimiter;
    char *propagate_unmatched_extensions;
    char *virtual_alias_maps, *virtual_alias_domains;
    char *virtual_mailbox_maps, *virtual_mailbox_domains;
    char *alias_maps, *alias_database, *local_recipient_maps;
    char *relay_domains, *relay_recipient_maps, *transport_maps;
    char *local_transport, *virtual_transport;
    char *relay_transport, *default_transport;
    char *smtp_tls_policy_maps, *smtp_sasl_password_maps;
    char *smtpd_sender_login_maps;
    unsigned virtual_alias_recursion_limit, virtual_alias_expansion_limit;
    unsigned ipc_timeout, directory_timeout; /* seconds */
};

extern struct mapd_conf mapd_conf;
extern const struct param mapd_params[];

/* The parameters whose values are tables, or lists of domains. */
enum maps_name {
    MAPS_VIRTUAL_ALIAS,
    MAPS_VIRTUAL_MAILBOX,
    MAPS_ALIAS,
    MAPS_LOCAL_RECIPIENT,
    MAPS_RELAY_RECIPIENT,
    MAPS_TRANSPORT,
    MAPS_TLS_POLICY,
    MAPS_SASL_PASSWORD,
    MAPS_SENDER_LOGIN,
    MAPS_MYDESTINATION, /* from here on: lists of domains */
    MAPS_VIRTUAL_ALIAS_DOMAINS,
    MAPS_VIRTUAL_MAILBOX_DOMAINS,
    MAPS_RELAY_DOMAINS,
    MAPS_COUNT,
};

/* One parameter's; neither is there while it cannot be opened. */
struct maps {
    struct table_list *tables;
    struct domains *domains;
    bool stale; /* we said that it is older than its source */
};

/* What authd said last, kept while one question is answered. */
struct found {
    struct buf asked; /* the address; empty: nothing */
    struct buf tenant, account, targets;
    struct directory_answer answer; /* its texts point into these */
};

/* The one context. */
struct lookup {
    struct daemon *daemon;
    struct ipc *client;
    const char *role; /* the client's */
    struct ipc authd; /* joined when first needed */
    bool authd_owes;  /* an answer that came too late for its question */
    struct maps maps[MAPS_COUNT];
    struct found found;
    struct view address; /* the one that is looked at */
    struct buf value, route; /* what tables said of it */
};

/* What main.c names: service.h says when each is called. */
void mapd_prepare(struct daemon *d);
void mapd_ended(struct daemon *d);
int mapd_answer(struct daemon *d, const struct client *c, struct ipc *line,
                struct ipc_packet *p, struct error *err);

/* --- maps.c ------------------------------------------------------------ */

/* Before the jail: open all tables, and let the jail open them anew. What
 * cannot be opened is tried again when it is needed. */
void maps_prepare(struct lookup *l);

/* Look `key` up in one parameter's tables; as table_list_lookup(). */
int maps_lookup(struct lookup *l, enum maps_name name, struct view key,
                enum table_part part, struct buf *out, struct error *err);

/* Look an address up by its parts: virtual(5)'s, aliases(5)'s or
 * transport(5)'s order of keys. `extension` as table_address.h has it. */
enum maps_order { MAPS_REWRITE, MAPS_ALIASES, MAPS_TRANSPORTS };
int maps_address(struct lookup *l, enum maps_name name, enum maps_order order,
                 struct view address, struct view *extension, struct buf *out,
                 struct error *err);

/* Is `domain` in one parameter's list: 1, 0, -1. */
int maps_has_domain(struct lookup *l, enum maps_name name,
                    struct view domain, struct error *err);

/* Does the parameter name any table at all? */
bool maps_is_set(const struct lookup *l, enum maps_name name);

/* Close all. */
void maps_release(struct lookup *l);

/* Answer a client's own question, if its role may ask for that parameter. */
int maps_ask(struct lookup *l, const struct map_ask *ask,
             struct map_answer *answer, struct error *err);

/* --- directory.c ------------------------------------------------------- */

/* Ask authd; the answer's texts live until another address is asked for. A
 * failure is an answer too: DIRECTORY_LATER. */
const struct directory_answer *directory_ask(struct lookup *l,
                                             struct view address);

/* Forget the last answer: a new question begins. */
void directory_forget(struct lookup *l);

/* The table "directory:": keys "user@domain", whose value is the account (or
 * the address, when it is but an alias), and "domain". */
extern const struct table_type directory_type;

/* --- route.c ----------------------------------------------------------- */

/* Set the route from "transport:nexthop". Without a transport that of `r`
 * stays; without a next hop it is `otherwise`. */
int route_set(struct lookup *l, struct view value, struct view otherwise,
              struct resolve_answer *r, struct error *err);

/* What transport_maps says of the address, put over the route of `r`. */
int route_override(struct lookup *l, struct view address,
                   struct resolve_answer *r, struct error *err);

/* --- resolve.c --------------------------------------------------------- */

/* Where does an address go? Texts live until the next question. */
void resolve(struct lookup *l, struct view address, struct resolve_answer *r);

/* The same for an address that virtual_alias_maps has nothing to say of, or
 * said all; with `skip_aliases` neither has alias_maps. */
void resolve_final(struct lookup *l, struct view address, bool skip_aliases,
                   struct resolve_answer *r);

/* Ask virtual_alias_maps, and for an address of $mydestination alias_maps: 1
 * with the value appended to `out`, 0, -1. */
int resolve_virtual_alias(struct lookup *l, struct view address,
                          struct view *extension, struct buf *out,
                          struct error *err);
int resolve_local_alias(struct lookup *l, struct view address,
                        struct view *extension, struct buf *out,
                        struct error *err);

/* Make `r` an answer that mail must wait, and log why. */
void resolve_later(struct view address, const struct error *why,
                   struct resolve_answer *r);

/* --- targets.c --------------------------------------------------------- */

/* Read the addresses that `values`, of an alias for `address`, names, and
 * call `fn` with each in canonical form: with a domain, and with `extension`
 * put in. A command, a file or an :include: is an error (FAIL_PERM), and so
 * is text that is no address. False from `fn` ends it. */
int targets_each(struct view values, struct view address,
                 struct view extension,
                 bool (*fn)(struct view target, void *arg), void *arg,
                 struct error *err);

/* --- expand.c ---------------------------------------------------------- */

/* Send what an address stands for; -1 when the client is gone. */
int expand(struct lookup *l, struct view address, struct error *err);

#endif
