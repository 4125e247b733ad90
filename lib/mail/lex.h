/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex.h - the words that structured header fields are made of (RFC 5322 §3.2,
 * RFC 2045 §5.1).
 *
 * Each function takes something off the front of `*rest`. All are lenient:
 * what is not closed ends where the text ends. Line ends count as blanks, so
 * values need not be unfolded first. Nothing recurses: comments are counted.
 * Blocking: never. Time is linear in what is taken off.
 */
#ifndef MAIL_LEX_H
#define MAIL_LEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/view.h"

/* Skip blanks and nested comments. If there was a comment and `comment` is
 * not NULL, it then holds the text of the last one, trimmed. */
void lex_skip(struct view *rest, struct buf *comment);

/* Take the character `c`, if it stands there. */
bool lex_char(struct view *rest, char c);

/* Take a run of characters that are neither blanks nor controls nor among
 * `specials`; it may be empty. Bytes outside ASCII are taken. */
struct view lex_run(struct view *rest, const char *specials);

/* Take a token (RFC 2045 §5.1): a run of anything but tspecials. */
struct view lex_token(struct view *rest);

/* Take a quoted string, the first quote taken before, and append what it
 * says: without backslashes, line ends, NUL. */
void lex_quoted(struct view *rest, struct buf *out);

#endif
