/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pop3d - one POP3 session of one account, after its login (RFC 1939).
 *
 * Privileges: none. The tenant's uid, rooted in the account's directory, no
 *             network but the stream that login relays.
 * Peers:      notify, which it tells of what it deleted.
 * State:      the mailbox.
 */
#include "pop3d/pop3d.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
               SANDBOX_MKDIR | SANDBOX_REMOVE | SANDBOX_MOVE },
    { NULL, 0 },
};

static const struct service pop3d_service = {
    .name = "pop3d",
    .params = pop3d_params,
    .conf = &pop3d_conf,
    .conf_size = sizeof pop3d_conf,
    .sandbox = { .promises = PROMISE_READ | PROMISE_CREATE | PROMISE_CHANGE |
                             PROMISE_MAP,
                 .rules = rules },
    .prepare = pop3d_prepare,
    .serve = pop3d_serve,
};

int main(int argc, char **argv)
{
    return service_main(&pop3d_service, argc, argv);
}
