/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - what the commands share: configuration, sockets, the queue.
 *
 * A command ends itself with a sentence on standard error and an exit code of
 * sysexits.h when it cannot go on; so these functions do not return errors.
 * Its name in such a sentence is that by which it was called, and of what it
 * repeats no byte gets to the terminal as it is (CWE-150).
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "config/config.h"
#include "ipc/ipc.h"

/* Read main.cf of `directory`, see config_directory(). */
void command_begin(const char *directory);

/* Say "name: fatal: sentence" and exit with `code`. */
void command_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Say "name: kind: sentence": a warning, a note. */
void command_say(const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for whoever asks for a sentence at a time: config_warn(). */
void command_warn(const char *sentence, void *unused);

/* main.cf as command_begin() read it; it lasts as long as the command. */
struct config *command_config(void);

/* The value of a parameter, expanded; the caller frees it. */
char *command_value(const char *name);

/* The path of a file in the queue directory; the caller frees it. */
char *command_path(const char *name);

/* Connect to a socket of the queue directory: a stream or SEQPACKET
 * descriptor, or -1 with errno when nobody can be had there. */
int command_connect(const char *socket_name, int type);

/* --- the queue, by qmgr ------------------------------------------------ */

/* Print the queue as mailq does; as JSON, one object a line. Only messages to
 * `site` when that is not NULL. Returns the exit code. */
int queue_print(bool json);

/* Ask for a flush of all, of one message, or of one site ("" for not);
 * returns how many messages it was. */
unsigned queue_flush_now(const char *queue_id, const char *site);

#endif
