/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtp - the SMTP client: delivers to other sites.
 *
 * Privileges: none. Own user, empty root; it may connect to the Internet and
 *             has no file but the message that qmgr hands it, to read.
 * Peers:      qmgr (deliveries); dnsd (where to), which it joins.
 * State:      none.
 */
#include "smtp/smtp.h"

static const struct service smtp_service = {
    .name = "smtp",
    .params = smtp_params,
    .conf = &smtp_conf,
    .conf_size = sizeof smtp_conf,
    .sandbox = { .promises = PROMISE_INET, .rules = NULL },
    .prepare = smtp_prepare,
    .serve = smtp_serve,
};

int main(int argc, char **argv)
{
    return service_main(&smtp_service, argc, argv);
}
