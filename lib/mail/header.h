/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header.h - the header of a message, field by field (RFC 5322 §2.2).
 *
 * A header is a view: the bytes from the message's (or part's) start. Lines
 * end in CRLF or LF; the first empty line ends it. All bytes belong to some
 * field, so that the ranges cover the header: a line that is no field (no
 * colon, a blank in the name, a fold with nothing before it) is a field with
 * an empty name.
 *
 * Ownership: views point into the header; nothing is copied.
 * Errors:    reading functions have none; what is malformed is shown as above.
 * Blocking:  only header_load(). Time is linear in the header's length.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

/* Defaults for the limits that callers give (bytes, fields). */
#define HEADER_SIZE_MAX   (10u << 20) /* all fields of a message */
#define HEADER_FIELD_MAX  (1u << 20)  /* one field */
#define HEADER_FIELDS_MAX 100000

struct header_field {
    struct view name;  /* without the blanks before the colon; maybe empty */
    struct view value; /* behind the colon as it stands, folds and all,
                        * without the last line end */
    struct view raw;   /* all of it, with the last line end */
    size_t offset;     /* of raw in the header */
};

/* A walk through a header; the members are read-only for callers. */
struct header_walk {
    struct view header;
    size_t offset; /* where the next field starts */
    size_t left;   /* how many fields it may still give */
    bool ended;    /* the empty line was met; offset is behind it */
};

/* Start at the front of `header`, to be given `max_fields` fields at most. */
void header_start(struct header_walk *w, struct view header,
                  size_t max_fields);

/* The next field; false at the end of the header or of the allowance. */
bool header_next(struct header_walk *w, struct header_field *f);

/* The first (last) field called `name`, of any case; false if there is none. */
bool header_find(struct view header, const char *name, struct header_field *f);
bool header_find_last(struct view header, const char *name,
                      struct header_field *f);

/* Where the body starts: behind the first empty line; header.len if there is
 * no such line. */
size_t header_end(struct view header);

/* Append a field's value in one line: blanks at the ends and line ends gone
 * (RFC 5322 §2.2.3), NUL and lone CR as blanks. */
void header_unfold(struct buf *out, struct view value);

/* Append to `out` the header that starts at `offset` of the file `fd` and ends
 * before `end`, its empty line included, by pread(2). A header longer than
 * `limit` is cut there, and *whole is false. `what` names the file for *err;
 * -1 if it cannot be read. */
int header_load(int fd, uint64_t offset, uint64_t end, size_t limit,
                struct buf *out, bool *whole, const char *what,
                struct error *err);

#endif
