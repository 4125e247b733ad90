/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice.h - what sessions of one account tell each other through notify.
 *
 * All of it is best effort: without notify a session finds changes when it
 * looks at the index and the disk.
 *
 * Blocking: joining notify waits for 100 ms at most; nothing else waits.
 */
#ifndef IMAPD_NOTICE_H
#define IMAPD_NOTICE_H

#include "imapd/imapd.h"

/* Hear of changes from now on. */
void notice_listen(struct imap_session *s);

/* The descriptor that becomes readable with a notice, or -1. */
int notice_fd(const struct imap_session *s);

/* Take all notices that came: is the selected mailbox named by one? */
bool notice_take(struct imap_session *s);

#endif
