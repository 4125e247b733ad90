/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error.h - why something failed, as one sentence and one verdict.
 *
 * A fallible function returns 0 or -1 and takes `struct error *err` last. The
 * sentence says what was tried, on what, and why it failed, so that a log line
 * needs no source. The caller decides whether to log, to reply or to go on.
 *
 * Life:      a struct error lives on the caller's stack; it owns nothing and
 *            need not be initialised. It is only meaningful after a -1.
 * Ownership: `err` may not be NULL.
 * Blocking:  never.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

/* Is it worth trying again? Decides between a 4xx and a 5xx reply. */
enum fail {
    FAIL_TEMP, /* may succeed later: disk full, peer away */
    FAIL_PERM, /* will never succeed: bad syntax, over a limit */
};

struct error {
    enum fail kind;
    int sys;        /* errno behind it, 0 when there is none */
    char text[500]; /* one sentence, no final full stop or newline */
};

/* Write the sentence; returns -1 so that a failure is one statement. */
int error_set(struct error *err, enum fail kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": <reason of errno>" added; the verdict is FAIL_TEMP. */
int error_sys(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Put "<prefix>: " before the sentence that `err` holds; returns -1. */
int error_prefix(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* -1 whatever the argument is. By the macros compilers and checkers know of
 * every caller what these functions return. */
static inline int error_minus_one(int rc)
{
    (void)rc;
    return -1;
}

#define error_set(...)    error_minus_one(error_set(__VA_ARGS__))
#define error_sys(...)    error_minus_one(error_sys(__VA_ARGS__))
#define error_prefix(...) error_minus_one(error_prefix(__VA_ARGS__))

#endif
