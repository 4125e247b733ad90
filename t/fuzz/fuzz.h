/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what libFuzzer calls, a check that ends the run, and what several
 * targets need.
 */
#ifndef T_FUZZ_FUZZ_H
#define T_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"

/* One input; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold for every input; if it does not, the run ends. */
#define MUST(condition) \
    do { \
        if (!(condition)) \
            fuzz_fail(__FILE__, __LINE__, #condition); \
    } while (0)
void fuzz_fail(const char *file, int line, const char *condition)
    __attribute__((noreturn));

/* The input as a view. */
static inline struct view fuzz_text(const uint8_t *data, size_t len)
{
    return (struct view){ (const char *)data, len };
}

/* Log lines are made, but go nowhere. */
void fuzz_quiet(void);

/* Fill a program's parameters: the defaults, but for `main_cf`. */
void fuzz_configure(const struct param *params, void *conf,
                    const char *main_cf);

/* A descriptor of a file without a name that holds these bytes, at its
 * beginning; the caller's. */
int fuzz_file(struct view bytes);

/* At the end of an input: its work left no descriptor open, but for what is
 * kept from one to the next and was opened by need. */
void fuzz_closed_all(void);

/* Go to a directory of this process's own, which is emptied by
 * fuzz_clear() and removed at the end. Its descriptor, borrowed. */
int fuzz_directory(void);
void fuzz_clear(void);

/* The program's own handlers of deadly signals count from now on; otherwise
 * libFuzzer's do, which keep the input. What the sanitizer finds ends it by a
 * signal, as it might without one. */
void fuzz_own_signals(void);

#endif
