/* SPDX-License-Identifier: BSD-2-Clause */
#include "cleanup/cleanup.h"

const struct param cleanup_params[] = {
    PARAM_TEXT(cleanup_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_SIZE(cleanup_conf, message_size_limit, "10240000", "1024", "1000G",
        "the largest message that is taken, in bytes"),
    PARAM_SIZE(cleanup_conf, content_memory_limit, "1M", "64k", "64M",
        "content travels between programs in memory files of at most this "
        "size"),
    PARAM_SIZE(cleanup_conf, queue_minfree, "64M", "0", "1000G",
        "take no mail when the queue's file system has less free space"),
    PARAM_UINT(cleanup_conf, hopcount_limit, "50", "1", "1000",
        "a message with more Received or Delivered-To headers is in a loop"),
    PARAM_UINT(cleanup_conf, virtual_alias_expansion_limit, "1000", "1",
        "50000",
        "the most recipients that one recipient may stand for"),
    PARAM_SIZE(cleanup_conf, header_size_limit, "102400", "1024", "10M",
        "the most bytes of one header"),
    PARAM_TEXT(cleanup_conf, message_drop_headers,
        "bcc, content-length, resent-bcc, return-path",
        "fields that are taken out of the header of every message: they are "
        "not for its recipients, or not for its sender to say"),
    PARAM_BOOL(cleanup_conf, enable_original_recipient, "yes",
        "keep a recipient apart from the same address reached by another "
        "alias"),
    PARAM_TIME(cleanup_conf, fast_delivery_time, "2s", "0", "300s",
        "deliver to our own mailboxes before a message is accepted, and put "
        "it into the queue only if that lasts longer than this; 0: queue "
        "every message first"),
    PARAM_TIME(cleanup_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
