/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what libFuzzer calls, and a check that ends the run.
 */
#ifndef T_FUZZ_H
#define T_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* One input; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold for every input. */
#define MUST(condition) \
    do { \
        if (!(condition)) \
            abort(); \
    } while (0)

#endif
