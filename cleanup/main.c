/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cleanup - completes a message and puts it into the queue.
 *
 * Privileges: none. The queue's user, rooted in incoming/ alone, where it may
 *             make files but not read, rename or remove them; no network.
 * Peers:      smtpd and bounce (messages); mapd (expansion), authd (did that
 *             account log in there?) and qmgr (news), which it joins itself.
 * State:      none; a message is in memory or in a nameless file until it is
 *             durable.
 */
#include "cleanup/cleanup.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_WRITE | SANDBOX_MAKE },
    { NULL, 0 },
};

static const struct service cleanup_service = {
    .name = "cleanup",
    .params = cleanup_params,
    .conf = &cleanup_conf,
    .conf_size = sizeof cleanup_conf,
    .sandbox = { .promises = PROMISE_CREATE | PROMISE_MEMFD, .rules = rules },
    .prepare = cleanup_prepare,
    .serve = cleanup_serve,
};

int main(int argc, char **argv)
{
    return service_main(&cleanup_service, argc, argv);
}
