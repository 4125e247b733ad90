/* SPDX-License-Identifier: BSD-2-Clause */
/* What an IMAP client may put into a command: each reader takes what it can,
 * and says what is wrong with the rest. */
#include "imapd/fetch.h"
#include "imapd/search.h"
#include "t/fuzz/fuzz.h"

/* A reader that fails has said why; one that does not has not. */
static void check(const struct imap_args *a, bool good)
{
    MUST(good == (a->bad == NULL));
}

static void strings(struct view text, struct buf *pool)
{
    struct imap_args a;
    struct view v;
    bool good;

    imap_args_init(&a, text, pool);
    do
        good = imap_args_astring(&a, &v) &&
               (a.rest.len == 0 || imap_args_space(&a));
    while (good && a.rest.len > 0);
    check(&a, good);
}

static void flags(struct view text, struct buf *pool)
{
    struct imap_flags f;
    struct imap_args a;
    unsigned items;

    imap_args_init(&a, text, pool);
    check(&a, imap_flag_list(&a, true, &f));
    MUST(f.n <= MAILBOX_KEYWORDS_MAX);
    imap_args_init(&a, text, pool);
    check(&a, imap_status_items(&a, &items));
}

/* Ranges of a normalised set rise and do not touch. */
static void sets(struct view text, struct buf *pool)
{
    struct imap_set set = { .n = 0 };
    struct imap_args a;
    bool good;

    imap_args_init(&a, text, pool);
    good = imap_set_parse(&a, &set);
    check(&a, good);
    imap_set_normalise(&set, 1000);
    for (size_t i = 0; i < set.n; i++) {
        MUST(set.ranges[i].from <= set.ranges[i].to);
        MUST(i == 0 || set.ranges[i].from > set.ranges[i - 1].to + 1ULL);
        MUST(imap_set_has(&set, set.ranges[i].from));
    }
    imap_set_release(&set);
}

/* The program leaves one value, and never takes what is not there. */
static void searches(struct view text, struct buf *pool)
{
    struct imap_args a;
    struct search p;
    size_t depth = 0;
    bool good;

    imap_args_init(&a, text, pool);
    good = search_parse(&a, 100, &p);
    check(&a, good);
    for (size_t i = 0; good && i < p.n; i++) {
        enum search_op op = p.nodes[i].op;
        size_t takes = op == SEARCH_NOT ? 1 : op > SEARCH_NOT ? 2 : 0;

        MUST(depth >= takes);
        depth = depth - takes + 1;
        MUST(depth <= 203);
    }
    MUST(!good || p.bad_charset || depth == 1);
    search_release(&p);
}

static void fetches(struct view text, struct buf *pool)
{
    struct imap_args a;
    struct fetch f;
    bool good;

    imap_args_init(&a, text, pool);
    good = fetch_parse(&a, true, &f);
    check(&a, good);
    MUST(!good || (f.kinds & (1u << FETCH_UID)));
    for (size_t i = 0; good && i < f.n; i++) {
        struct view label = span_view(&f.labels, f.items[i].label);

        for (size_t k = 0; k < label.len; k++)
            MUST(label.data[k] >= ' ' && label.data[k] < 0x7f);
    }
    fetch_release(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = { (const char *)data, len };
    struct buf pool = BUF_INIT;
    size_t split = view_index(text, '\n');

    strings(text, &pool);
    flags(text, &pool);
    sets(text, &pool);
    searches(text, &pool);
    fetches(text, &pool);
    imap_list_match(view_sub(text, 0, split), view_sub(text, split, len));
    buf_release(&pool);
    return 0;
}
