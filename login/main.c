/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login - IMAP and POP3 until it is known who the client is; TLS; and then a
 * relay between the client and its session.
 *
 * Privileges: none. Own user, empty root, no network but the connections it
 *             accepted, no file. It sees passwords (and wipes them), never a
 *             hash, a key or a message that is not passing through.
 * Peers:      authd (who is this?), keyd (TLS signatures). Sessions are
 *             started by master, at authd's word alone.
 * State:      none. At a reload it takes no more clients and ends with its
 *             last one.
 */
#include "login/login.h"

static const struct service login_service = {
    .name = "login",
    .params = login_params,
    .conf = &login_conf,
    .conf_size = sizeof login_conf,
    .sandbox = { .promises = PROMISE_ACCEPT | PROMISE_PAIR, .rules = NULL },
    .prepare = login_prepare,
    .start = login_start,
    .stopping = login_stopping,
};

int main(int argc, char **argv)
{
    return service_main(&login_service, argc, argv);
}
