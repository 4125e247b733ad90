/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - what time it is, and how long it took.
 *
 * Intervals and deadlines use the monotonic clock, which no administrator can
 * set; dates use the real one. Neither blocks.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds (microseconds) of a clock that only goes forward. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);

/* Microseconds since 1970 by the wall clock. */
uint64_t clock_real_us(void);

#endif
