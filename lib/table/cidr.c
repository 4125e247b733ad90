/* SPDX-License-Identifier: BSD-2-Clause */
/* cidr:file - networks and what to answer for addresses in them. */
#include "base/alloc.h"
#include "base/network.h"
#include "table/rules.h"

static int take_pattern(const struct table *t, struct rule *r,
                        struct view *rest, struct error *err)
{
    struct network n, *copy;
    struct view word;

    (void)t;
    view_word(rest, " \t\r\n", &word);
    if (network_parse(word, &n, err) < 0)
        return -1;
    copy = alloc(sizeof *copy);
    *copy = n;
    r->pattern = copy;
    return 0;
}

static int set_result(const struct table *t, struct rule *r, struct view text,
                      struct error *err)
{
    (void)t;
    (void)err;
    r->result = alloc_copy(text.data, text.len);
    return 0;
}

/* A negated IPv4 rule says nothing about IPv6 addresses, and the other way
 * round: "!10.0.0.0/8" is not meant for ::1. */
static int match(const struct rule *r, void *key, struct error *err)
{
    const struct network_address *a = key;
    const struct network *n = r->pattern;

    (void)err;
    return n->base.family == a->family && network_has(n, a) != r->negated;
}

static int answer(const struct rule *r, void *key, struct buf *out,
                  struct error *err)
{
    (void)key;
    (void)err;
    buf_add_text(out, r->result);
    return 1;
}

static void free_rule(struct rule *r)
{
    free(r->pattern);
    free(r->result);
}

static const struct rules_syntax syntax = {
    take_pattern, set_result, match, answer, free_rule,
};

static int cidr_open(struct table *t, struct error *err)
{
    return rules_open(t, &syntax, err);
}

static int cidr_lookup(struct table *t, struct view key, struct buf *out,
                       struct error *err)
{
    struct network_address a;

    if (!network_address_parse(key, &a))
        return 0;
    return rules_lookup(t, &a, out, err);
}

const struct table_type cidr_type = {
    .name = "cidr",
    .fixed = false,
    .file = "",
    .open = cidr_open,
    .lookup = cidr_lookup,
    .changed = rules_changed,
    .close = rules_close,
};
