/* SPDX-License-Identifier: BSD-2-Clause */
#include "authd/delay.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/network.h"

#define RECORDS_MAX 100000 /* of one kind; then the oldest is forgotten */
#define AT_ONCE 20         /* tries that may be under way without a price */

struct record {
    struct map_node node;
    struct list link;   /* the one used last is last */
    uint64_t used_at;
    uint64_t free_at;   /* the next try may begin then */
    unsigned failures;
    unsigned pending;   /* tries under way */
    bool has_succeeded; /* of a pair */
    char name[];
};

/* Records of one kind. */
struct kind {
    struct map map;
    struct list order;
};

static struct {
    struct kind accounts, addresses, pairs;
} delay = {
    .accounts = { .order = LIST_INIT(delay.accounts.order) },
    .addresses = { .order = LIST_INIT(delay.addresses.order) },
    .pairs = { .order = LIST_INIT(delay.pairs.order) },
};

/* --- records ----------------------------------------------------------- */

static void drop(struct kind *k, struct record *r)
{
    map_remove(&k->map, &r->node);
    list_remove(&r->link);
    free(r);
}

static uint64_t memory_ms(const struct record *r,
                          const struct delay_rules *rules)
{
    return 1000ULL * (r->has_succeeded ? rules->success_memory
                                       : rules->failure_memory);
}

/* The record, or NULL: nothing is known of it any more. */
static struct record *find(struct kind *k, struct view name, uint64_t now,
                           const struct delay_rules *rules)
{
    struct map_node *n = map_find(&k->map, name);
    struct record *r;

    if (n == NULL)
        return NULL;
    r = map_entry(n, struct record, node);
    if (now - r->used_at < memory_ms(r, rules))
        return r;
    drop(k, r);
    return NULL;
}

static struct record *touch(struct kind *k, struct view name, uint64_t now,
                            const struct delay_rules *rules)
{
    struct record *r = find(k, name, now, rules);

    if (r == NULL) {
        if (k->map.count >= RECORDS_MAX)
            drop(k, list_entry(k->order.next, struct record, link));
        r = alloc_zero(1, sizeof *r + name.len + 1);
        memcpy(r->name, name.data, name.len);
        r->node.key = (struct view){ r->name, name.len };
        list_init(&r->link);
        map_add(&k->map, &r->node);
    }
    list_remove(&r->link);
    list_append(&k->order, &r->link);
    r->used_at = now;
    return r;
}

/* --- names ------------------------------------------------------------- */

/* An IPv6 client has a /64 of its own to be somebody else in. */
static void add_place(struct buf *out, struct view address)
{
    struct network_address a;

    if (network_address_parse(address, &a) && a.family == AF_INET6)
        buf_add(out, a.bytes, 8);
    else
        buf_add_view(out, address);
}

/* The records that a try of this account from this address counts in: the
 * pair's alone if it has succeeded, else both; NULL: it has none. */
struct tried {
    struct record *list[2];
};

static struct tried records_of(const struct delay_try *t,
                               const struct delay_rules *rules, bool make)
{
    struct record *(*get)(struct kind *, struct view, uint64_t,
                          const struct delay_rules *) = make ? touch : find;
    struct buf place = BUF_INIT, pair = BUF_INIT;
    struct tried found = { { NULL, NULL } };

    add_place(&place, t->address);
    buf_add_view(&pair, t->account);
    buf_add_char(&pair, '\0');
    buf_add_view(&pair, buf_view(&place));
    found.list[0] = find(&delay.pairs, buf_view(&pair), t->now, rules);
    if (found.list[0] == NULL) {
        found.list[0] = get(&delay.accounts, t->account, t->now, rules);
        found.list[1] = get(&delay.addresses, buf_view(&place), t->now, rules);
    }
    buf_release(&place);
    buf_release(&pair);
    return found;
}

/* --- the price --------------------------------------------------------- */

static uint64_t price(const struct record *r, const struct delay_rules *rules)
{
    uint64_t most = rules->most * 1000ULL, ms = rules->first * 1000ULL;

    if (r->failures == 0 && r->pending <= AT_ONCE)
        return 0;
    for (unsigned n = r->failures; n > 1 && ms < most; n--)
        ms *= 2;
    return ms < most ? ms : most;
}

bool delay_before(const struct delay_try *t, const struct delay_rules *rules,
                  uint64_t *wait_ms)
{
    struct tried r = records_of(t, rules, true);
    uint64_t start = t->now;

    for (int i = 0; i < 2; i++)
        if (r.list[i] != NULL && r.list[i]->free_at > start)
            start = r.list[i]->free_at;
    if (start - t->now > rules->most * 1000ULL)
        return false;
    for (int i = 0; i < 2; i++) {
        if (r.list[i] == NULL)
            continue;
        r.list[i]->pending++;
        r.list[i]->free_at = start + price(r.list[i], rules);
    }
    *wait_ms = start - t->now;
    return true;
}

static void end_try(struct record *r)
{
    if (r->pending > 0) /* it may have been forgotten meanwhile */
        r->pending--;
}

void delay_dropped(const struct delay_try *t, const struct delay_rules *rules)
{
    struct tried r = records_of(t, rules, false);

    for (int i = 0; i < 2; i++)
        if (r.list[i] != NULL)
            end_try(r.list[i]);
}

uint64_t delay_failed(const struct delay_try *t,
                      const struct delay_rules *rules)
{
    struct tried r = records_of(t, rules, true);
    uint64_t most = 0;

    for (int i = 0; i < 2; i++) {
        uint64_t ms;

        if (r.list[i] == NULL)
            continue;
        end_try(r.list[i]);
        r.list[i]->failures++;
        ms = price(r.list[i], rules);
        if (r.list[i]->free_at < t->now + ms)
            r.list[i]->free_at = t->now + ms;
        if (ms > most)
            most = ms;
    }
    return most;
}

void delay_succeeded(const struct delay_try *t,
                     const struct delay_rules *rules)
{
    struct record *account = find(&delay.accounts, t->account, t->now, rules);
    struct buf pair = BUF_INIT;
    struct record *r;

    /* The address keeps what it did to others. */
    delay_dropped(t, rules);
    if (account != NULL)
        drop(&delay.accounts, account);
    buf_add_view(&pair, t->account);
    buf_add_char(&pair, '\0');
    add_place(&pair, t->address);
    r = touch(&delay.pairs, buf_view(&pair), t->now, rules);
    r->has_succeeded = true;
    r->failures = 0;
    r->free_at = 0;
    buf_release(&pair);
}
