/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h - one "key value" line, as postmap(1) and texthash: read it.
 */
#ifndef TABLE_ENTRY_H
#define TABLE_ENTRY_H

#include "base/view.h"

/* What entry_parse() found. The words are those of postmap. */
enum entry_fault {
    ENTRY_FINE,
    ENTRY_UNBALANCED, /* a quote is never closed */
    ENTRY_NO_VALUE,   /* a key and nothing else */
    ENTRY_COLON,      /* usable, but the key ends in ':' like an alias's */
};

/* Split a logical line at the first white space that is not in double quotes;
 * a backslash takes the next character as it is. Quotes and backslashes stay
 * part of the key. The value has no white space at its ends. */
enum entry_fault entry_parse(struct view line, struct view *key,
                             struct view *value);

/* The fault as a part of a sentence: `unbalanced '"'`. */
const char *entry_fault_text(enum entry_fault fault);

#endif
