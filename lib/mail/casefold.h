/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * casefold.h - text without its case, for comparing (Unicode's simple case
 * folding, by ICU).
 *
 * Blocking: never. Time is linear in the text.
 */
#ifndef MAIL_CASEFOLD_H
#define MAIL_CASEFOLD_H

#include "base/buf.h"

/* Append the UTF-8 `text` with each character folded; bytes that are not UTF-8
 * stay as they are. */
void casefold_add(struct buf *out, struct view text);

#endif
