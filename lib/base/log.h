/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - the one logger.
 *
 * A daemon's lines go as one packet each to logd over the descriptor it was
 * handed; logd stamps tag, process id and time from the channel, never from
 * the text. Before log_open(), and in commands, lines go to standard error
 * with the program's name.
 *
 * Errors:   a line that cannot be sent at once is counted and dropped; the
 *           count is sent with the next line that gets through.
 * Blocking: never.
 * Units:    a line is cut at LOG_LINE_MAX bytes.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

#define LOG_LINE_MAX 4000

/* As syslog(3) numbers them; the first byte of a packet is '0' + level. */
enum log_level {
    LEVEL_PANIC = 2,
    LEVEL_ERROR = 3,
    LEVEL_WARNING = 4,
    LEVEL_INFO = 6,
    LEVEL_DEBUG = 7,
};

/* Name this program for lines on standard error. `name` is borrowed. */
void log_name(const char *name);

/* Send lines to `fd`, a SEQPACKET socket, from now on; it is borrowed. */
void log_open(int fd);

/* Also write debug lines (off at start). */
void log_verbose(int on);

/* One fact, one line. log_info has no prefix; the others put "warning: ",
 * "error: " or "panic: " before the text, as the tools that read logs want. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Log "fatal: ..." and end the process with exit code 1. Only before service
 * starts: a bad peer or message never ends a daemon. */
void log_fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
