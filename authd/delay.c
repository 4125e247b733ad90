/* SPDX-License-Identifier: BSD-2-Clause */
/* What failures cost: the account and the address are slowed down, together
 * and apart, so that neither one account nor one address can be tried fast. */
#include "authd/authd.h"

#include "base/alloc.h"

#define RECORDS_MAX 100000 /* remembered names; beyond it none is added */

struct record {
    struct map_node node;
    struct timer forget;
    unsigned failures;
    char name[];
};

static struct map records;

static void on_forget(struct timer *t)
{
    struct record *r = list_entry(t, struct record, forget);

    map_remove(&records, &r->node);
    free(r);
}

static unsigned count(struct daemon *d, struct view name)
{
    struct map_node *n = map_find(&records, name);
    struct record *r;

    if (name.len == 0)
        return 0;
    if (n != NULL) {
        r = map_entry(n, struct record, node);
    } else {
        if (records.count >= RECORDS_MAX)
            return 1;
        r = alloc_zero(1, sizeof *r + name.len + 1);
        memcpy(r->name, name.data, name.len);
        r->node.key = (struct view){ r->name, name.len };
        r->forget.fire = on_forget;
        map_add(&records, &r->node);
    }
    timer_set(&d->loop, &r->forget, authd_conf.auth_failure_memory * 1000ULL);
    return ++r->failures;
}

uint64_t delay_failed(struct daemon *d, struct view account,
                      struct view address)
{
    unsigned a = count(d, account), b = count(d, address);
    unsigned n = a > b ? a : b;
    uint64_t most = authd_conf.auth_failure_delay_max * 1000ULL;
    uint64_t ms = authd_conf.auth_failure_delay * 1000ULL;

    for (; n > 1 && ms < most; n--)
        ms *= 2;
    return ms < most ? ms : most;
}

void delay_succeeded(struct view account)
{
    struct map_node *n = map_find(&records, account);

    /* The timer frees it; the address keeps what it did to others. */
    if (n != NULL)
        map_entry(n, struct record, node)->failures = 0;
}
