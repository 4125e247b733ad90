/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8.h - UTF-8 as RFC 3629 has it: shortest form, no surrogates.
 *
 * No function here blocks; none but utf8_add_visible() allocates.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Take one character off the front of `*rest` and return its number. If what
 * stands there is not UTF-8, take one byte and return -1. Not for an empty
 * view. */
int32_t utf8_next(struct view *rest);

/* Is all of `v` UTF-8? */
bool utf8_is_valid(struct view v);

/* Does `v` hold a byte outside ASCII? */
bool utf8_has_high(struct view v);

/* Should `c` not be in a name, because it shows nothing and changes how the
 * rest is shown: controls (C0, DEL, C1), line and paragraph separators, bidi
 * controls, zero-width characters, noncharacters. */
bool utf8_is_hidden(int32_t c);

/* How many bytes of `v` the longest run of whole characters of at most `max`
 * bytes takes; for cutting text. At least 1 unless v or max is empty. */
size_t utf8_prefix(struct view v, size_t max);

/* Append `v` as a person may see it: hidden characters (CWE-150: they move a
 * terminal's cursor) and bytes that are no UTF-8 as \xNN. */
void utf8_add_visible(struct buf *out, struct view v);

#endif
