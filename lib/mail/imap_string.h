/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imap_string.h - strings as IMAP writes them (RFC 3501 §4.3).
 *
 * Blocking: never.
 */
#ifndef MAIL_IMAP_STRING_H
#define MAIL_IMAP_STRING_H

#include "base/buf.h"
#include "base/view.h"

#define IMAP_STRING_QUOTED_MAX 1000 /* bytes; longer ones become literals */

/* Append `v` as a quoted string, or as a literal if it is long or has a CR, an
 * LF or bytes outside ASCII. A NUL, which neither can hold, becomes "?". */
void imap_string_add(struct buf *out, struct view v);

/* The same, but NIL for the empty string. */
void imap_string_add_or_nil(struct buf *out, struct view v);

#endif
