/* SPDX-License-Identifier: BSD-2-Clause */
#include "keyd/keyd.h"

const struct param keyd_params[] = {
    PARAM_TEXT(keyd_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_END
};
