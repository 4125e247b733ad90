/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime_scan.h - the lines of a message for mime.c, from a window that moves
 * over it. Not for others.
 *
 * Life:     mime_scan_start, mime_scan_next until it is not 1,
 *           mime_scan_release.
 * Blocking: on the file.
 */
#ifndef MAIL_MIME_SCAN_H
#define MAIL_MIME_SCAN_H

#include "mail/mime.h"

#define MIME_SCAN_WINDOW 65536 /* a longer line comes in pieces */

/* A place in the message and what was counted before it. */
struct mime_mark {
    uint64_t offset;
    uint64_t lines; /* line ends */
    uint64_t bare;  /* line ends without CR */
};

struct mime_line {
    struct view text; /* with its line end; valid until the next */
    bool first;       /* it starts a line, */
    bool last;        /* and ends it (line end or end of message) */
};

struct mime_scan {
    const struct mime_source *src;
    char *window;
    size_t from, to;     /* what of the window is still to be given out */
    uint64_t read;       /* how much of the message was read */
    struct mime_mark at; /* behind what was given out */
    unsigned line_end;   /* length of the line end given out last, */
    unsigned end_before; /* and of the piece before that */
    bool inside;         /* the last piece did not end its line */
    char last;           /* last byte given out */
};

/* Begin with the source's first byte; `src` is borrowed. */
void mime_scan_start(struct mime_scan *s, const struct mime_source *src);

/* The next line or piece of one: 1, 0 at the end, -1 with *err set. */
int mime_scan_next(struct mime_scan *s, struct mime_line *line,
                   struct error *err);

/* Where the line before `line`, which is the current one, ended, without its
 * line end. */
struct mime_mark mime_scan_before(const struct mime_scan *s,
                                  const struct mime_line *line);

/* Free what the scan used. */
void mime_scan_release(struct mime_scan *s);

#endif
