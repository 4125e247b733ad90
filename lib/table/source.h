/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - the files that tables are read from.
 *
 * Life:     all-zero is a valid empty source; source_release() ends it.
 * Blocking: reading and source_changed() wait for the disk.
 */
#ifndef TABLE_SOURCE_H
#define TABLE_SOURCE_H

#include <sys/stat.h>

#include "config/lines.h"
#include "table/table.h"

/* Which file, in which state. The change time and not the modification time:
 * nobody can set it back. */
struct source_id {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

struct source {
    const char *what; /* its name in messages; borrowed from the table */
    struct buf text;
    struct source_id id;
    bool in_name; /* the text stood in the table's name: it never changes */
};

/* Remember `st` in `id`. */
void source_identify(const struct stat *st, struct source_id *id);

/* Does `path` now lead to another file, or the file to other content? False
 * when it cannot be looked at. */
bool source_changed(const char *path, const struct source_id *id);

/* Read what the name of `t` leads to: a file, or with { } the lines that it
 * holds itself: "{ { line }, { line } }". */
int source_read(struct source *s, const struct table *t, struct error *err);

/* The next logical line that is text; others are passed over with a warning.
 * `l` was begun with the text. Valid until the next call. */
bool source_next(const struct table *t, struct lines *l, const char *what,
                 struct view *line);

/* Free the text. */
void source_release(struct source *s);

#endif
