/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset.h - text in any charset, as UTF-8. By ICU, which carries its tables
 * with it and opens no file, so that it works in a jail.
 *
 * Life:      charset_open, any number of charset_convert, charset_close.
 * Errors:    an unknown charset is no error: the caller leaves the text as
 *            it is. Bytes that stand for nothing become U+FFFD.
 * Blocking:  never.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/view.h"

struct charset;

/* A converter from the charset `name` (RFC 2978; case does not matter), owned
 * by the caller; NULL if there is none by that name. us-ascii is read as
 * UTF-8, of which it is a part, since senders mislabel it so. */
struct charset *charset_open(struct view name);

/* Append `in` as UTF-8. A character may be spread over several calls; `last`
 * says that no more will come, and makes it ready for another text. */
void charset_convert(struct charset *cs, struct view in, bool last,
                     struct buf *out);

/* Free it and make it NULL; NULL is allowed. */
void charset_close(struct charset **cs);

/* The whole text `in` at once: 0, or -1 and nothing done if the charset is
 * unknown. */
int charset_to_utf8(struct view name, struct view in, struct buf *out);

#endif
