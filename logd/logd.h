/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logd.h - lines in from many services, one log out.
 *
 * The shape of a line is Postfix's (peers' tools read it):
 *
 *     Nov 23 14:00:00 host postfix/smtpd[123]: text
 *
 * The tag comes from master with the line to read from, the process id from
 * the kernel with each packet; the text cannot claim another. Lines that root
 * writes with postlog(1) bring a tag of their own.
 *
 * The log is a file, or the system's logger (RFC 3164 over its datagram
 * socket). While it takes no lines they are held, up to a limit; what is over
 * it is counted, and the count is logged.
 */
#ifndef LOGD_LOGD_H
#define LOGD_LOGD_H

#include "service/service.h"

enum log_time { LOG_TIME_BSD, LOG_TIME_ISO };

struct logd_conf {
    char *myhostname;
    unsigned log_time_format; /* of enum log_time */
    unsigned syslog_facility; /* RFC 3164 section 4.1.1 */
};

extern struct logd_conf logd_conf;
extern const struct param logd_params[];
extern const struct ipc_rule logd_master_rules[];

/* --- out.c: where lines go ---------------------------------------------- */

/* Write to `fd` (taken) from now on; until the first call lines go to standard
 * error. `is_syslog`: it is a datagram socket of the system's logger. */
void out_use(int fd, bool is_syslog);

/* Add a line; `level` is of enum log_level. */
void out_line(const char *tag, pid_t pid, unsigned level, struct view text);

/* Write what was added; false when some of it could not be written. */
bool out_flush(void);

/* The format of times may have changed. */
void out_reloaded(void);

/* --- entries.c: lines of postlog(1) ------------------------------------- */

/* Take its connections from the listener. */
void entries_start(struct daemon *d);

/* --- logd.c: whence they come ------------------------------------------- */

/* What main.c names: service.h says when each is called. */
void logd_prepare(struct daemon *d);
void logd_start(struct daemon *d);
void logd_reloaded(struct daemon *d);
void logd_stopping(struct daemon *d);
void logd_file(struct daemon *d, const struct control_file *file);

#endif
