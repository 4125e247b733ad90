/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h - the one growing buffer.
 *
 * Life:      all-zero or BUF_INIT is a valid empty buffer; buf_release() ends
 *            it and leaves a valid empty one.
 * Ownership: the buffer owns its bytes; buf_take() hands them to the caller.
 *            data is NULL until something was added, and after that always
 *            has a NUL behind its last byte that is not counted in len.
 * Errors:    none; memory is always there (alloc.h). Callers that add what
 *            came from outside check their limit first.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/view.h"

struct buf {
    char *data;
    size_t len; /* bytes in use */
    size_t cap; /* bytes owned, the NUL's place among them */
};

#define BUF_INIT ((struct buf){ NULL, 0, 0 })

/* Append bytes, a view, a C string, one character, formatted text. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_view(struct buf *b, struct view v);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Make room for `len` more bytes and return where they go; the caller writes
 * there and then adds what it wrote to b->len. */
char *buf_room(struct buf *b, size_t len);

/* Remove the first `len` bytes, or everything from `len` on. */
void buf_drop(struct buf *b, size_t len);
void buf_cut(struct buf *b, size_t len);

/* Empty it, keeping the memory for what comes next. */
void buf_reset(struct buf *b);

/* What it holds, as a view (valid until the next change) or C string. */
struct view buf_view(const struct buf *b);
const char *buf_text(const struct buf *b);

/* Hand the bytes, with a NUL behind them, to the caller, who frees them. */
char *buf_take(struct buf *b);

/* Free the memory. _wipe clears it first: for passwords and keys. */
void buf_release(struct buf *b);
void buf_wipe(struct buf *b);

#endif
