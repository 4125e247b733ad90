/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.h - memory that is always there.
 *
 * Allocation never fails: a process that cannot get memory is ended, and the
 * supervisor starts another. Sizes that come from outside are checked against
 * a limit before they get here.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* `size` bytes, not cleared. The caller owns them and calls free(). */
void *alloc(size_t size) __attribute__((malloc, returns_nonnull));

/* `count` cleared elements of `size` bytes; an overflow ends the process. */
void *alloc_zero(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull));

/* Grow or shrink `old` (may be NULL) to `count` elements of `size` bytes. */
void *alloc_resize(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull));

/* A copy of the C string `text`; of its first `len` bytes, with a NUL. */
char *alloc_text(const char *text) __attribute__((malloc, returns_nonnull));
char *alloc_copy(const void *data, size_t len)
    __attribute__((malloc, returns_nonnull));

/* End the process as they do, where a library had no memory. No signal: that
 * means a defect, or data that cannot be trusted (lib/index). */
void out_of_memory(void) __attribute__((noreturn));

#endif
