/* SPDX-License-Identifier: BSD-2-Clause */
#include "pop3d/pop3d.h"

const struct param pop3d_params[] = {
    PARAM_TEXT(pop3d_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TIME(pop3d_conf, pop3_timeout, "10m", "1s", "1d",
        "how long a POP3 session may be silent (RFC 1939 wants at least ten "
        "minutes)"),
    PARAM_TIME(pop3d_conf, index_lock_timeout, "30s", "1s", "10m",
        "how long a session waits for another one that writes to the same "
        "account's index"),
    PARAM_UINT(pop3d_conf, pop3_bad_command_limit, "20", "1", "1000",
        "after this many senseless commands the session is closed"),
    PARAM_BOOL(pop3d_conf, pop3_no_flag_updates, "no",
        "do not mark messages as seen that were fetched by POP3"),
    PARAM_END
};
