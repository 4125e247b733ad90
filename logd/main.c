/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logd - the only program that writes log lines.
 *
 * Privileges: none. Own user, empty root, no network, opens nothing: the log
 *             file arrives as a descriptor from master.
 * Peers:      every program, each over the line of its service, which says
 *             its name; the kernel says its process id. postlog(1), over
 *             public/log, for root alone.
 * State:      none.
 */
#include "logd/logd.h"

static const struct service logd = {
    .name = "logd",
    .params = logd_params,
    .conf = &logd_conf,
    .conf_size = sizeof logd_conf,
    .sandbox = { .promises = PROMISE_ACCEPT, .rules = NULL },
    .prepare = logd_prepare,
    .start = logd_start,
    .file = logd_file,
    .master_rules = logd_master_rules,
    .reloaded = logd_reloaded,
    .stopping = logd_stopping,
};

int main(int argc, char **argv)
{
    return service_main(&logd, argc, argv);
}
