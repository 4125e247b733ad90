/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memfd.h - content in memory that cannot change once it was sealed.
 *
 * Content moves between programs as a sealed memfd (DESIGN §1.5): the maker
 * writes, seals and sends; the receiver checks all four seals and the size
 * before it looks.
 */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include <stdint.h>

#include "base/error.h"

/* A new, empty, unsealed memfd, close-on-exec; -1 on error. */
int memfd_new(const char *name, struct error *err);

/* Forbid writing, growing, shrinking and unsealing, for everyone. */
int memfd_seal(int fd, struct error *err);

/* Check that `fd` is sealed in all four ways and holds at most `limit`
 * bytes; store its size. */
int memfd_check(int fd, uint64_t limit, uint64_t *size, struct error *err);

#endif
