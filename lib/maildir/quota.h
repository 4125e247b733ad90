/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota.h - how much a mailbox may hold, in Maildir++'s way: the file
 * `maildirsize` in the account's directory.
 *
 *     10000000S        the limit that the sums were made for
 *     4096 1           bytes and messages: the sum when it was made
 *     512 1            and what has come and gone since, a line each
 *     -4096 -1
 *
 * It is a cache: whatever looks wrong, was made for another limit, or has
 * grown long is made anew by adding up the sizes in the files' names. Room is
 * taken before a message is written, under a lock on the file, so that many at
 * once do not overshoot the limit. Not synced: after a power cut it is off by
 * the last lines at most, until it is made anew.
 *
 * Errors:   FAIL_TEMP for what the system refused.
 * Blocking: on the disk.
 * Source:   the Maildir++ description (www.courier-mta.org).
 */
#ifndef MAILDIR_QUOTA_H
#define MAILDIR_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Take room for so many bytes and messages in the mailbox whose directory is
 * `dir` and which may hold `limit` bytes (0: any). *taken says whether there
 * was any; before it says no it makes sure. What is not used after all is
 * given back by quota_note(). */
int quota_take(int dir, uint64_t limit, uint64_t bytes, uint64_t messages,
               bool *taken, struct error *err);

/* Note that bytes and messages came besides, or went (negative). Nothing
 * happens when there is no limit, or no sum yet. */
void quota_note(int dir, uint64_t limit, int64_t bytes, int64_t messages);

/* Forget the sum: it is made anew when it is next asked for. */
void quota_forget(int dir);

#endif
