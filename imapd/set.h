/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.h - sets of message numbers or UIDs (RFC 3501 §9, sequence-set).
 *
 * Life:      all-zero is an empty set; imap_set_release() ends it.
 * Errors:    a set that is none leaves args->bad.
 * Blocking:  never. Parsing is linear, resolving n log n in the ranges and
 *            linear in the messages found, however ranges overlap.
 */
#ifndef IMAPD_SET_H
#define IMAPD_SET_H

#include <stdint.h>

#include "imapd/args.h"

#define IMAP_SET_STAR UINT32_MAX /* "*", until it is resolved */

struct imap_range {
    uint32_t from, to; /* as written: either may be the larger */
};

struct imap_set {
    struct imap_range *ranges;
    size_t n, cap;
};

/* Take a set off the arguments; false when there is none. `set` is to be
 * released in either case. */
bool imap_set_parse(struct imap_args *a, struct imap_set *set);
void imap_set_release(struct imap_set *set);

/* Make each range rise, put `star` for "*", sort them, and join those that
 * touch. */
void imap_set_normalise(struct imap_set *set, uint32_t star);

/* Is `n` in the normalised set? */
bool imap_set_has(const struct imap_set *set, uint32_t n);

/* The largest number of ranges without "*"; 0 when there is none. */
uint32_t imap_set_largest(const struct imap_set *set);

/* Append numbers, which must come rising, as a set: "1:3,5". `numbers` are
 * `n` of them. */
void imap_set_format(struct buf *out, const uint32_t *numbers, size_t n);

#endif
