/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapd - answers every table lookup and says where addresses go; the only
 * program that opens tables.
 *
 * Privileges: none. Own user, no network. It may read, and open anew when
 *             they change, the directories that hold the tables of main.cf
 *             (maps.c); it sees no other file and writes none.
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
    .sandbox = { .promises = PROMISE_READ | PROMISE_TABLES, .rules = NULL },
    .prepare = mapd_prepare,
    .answer = mapd_answer,
    .ended = mapd_ended,
};

int main(int argc, char **argv)
{
    return service_main(&mapd_service, argc, argv);
}
