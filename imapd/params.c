/* SPDX-License-Identifier: BSD-2-Clause */
#include "imapd/imapd.h"

const struct param imapd_params[] = {
    PARAM_TEXT(imapd_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_UINT(imapd_conf, imap_max_bad_commands, "20", "1", "1000",
        "after this many senseless commands an IMAP session is closed"),
    PARAM_TIME(imapd_conf, imap_idle_timeout, "30m", "30m", "1d",
        "how long an IMAP client may say nothing; RFC 3501 asks for 30 "
        "minutes"),
    PARAM_TIME(imapd_conf, imap_idle_poll, "30s", "1s", "1h",
        "how often an idling session looks for changes that nobody told it"),
    PARAM_SIZE(imapd_conf, imap_line_length, "64k", "8k", "10M",
        "the longest IMAP command with its literals, but for an appended "
        "message"),
    PARAM_SIZE(imapd_conf, message_size_limit, "10240000", "1024", "1000G",
        "the largest message that is taken, in bytes"),
    PARAM_TIME(imapd_conf, imap_lock_timeout, "10s", "1s", "5m",
        "how long to wait for a mailbox that another program changes"),
    PARAM_UINT(imapd_conf, imap_search_depth, "100", "10", "1000",
        "the most levels of parentheses, NOT and OR in a SEARCH"),
    PARAM_END
};
