/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nameless.h - files that have no name until they are whole.
 *
 * O_TMPFILE makes a file that a crash leaves no trace of; linking gives it a
 * name, at once and only if that is free. From Linux 6.10 on its maker may
 * link it by descriptor; before that through /proc/self/fd, which must be
 * opened before a jail hides it.
 */
#ifndef BASE_NAMELESS_H
#define BASE_NAMELESS_H

#include <sys/types.h>

#include "base/error.h"

/* Find out which way this kernel has; call before the jail. */
void nameless_prepare(void);

/* A new nameless file in the directory `dir`, to be written; -1 on error. */
int nameless_open(int dir, mode_t mode, struct error *err);

/* Link it as `name` in `dir`; -1 with errno (EEXIST: the name is taken). */
int nameless_link(int fd, int dir, const char *name);

#endif
