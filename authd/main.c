/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd - the directory of tenants, domains, accounts and aliases, and the
 * only program that holds password hashes.
 *
 * Privileges: none. Own user, rooted in the database's directory, no network.
 *             Hashing runs in worker processes of its own, which can do
 *             nothing but compute.
 * Peers:      mapd (lookups), smtpd and login (authentication), master
 *             (where is this account?), the postern command (changes).
 * State:      one SQLite file.
 */
#include "authd/authd.h"

static const struct sandbox_rule rules[] = {
    { ".", SANDBOX_READ | SANDBOX_LIST | SANDBOX_WRITE | SANDBOX_MAKE |
               SANDBOX_REMOVE },
    { NULL, 0 },
};

static const struct service authd_service = {
    .name = "authd",
    .params = authd_params,
    .conf = &authd_conf,
    .conf_size = sizeof authd_conf,
    .sandbox = { .promises = PROMISE_ACCEPT | PROMISE_DATABASE,
                 .rules = rules },
    .prepare = authd_prepare,
    .rules = authd_rules,
    .peer_size = sizeof(struct auth_peer),
    .joined = auth_joined,
    .parted = auth_parted,
    .start = authd_start,
    .master_rules = authd_master_rules,
};

int main(int argc, char **argv)
{
    return service_main(&authd_service, argc, argv);
}
