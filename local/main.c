/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local - delivers to the mailboxes of one tenant.
 *
 * Privileges: none. The tenant's own uid, rooted in the tenant's part of the
 *             mail store, no network. Reads messages through the descriptor
 *             that qmgr hands it.
 * Peers:      qmgr (deliveries).
 * State:      the mailboxes.
 */
#include "local/local.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
               SANDBOX_MKDIR },
    { NULL, 0 },
};

static const struct service local_service = {
    .name = "local",
    .params = local_params,
    .conf = &local_conf,
    .conf_size = sizeof local_conf,
    .sandbox = { .promises = PROMISE_READ | PROMISE_CREATE | PROMISE_CHANGE |
                             PROMISE_MAP,
                 .rules = rules },
    .prepare = local_prepare,
    .serve = local_serve,
};

int main(int argc, char **argv)
{
    return service_main(&local_service, argc, argv);
}
