/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.h - content transfer encodings, undone as the bytes come (RFC 2045
 * §6), and line ends made CRLF.
 *
 * Life:      an all-zero struct is ready; decode_start() sets the encoding,
 *            any number of decode_add(), then decode_end().
 * Ownership: a decoder owns nothing.
 * Errors:    none: what is malformed is skipped (base64) or left as it is
 *            (quoted-printable), since this is for searching and showing.
 * Blocking:  never. The output is never longer than the input, but for
 *            decode_crlf(), which doubles at most.
 */
#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/view.h"

enum decode_kind {
    DECODE_IDENTITY, /* 7bit, 8bit, binary, none, and what nobody knows */
    DECODE_BASE64,
    DECODE_QUOTED_PRINTABLE,
};

struct decode {
    enum decode_kind kind;
    uint32_t bits;   /* base64: what was collected of a group */
    unsigned digits; /* and how many digits that was */
    int state;       /* quoted-printable: inside an escape? */
    char hex;        /* the escape's first digit */
    char held[80];   /* blanks that may turn out to end a line */
    size_t held_len;
};

/* The encoding named by a Content-Transfer-Encoding. */
enum decode_kind decode_kind_of(struct view encoding);

/* Begin; `d` owns nothing. */
void decode_start(struct decode *d, enum decode_kind kind);

/* Append to `out` what is known after these bytes too. */
void decode_add(struct decode *d, struct view in, struct buf *out);

/* Append what was held back; the decoder can be started again. */
void decode_end(struct decode *d, struct buf *out);

/* Append `in` with CRLF for each LF that has no CR before it. `*last` is the
 * last byte of the piece before (0 at the start) and is set for the next. */
void decode_crlf(struct view in, char *last, struct buf *out);

#endif
