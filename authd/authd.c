/* SPDX-License-Identifier: BSD-2-Clause */
#include "authd/authd.h"

#include "base/log.h"

struct authd_conf authd_conf;

void authd_prepare(struct daemon *d)
{
    (void)d;
    workers_prepare();
}

void authd_start(struct daemon *d)
{
    struct error err;

    if (database_open(d, &err) < 0)
        log_fatal("%s", err.text);
    workers_start(d);
    accounts_start(d);
}

const struct ipc_rule authd_rules[] = {
    { &directory_ask_type, "mapd", on_directory_ask },
    { &sender_ask_type, "smtpd", on_sender_ask },
    { &proof_ask_type, "cleanup", on_proof_ask },
    { &auth_begin_type, "smtpd login", on_auth_begin },
    { &auth_response_type, "smtpd login", on_auth_response },
    { &auth_cancel_type, "smtpd login", on_auth_cancel },
    { NULL, NULL, NULL },
};

const struct ipc_rule authd_master_rules[] = {
    { &control_whereis_type, NULL, on_whereis },
    { NULL, NULL, NULL },
};
