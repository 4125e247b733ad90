/* SPDX-License-Identifier: BSD-2-Clause */
#include "logd/logd.h"

const struct param logd_params[] = {
    PARAM_TEXT(logd_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_CHOICE(logd_conf, log_time_format, "bsd", "bsd iso",
        "how a log line's time is written: \"Nov 23 14:00:00\", or RFC 3339 "
        "with microseconds"),
    PARAM_CHOICE(logd_conf, syslog_facility, "mail",
        "mail daemon user local0 local1 local2 local3 local4 local5 local6 "
        "local7",
        "the facility of lines that go to the system's logger"),
    PARAM_END
};
