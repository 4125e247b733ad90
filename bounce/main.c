/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce - tells senders what became of their mail (RFC 3464).
 *
 * Privileges: none. Own user, empty root, no network; it reads the message
 *             through the descriptor that qmgr hands it.
 * Peers:      qmgr (requests); cleanup (the notification), which it joins.
 * State:      none: a notification is built in memory and is durable in the
 *             queue before qmgr hears of it.
 */
#include "bounce/bounce.h"

static const struct service bounce_service = {
    .name = "bounce",
    .params = bounce_params,
    .conf = &bounce_conf,
    .conf_size = sizeof bounce_conf,
    .sandbox = { .promises = PROMISE_MEMFD, .rules = NULL },
    .serve = bounce_serve,
};

int main(int argc, char **argv)
{
    return service_main(&bounce_service, argc, argv);
}
