/* SPDX-License-Identifier: BSD-2-Clause */
#include "qmgr/qmgr.h"

const struct param qmgr_params[] = {
    PARAM_TIME(qmgr_conf, minimal_backoff_time, "300s", "1s", "7d",
        "wait at least this long between two attempts to deliver a message"),
    PARAM_TIME(qmgr_conf, maximal_backoff_time, "4000s", "1s", "7d",
        "wait at most this long between two attempts to deliver a message"),
    PARAM_TIME(qmgr_conf, maximal_queue_lifetime, "5d", "0", "100d",
        "return a message that could not be delivered for this long to its "
        "sender"),
    PARAM_TIME(qmgr_conf, bounce_queue_lifetime, "5d", "0", "100d",
        "the same for a message that is a notification itself; it is then "
        "removed"),
    PARAM_TIME(qmgr_conf, delay_warning_time, "0h", "0", "100d",
        "tell the sender once that a message is late after this long; 0: "
        "never"),
    PARAM_TIME(qmgr_conf, queue_run_delay, "300s", "1s", "1d",
        "look for messages that nobody told us of this often"),
    PARAM_UINT(qmgr_conf, qmgr_message_active_limit, "20000", "1", "1000000",
        "how many messages are being delivered at a time"),
    PARAM_UINT(qmgr_conf, default_destination_concurrency_limit, "20", "1",
        "10000",
        "how many deliveries to one destination run at a time"),
    PARAM_UINT(qmgr_conf, local_destination_concurrency_limit, "20", "1",
        "10000",
        "the same for the mailboxes of one domain"),
    PARAM_UINT(qmgr_conf, default_destination_recipient_limit, "50", "1",
        "50000",
        "how many recipients of a message one delivery has"),
    PARAM_UINT(qmgr_conf, default_process_limit, "100", "1", "10000",
        "the most processes of one service, where master.cf says -"),
    PARAM_TIME(qmgr_conf, daemon_timeout, "18000s", "10s", "7d",
        "take a delivery that lasts longer than this for lost"),
    PARAM_TIME(qmgr_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
