/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtpd - the SMTP server: one client at a time, in straight-line code.
 *
 * Privileges: none. Own user, empty root, no network but the connection it
 *             accepted. Hostile input is parsed here and nowhere else.
 * Peers:      cleanup (the message), mapd (is this ours?), authd (who is
 *             this?), dnsd (the client's name), keyd (TLS signatures).
 * State:      none.
 */
#include "smtpd/smtpd.h"

static const struct service smtpd_service = {
    .name = "smtpd",
    .params = smtpd_params,
    .conf = &smtpd_conf,
    .conf_size = sizeof smtpd_conf,
    .sandbox = { .promises = PROMISE_ACCEPT | PROMISE_MEMFD, .rules = NULL },
    .prepare = smtpd_prepare,
    .serve = smtpd_serve,
    .rest = smtpd_rest,
};

int main(int argc, char **argv)
{
    return service_main(&smtpd_service, argc, argv);
}
