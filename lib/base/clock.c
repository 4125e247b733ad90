/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

static uint64_t micros(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_mono_us(void)
{
    return micros(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

uint64_t clock_real_us(void)
{
    return micros(CLOCK_REALTIME);
}
