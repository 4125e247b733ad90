/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * children.h - wait for what traced processes do, until standard input ends.
 *
 * Life:      children_open before the first process is attached to, then
 *            children_wait until it says that there is no more.
 * Errors:    end the program, with a sentence and status 2.
 * Blocking:  children_wait, as long as nothing happens.
 */
#ifndef T_CHILDREN_H
#define T_CHILDREN_H

#include <sys/types.h>

/* Block SIGCHLD; a descriptor that is readable when one has come, to be kept
 * until the program ends. */
int children_open(void);

/* The next child that has stopped or ended, *status being waitpid(2)'s; 0 when
 * all have ended, or when standard input was closed and none had stopped. */
pid_t children_wait(int signals, int *status);

#endif
