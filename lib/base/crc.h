/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc.h - CRC-32C (Castagnoli): finds what a disk broke, not what a foe did.
 */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `data`, going on from `crc` (0 at the start). */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
