/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - what the commands share: configuration, sockets, the queue.
 *
 * A command ends itself with a sentence on standard error and an exit code of
 * sysexits.h when it cannot go on; so these functions do not return errors.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "config/config.h"
#include "ipc/ipc.h"

/* Name the command for its messages, and read main.cf of `directory`, see
 * config_directory(). */
void command_begin(const char *name, const char *directory);

/* Say "name: fatal: sentence" and exit with `code`. */
void command_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Say "name: warning: sentence". */
void command_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The value of a parameter, expanded; the caller frees it. */
char *command_value(const char *name);

/* Connect to a socket of the queue directory: a stream or SEQPACKET
 * descriptor, or -1 when nobody listens there. */
int command_connect(const char *socket_name, int type);

/* --- the queue, by qmgr ------------------------------------------------ */

/* Print the queue as mailq does; as JSON, one object a line. Only messages to
 * `site` when that is not NULL. Returns the exit code. */
int queue_print(bool json);

/* Ask for a flush of all, of one message, or of one site ("" for not);
 * returns how many messages it was. */
unsigned queue_flush_now(const char *queue_id, const char *site);

#endif
