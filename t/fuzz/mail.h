/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.h - an account for targets to work on, in fuzz_directory(): three
 * messages in INBOX, numbered by their field N, and one in the mailbox Work.
 */
#ifndef T_FUZZ_MAIL_H
#define T_FUZZ_MAIL_H

#include "index/mailbox.h"

/* Make it anew, without an index. */
void mail_make(void);

/* Open its store; NULL on error. */
struct store *mail_open(void);

/* The number that message `index` carries, read from its file. */
unsigned mail_number(struct mailbox *m, size_t index);

/* What holds for every open mailbox: UIDs rise, all of them below the next
 * one, MODSEQs are none that was not given yet, sizes are the files'. */
void mail_check(struct mailbox *m);

#endif
