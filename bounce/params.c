/* SPDX-License-Identifier: BSD-2-Clause */
#include "bounce/bounce.h"

const struct param bounce_params[] = {
    PARAM_TEXT(bounce_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TEXT(bounce_conf, mail_name, "Postern",
        "the name in the banner and in Received headers"),
    PARAM_TEXT(bounce_conf, cleanup_service_name, "cleanup",
        "the service that puts messages into the queue"),
    PARAM_SIZE(bounce_conf, bounce_size_limit, "50000", "1024", "500000",
        "return at most this much of a message; of a larger one only the "
        "header"),
    PARAM_TIME(bounce_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
