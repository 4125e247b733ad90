/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyd - holds the private keys, and signs with them what may be signed.
 *
 * Privileges: none. Own user, empty root, no network, opens nothing: key files
 *             arrive as descriptors from master, at start and at reload.
 * Peers:      smtpd and login, for TLS handshakes.
 * State:      the keys, in memory.
 */
#include "keyd/keyd.h"

static const struct service keyd_service = {
    .name = "keyd",
    .params = keyd_params,
    .conf = &keyd_conf,
    .conf_size = sizeof keyd_conf,
    .sandbox = { .promises = 0, .rules = NULL },
    .prepare = keyd_prepare,
    .rules = keyd_rules,
    .file = keys_file,
    .waits_for_files = true,
};

int main(int argc, char **argv)
{
    return service_main(&keyd_service, argc, argv);
}
