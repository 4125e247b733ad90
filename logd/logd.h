/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logd.h - lines in from many services, one file out.
 *
 * The shape of a line is Postfix's (peers' tools read it):
 *
 *     Nov 23 14:00:00 host postfix/smtpd[123]: text
 *
 * The tag comes from master with the line to read from, the process id from
 * the kernel with each packet; the text cannot claim another.
 */
#ifndef LOGD_LOGD_H
#define LOGD_LOGD_H

#include "service/service.h"

enum log_time { LOG_TIME_BSD, LOG_TIME_ISO };

struct logd_conf {
    char *myhostname;
    unsigned log_time_format; /* of enum log_time */
};

extern struct logd_conf logd_conf;
extern const struct param logd_params[];
extern const struct ipc_rule logd_master_rules[];

void logd_prepare(struct daemon *d);
void logd_start(struct daemon *d);
void logd_reloaded(struct daemon *d);
void logd_stopping(struct daemon *d);
void logd_file(struct daemon *d, const struct control_file *file);

/* Append to `out` the line's text with everything escaped that is not
 * printable ASCII or valid UTF-8 without control characters. */
void logd_clean(struct buf *out, struct view text);

#endif
