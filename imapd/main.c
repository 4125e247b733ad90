/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imapd - one IMAP session of one account, whose client login has made known.
 *
 * Privileges: none. The tenant's own uid, rooted in the account's directory,
 *             no network: bytes come and go through login.
 * Peers:      notify (changes of mailboxes, told and heard).
 * State:      the mailboxes and their index.
 */
#include "imapd/imapd.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
               SANDBOX_MKDIR | SANDBOX_REMOVE | SANDBOX_MOVE },
    { NULL, 0 },
};

static const struct service imapd_service = {
    .name = "imapd",
    .params = imapd_params,
    .conf = &imapd_conf,
    .conf_size = sizeof imapd_conf,
    .sandbox = { .promises = PROMISE_MEMFD | PROMISE_READ | PROMISE_CREATE |
                             PROMISE_CHANGE | PROMISE_MAP,
                 .rules = rules },
    .prepare = imapd_prepare,
    .serve = imapd_serve,
};

int main(int argc, char **argv)
{
    return service_main(&imapd_service, argc, argv);
}
