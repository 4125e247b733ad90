/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapd - answers every table lookup and says where addresses go; the only
 * program that opens tables.
 *
 * Privileges: none. Own user, no network. Its tables are opened before the
 *             jail, read-only; it sees no other file.
 * Peers:      cleanup, smtpd, qmgr and smtp (questions); authd, which it joins
 *             for everything that concerns our own accounts.
 * State:      none.
 */
#include "mapd/mapd.h"

static const struct service mapd_service = {
    .name = "mapd",
    .params = mapd_params,
    .conf = &mapd_conf,
    .conf_size = sizeof mapd_conf,
    .sandbox = { .promises = 0, .rules = NULL },
    .serve = mapd_serve,
};

int main(int argc, char **argv)
{
    return service_main(&mapd_service, argc, argv);
}
