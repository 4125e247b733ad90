/* SPDX-License-Identifier: BSD-2-Clause */
#include "local/local.h"

const struct param local_params[] = {
    PARAM_TEXT(local_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TIME(local_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
