/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsd - the only program that speaks DNS.
 *
 * Privileges: none. Own user, empty root; it may make Internet sockets.
 *             /etc/resolv.conf is read before the jail.
 * Peers:      smtp and smtpd (questions).
 * State:      none; caching is the resolver's work.
 */
#include "dnsd/dnsd.h"

static const struct service dnsd_service = {
    .name = "dnsd",
    .params = dnsd_params,
    .conf = &dnsd_conf,
    .conf_size = sizeof dnsd_conf,
    .sandbox = { .promises = PROMISE_INET, .rules = NULL },
    .prepare = dnsd_prepare,
    .rules = dnsd_rules,
    .peer_size = sizeof(struct dns_peer),
    .joined = dnsd_joined,
    .parted = dnsd_parted,
    .start = dnsd_start,
};

int main(int argc, char **argv)
{
    return service_main(&dnsd_service, argc, argv);
}
