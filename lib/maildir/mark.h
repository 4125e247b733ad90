/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark.h - whose is the mail store that is there?
 *
 * An instance has an id, 32 hexadecimal digits in <queue_directory>/instance,
 * made once. A mail store carries the id of its instance in the file
 * .postern-store. Nothing is delivered into a directory that carries none (a
 * store that is not mounted), or another's (one mounted in its place).
 *
 * Errors:    0, or -1 with *err; FAIL_TEMP unless stated.
 * Blocking:  for the disk; mark_create() syncs what it makes.
 */
#ifndef MAILDIR_MARK_H
#define MAILDIR_MARK_H

#include "base/error.h"

#define MARK_NAME ".postern-store"

/* Mark the open directory `store` as that of the instance whose queue
 * directory is `queue`; its id is made if it has none. One that is marked so
 * stays as it is; one of another instance is a FAIL_PERM. */
int mark_create(int queue, int store, struct error *err);

/* Does `store` carry the mark of the instance of `queue`? The sentence of the
 * error says what it carries instead. */
int mark_check(int queue, int store, struct error *err);

#endif
