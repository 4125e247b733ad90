/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay.h - what failed logins cost, and whom.
 *
 * A wrong answer is told late: by `first`, then twice as late for each further
 * failure of the account or of the address (a /64 for IPv6), up to `most`.
 * While such a pause lasts, a further try of that account or from that address
 * waits its turn before it is looked at, each behind the one before; one that
 * would wait for more than `most` is not looked at at all. More than a few
 * tries at once are treated as if they had failed already. So guessing on many
 * connections is no faster than on one, and costs us no hashes.
 *
 * Who has logged in to this account from this address before is not kept
 * waiting by the failures of others; only that pair's own count.
 *
 * Life:     all is kept in memory, for `failure_memory` or `success_memory`
 *           after its last use, and bounded; the oldest is forgotten first.
 * Units:    milliseconds of any clock that only goes forward; rules: seconds.
 * Blocking: never.
 */
#ifndef AUTHD_DELAY_H
#define AUTHD_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"

struct delay_rules {
    unsigned first, most;
    unsigned failure_memory, success_memory;
};

/* One try: at the account, which need not exist, from the client's address. */
struct delay_try {
    struct view account, address;
    uint64_t now;
};

/* How long this try has to wait before it is looked at; false when it may not
 * be at all. After true one of the three below ends the try. */
bool delay_before(const struct delay_try *t, const struct delay_rules *rules,
                  uint64_t *wait_ms);

/* It was wrong: how much later to say so. */
uint64_t delay_failed(const struct delay_try *t,
                      const struct delay_rules *rules);

/* It was right. */
void delay_succeeded(const struct delay_try *t,
                     const struct delay_rules *rules);

/* It was given up before it was looked at, or could not be. */
void delay_dropped(const struct delay_try *t, const struct delay_rules *rules);

#endif
