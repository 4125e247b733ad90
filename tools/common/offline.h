/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offline.h - the queue when nothing runs.
 *
 * Master's lock says whether anything does. Who can take it (root, or the
 * owner of the suite) may look into the queue and change it as qmgr would;
 * master does not start meanwhile. The lock is held until the command ends.
 */
#ifndef TOOLS_OFFLINE_H
#define TOOLS_OFFLINE_H

/* Take the lock and say so on standard error. A descriptor of the queue
 * directory, or -1 when something runs or we may not. */
int offline_begin(void);

/* Call `fn` for each message of the queue `only`, or of all ("").  */
void offline_each(int dir, const char *only,
                  void (*fn)(int dir, const char *queue, const char *id,
                             void *arg),
                  void *arg);

#endif
