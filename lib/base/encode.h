/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * encode.h - base64 and hexadecimal.
 *
 * Decoders take nothing but the exact form: no white space, no missing or
 * misplaced padding, no stray bits. They return -1 on anything else and leave
 * what was already in `out`.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

/* Append the base64 form of `v` (RFC 4648 §4, with padding, one line). */
void encode_base64(struct buf *out, struct view v);

/* Append the bytes that `v` stands for; 0 or -1. */
int decode_base64(struct buf *out, struct view v);

/* Append two lower-case hexadecimal digits a byte. */
void encode_hex(struct buf *out, struct view v);

/* Append the bytes of an even number of digits of either case; 0 or -1. */
int decode_hex(struct buf *out, struct view v);

/* The value of one hexadecimal digit, or -1. */
int decode_hex_digit(char c);

#endif
