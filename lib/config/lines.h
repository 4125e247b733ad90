/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.h - the logical lines that main.cf, master.cf and tables share.
 *
 * A line that begins with white space continues the one before it; empty
 * lines and lines whose first visible character is # are passed over, also
 * between a line and its continuation. The parts are joined as they stand,
 * without the line ends.
 */
#ifndef CONFIG_LINES_H
#define CONFIG_LINES_H

#include "base/buf.h"

struct lines {
    struct view rest;
    unsigned next; /* number of the physical line that `rest` begins with */
    unsigned line; /* where the logical line began */
    struct buf text;
};

/* Walk `text`; lines_next() gives false after the last. */
void lines_begin(struct lines *l, struct view text);

/* The next logical line, without white space at its end; valid until the next
 * call. l->line is its number. */
bool lines_next(struct lines *l, struct view *line);

/* Free what the walk used. */
void lines_end(struct lines *l);

#endif
