/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header_write.h - the one writer of header fields (RFC 5322 §2.2, RFC 2047).
 *
 * Whatever a program puts into a header goes through here, because a CR or LF
 * in a value would be another field, or a body; but for the trace (RFC 5321
 * §4.4), whose parts were parsed. Fields are folded at 78 bytes where they have
 * blanks, and end in CRLF.
 *
 * Errors:    0, or -1 with *err set (FAIL_PERM) and nothing appended, for:
 *            CR, LF, NUL and other controls but tabs; text that is not UTF-8;
 *            a value over HEADER_WRITE_MAX; a line that would be over 998
 *            bytes because nothing in it may be folded; a name that is none.
 * Blocking:  never.
 */
#ifndef MAIL_HEADER_WRITE_H
#define MAIL_HEADER_WRITE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

#define HEADER_WRITE_MAX  65536 /* bytes of a value */
#define HEADER_WRITE_LINE 998   /* bytes of a line (RFC 5322 §2.1.1) */
#define HEADER_WRITE_FOLD 78

/* Append the field `name` with running text (Subject, Comments): words
 * outside ASCII, or that look encoded, or are too long to be folded, become
 * encoded words. */
int header_write_text(struct buf *out, const char *name, struct view text,
                      struct error *err);

/* Append a structured field (Date, Message-ID, Received, Content-Type): the
 * value as it is, folded at its blanks. UTF-8 in it makes the message one
 * that needs SMTPUTF8 (RFC 6532). */
int header_write_structured(struct buf *out, const char *name,
                            struct view value, struct error *err);

/* Append a field with one mailbox: `address` as address_format() makes it;
 * with a `display` name, which is quoted or encoded as needed, in angle
 * brackets. */
int header_write_mailbox(struct buf *out, const char *name,
                         struct view display, struct view address,
                         struct error *err);

#endif
