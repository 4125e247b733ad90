/* SPDX-License-Identifier: BSD-2-Clause */
#include "imapd/set.h"

#include <stdlib.h>

#include "base/alloc.h"

static bool parse_number(struct imap_args *a, uint32_t *n)
{
    uint64_t value;

    if (imap_args_next_is(a, '*')) {
        *n = IMAP_SET_STAR;
        return imap_args_char(a, '*');
    }
    if (!imap_args_number(a, UINT32_MAX - 1, &value))
        return false;
    if (value == 0)
        return imap_args_fail(a, "Zero is no message's number.");
    *n = (uint32_t)value;
    return true;
}

static void add(struct imap_set *set, struct imap_range r)
{
    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 8;
        set->ranges = alloc_resize(set->ranges, set->cap, sizeof r);
    }
    set->ranges[set->n++] = r;
}

bool imap_set_parse(struct imap_args *a, struct imap_set *set)
{
    for (;;) {
        struct imap_range r = { 0, 0 };

        if (!parse_number(a, &r.from))
            return false;
        r.to = r.from;
        if (imap_args_next_is(a, ':') &&
            !(imap_args_char(a, ':') && parse_number(a, &r.to)))
            return false;
        add(set, r);
        if (!imap_args_next_is(a, ','))
            return true;
        imap_args_char(a, ',');
    }
}

void imap_set_release(struct imap_set *set)
{
    free(set->ranges);
    *set = (struct imap_set){ .n = 0 };
}

static int by_from(const void *a, const void *b)
{
    const struct imap_range *x = a, *y = b;

    return x->from < y->from ? -1 : x->from > y->from;
}

void imap_set_normalise(struct imap_set *set, uint32_t star)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->n; i++) {
        struct imap_range *r = &set->ranges[i];
        uint32_t from = r->from == IMAP_SET_STAR ? star : r->from;
        uint32_t to = r->to == IMAP_SET_STAR ? star : r->to;

        *r = from < to ? (struct imap_range){ from, to }
                       : (struct imap_range){ to, from };
    }
    if (set->n > 0)
        qsort(set->ranges, set->n, sizeof *set->ranges, by_from);
    for (size_t i = 0; i < set->n; i++) {
        struct imap_range r = set->ranges[i];

        if (kept == 0 || r.from > set->ranges[kept - 1].to + 1ULL)
            set->ranges[kept++] = r;
        else if (r.to > set->ranges[kept - 1].to)
            set->ranges[kept - 1].to = r.to;
    }
    set->n = kept;
}

bool imap_set_has(const struct imap_set *set, uint32_t n)
{
    size_t lo = 0, hi = set->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (set->ranges[mid].to < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < set->n && set->ranges[lo].from <= n;
}

uint32_t imap_set_largest(const struct imap_set *set)
{
    uint32_t max = 0;

    for (size_t i = 0; i < set->n; i++) {
        struct imap_range r = set->ranges[i];

        if (r.from != IMAP_SET_STAR && r.to != IMAP_SET_STAR) {
            max = r.from > max ? r.from : max;
            max = r.to > max ? r.to : max;
        }
    }
    return max;
}

void imap_set_format(struct buf *out, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0, last; i < n; i = last + 1) {
        for (last = i; last + 1 < n && numbers[last + 1] == numbers[last] + 1;)
            last++;
        buf_addf(out, i > 0 ? ",%u" : "%u", numbers[i]);
        if (last > i)
            buf_addf(out, ":%u", numbers[last]);
    }
}
