/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/crc.h"

#include <stdbool.h>

#define POLY 0x82f63b78u /* 0x1edc6f41 with its bits reversed */

static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t len)
{
    static uint32_t table[256];

    if (table[1] == 0) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (int bit = 0; bit < 8; bit++)
                c = (c >> 1) ^ ((c & 1) ? POLY : 0);
            table[i] = c;
        }
    }
    while (len-- > 0)
        crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t by_cpu(uint32_t crc, const unsigned char *p, size_t len)
{
    uint64_t c = crc;

    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    for (; len > 0; p++, len--)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return (uint32_t)c;
}

static bool cpu_can(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static bool cpu_can(void)
{
    return false;
}
#define by_cpu by_table
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    crc = ~crc;
    crc = cpu_can() ? by_cpu(crc, data, len) : by_table(crc, data, len);
    return ~crc;
}
