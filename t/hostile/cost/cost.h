/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost.h - what parsing an input of size n costs, in instructions, and what one
 * of size 2n does. Run by test_cost.py, under callgrind.
 */
#ifndef T_HOSTILE_COST_H
#define T_HOSTILE_COST_H

#include "base/buf.h"

struct cost_case {
    const char *name; /* NULL ends the list */
    size_t n;
    /* Make an input of this size; prepare whatever it needs. Not counted. */
    void (*make)(struct buf *in, size_t n);
    /* What is counted. How much it found tells that it took the input: never
     * 0, and at least this many percent of n, which limits may cut off. */
    size_t (*run)(struct view in);
    size_t least;
};

/* Measure each case; an exit code. */
int cost_main(const struct cost_case *list, int argc, char **argv);

/* Add `n` times what `fmt` says of the numbers from 0 on. */
void cost_repeat(struct buf *in, size_t n, const char *fmt);

#endif
