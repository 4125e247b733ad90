/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * braces.h - the { ... } lists inside table names.
 *
 * Braces nest and nothing quotes them. No function here copies or allocates.
 */
#ifndef TABLE_BRACES_H
#define TABLE_BRACES_H

#include "base/view.h"

/* Take "{ text }" off the front of `*rest`: *inside is the text without white
 * space at its ends. False, and nothing taken, when `*rest` does not begin
 * with a brace or the brace is never closed. */
bool braces_take(struct view *rest, struct view *inside);

/* Take the next word off `*rest`: up to a white space or comma that stands in
 * no braces, after any that come first. False when there is none left. */
bool braces_word(struct view *rest, struct view *word);

#endif
