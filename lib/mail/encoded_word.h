/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * encoded_word.h - text outside ASCII in header fields (RFC 2047, RFC 2231
 * §5). Never for addresses: an encoded word inside an addr-spec is just text.
 *
 * Blocking: never. Time is linear in the text.
 */
#ifndef MAIL_ENCODED_WORD_H
#define MAIL_ENCODED_WORD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/view.h"

#define ENCODED_WORD_MAX 75 /* bytes of one word (RFC 2047 §2) */
#define ENCODED_WORD_MIN 28 /* room that always holds a character */

/* Append one encoded word of at most `max` bytes (ENCODED_WORD_MIN to
 * ENCODED_WORD_MAX) for as many whole characters of the UTF-8 `text` as fit,
 * and return how many bytes of `text` that were. Words that follow each other
 * are to be separated by a blank or fold. The result is safe in phrases. */
size_t encoded_word_add(struct buf *out, struct view text, size_t max);

/* Append `text`, an unfolded value, with its encoded words decoded to UTF-8.
 * Words that are malformed or of an unknown charset stay as they are; line
 * ends and NULs that a word hides become blanks. */
void encoded_word_decode(struct buf *out, struct view text);

#endif
