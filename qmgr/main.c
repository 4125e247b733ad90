/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmgr - owns the queue: picks the next delivery and who makes it.
 *
 * Privileges: none. The queue's user, rooted in the queue directory, no
 *             network, no exec. Reads, renames and removes messages, appends
 *             to them; makes none.
 * Peers:      cleanup (new mail); local, smtp (deliveries), bounce
 *             (notifications), mapd (routes), which it joins itself; commands
 *             over public/qmgr and public/showq, known by SO_PEERCRED.
 * State:      the queue directory; memory is rebuilt from it at start.
 */
#include "qmgr/qmgr.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
               SANDBOX_REMOVE | SANDBOX_MOVE },
    { NULL, 0 },
};

static const struct service qmgr_service = {
    .name = "qmgr",
    .params = qmgr_params,
    .conf = &qmgr_conf,
    .conf_size = sizeof qmgr_conf,
    .sandbox = { .promises = PROMISE_ACCEPT | PROMISE_READ | PROMISE_CHANGE,
                 .rules = rules },
    .prepare = qmgr_prepare,
    .rules = qmgr_peer_rules,
    .parted = qmgr_parted,
    .start = qmgr_start,
    .reloaded = qmgr_reloaded,
    .stopping = qmgr_stopping,
};

int main(int argc, char **argv)
{
    return service_main(&qmgr_service, argc, argv);
}
