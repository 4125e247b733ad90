/* SPDX-License-Identifier: BSD-2-Clause */
#include "authd/authd.h"

const struct param authd_params[] = {
    PARAM_TEXT_RESTART(authd_conf, data_directory, "/var/lib/postern",
        "where the accounts' database is"),
    PARAM_UINT_RESTART(authd_conf, tenant_uid_base, "1879048192", "1000",
        "4000000000",
        "the first of the range of user ids that tenants' mail is kept "
        "under, one a tenant, never used again"),
    PARAM_TEXT(authd_conf, recipient_delimiter, "",
        "the characters that part an account's name from an extension: with "
        "+, user+ext@domain is delivered to user@domain"),
    PARAM_UINT_RESTART(authd_conf, auth_worker_processes, "0", "0", "64",
        "how many processes compute password hashes; 0: one for each two "
        "cores"),
    PARAM_TIME(authd_conf, auth_failure_delay, "2s", "0", "1m",
        "answer a wrong password this late, twice as late for each further "
        "failure of the account or the address, and look at no other try of "
        "it meanwhile"),
    PARAM_TIME(authd_conf, auth_failure_delay_max, "15s", "0", "5m",
        "but never later than this; a try that would have to wait longer is "
        "refused unseen"),
    PARAM_TIME(authd_conf, auth_failure_memory, "10m", "1s", "1d",
        "forget an account's or an address's failures after this long "
        "without one"),
    PARAM_TIME(authd_conf, auth_success_memory, "30d", "0", "365d",
        "who logged in from an address is not slowed down by the failures of "
        "others for this long"),
    PARAM_TEXT(authd_conf, auth_mechanisms,
        "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
        "the SASL mechanisms that are taken; without SCRAM's no SCRAM keys "
        "are made and kept"),
    PARAM_UINT_RESTART(authd_conf, scram_iterations, "65536", "4096",
        "10000000",
        "how much work SCRAM asks of a client, and of who steals the keys"),
    PARAM_END
};
