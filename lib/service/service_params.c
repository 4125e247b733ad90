/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/service_params.h"

const struct param service_params[] = {
    PARAM_BOOL(service_conf, sandbox_required, "yes",
        "refuse to start a daemon that cannot get all its walls"),
    PARAM_TEXT(service_conf, sandbox_walls,
        "root landlock seccomp network uid",
        "the walls around each daemon; leaving one out is for tests and "
        "needs sandbox_required = no"),
    PARAM_TIME(service_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_UINT(service_conf, max_use, "100", "1", "1000000",
        "how many unauthenticated clients one process serves, one after the "
        "other, before a fresh process takes its place"),
    PARAM_END
};
