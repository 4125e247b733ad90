/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "base/io.h"
#include "imapd/search.h"
#include "mail/date.h"
#include "mail/header.h"

#define INDEX_FULL 60000 /* an indexed header this long may be cut */

/* How much of a message was looked at. */
enum depth { FROM_INDEX, FROM_HEADER, FROM_BODY };

enum truth { NO, YES, OPEN };

struct message {
    struct mailbox *box;
    size_t index;
    enum depth depth;
    int fd;
    uint64_t len;
    struct buf header;
    int64_t sent_day;
    bool has_sent_day;
};

void search_bind(struct search *p, struct mailbox *m)
{
    uint32_t last = m->n > 0 ? m->entries[m->n - 1].uid : 0;

    for (size_t i = 0; i < p->n; i++) {
        struct search_node *node = &p->nodes[i];
        struct error err;

        if (node->op == SEARCH_NUMBERS)
            imap_set_normalise(&node->set, (uint32_t)m->n);
        else if (node->op == SEARCH_UIDS)
            imap_set_normalise(&node->set, last);
        else if (node->op == SEARCH_KEYWORD)
            node->keyword = mailbox_keyword(m, node->name, false, &err);
    }
}

/* --- leaves ------------------------------------------------------------ */

static bool compare_day(enum search_op op, int64_t day, int64_t asked)
{
    switch (op) {
    case SEARCH_BEFORE:
    case SEARCH_SENTBEFORE: return day < asked;
    case SEARCH_ON:
    case SEARCH_SENTON: return day == asked;
    default: return day >= asked;
    }
}

static bool test_entry(const struct search_node *node,
                       const struct mailbox_entry *e, size_t index)
{
    switch (node->op) {
    case SEARCH_ALL: return true;
    case SEARCH_FLAGS: return (e->flags & node->mask) == node->value;
    case SEARCH_KEYWORD: return (e->keywords & node->keyword) != 0;
    case SEARCH_NUMBERS: return imap_set_has(&node->set, (uint32_t)index + 1);
    case SEARCH_UIDS: return imap_set_has(&node->set, e->uid);
    case SEARCH_LARGER: return e->size > node->number;
    case SEARCH_SMALLER: return e->size < node->number;
    case SEARCH_MODSEQ: return e->modseq >= node->number;
    default:
        return compare_day(node->op, date_day(date_local(e->date)), node->day);
    }
}

static enum truth test_header(const struct search_node *node,
                              const struct message *m)
{
    if (m->depth < FROM_HEADER)
        return OPEN;
    if (node->op == SEARCH_HEADER)
        return search_header(buf_view(&m->header), node->name,
                             buf_view(&node->needle)) ? YES : NO;
    return m->has_sent_day && compare_day(node->op, m->sent_day, node->day)
               ? YES : NO;
}

static enum truth test_text(const struct search_node *node,
                            const struct message *m)
{
    if (node->op == SEARCH_TEXT && m->depth >= FROM_HEADER &&
        search_header(buf_view(&m->header), VIEW(""),
                      buf_view(&node->needle)))
        return YES;
    if (m->depth < FROM_BODY)
        return OPEN;
    return node->found ? YES : NO;
}

static enum truth test_leaf(const struct search_node *node,
                            const struct message *m)
{
    if (node->op >= SEARCH_TEXT)
        return test_text(node, m);
    if (node->op >= SEARCH_SENTBEFORE)
        return test_header(node, m);
    return test_entry(node, &m->box->entries[m->index], m->index) ? YES : NO;
}

/* --- the program ------------------------------------------------------- */

/* gcc 12 and clang-tidy 14 lose count of what the parser has pushed. */
/* NOLINTBEGIN(clang-analyzer-core.CallAndMessage) */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-uninitialized-value"
#endif
static enum truth both(enum truth a, enum truth b)
{
    return a == NO || b == NO ? NO : a == YES && b == YES ? YES : OPEN;
}

static enum truth negate(enum truth a)
{
    return a == OPEN ? OPEN : a == YES ? NO : YES;
}

/* Each open level holds one value and has one in the making, so that the
 * parser's limit is the stack's too. */
static enum truth run(const struct search *p, const struct message *m)
{
    enum truth stack[2 * SEARCH_DEPTH_MAX + 4]; /* 8 KiB: not all of it set */
    size_t n = 0;

    stack[0] = OPEN;
    for (size_t i = 0; i < p->n; i++) {
        const struct search_node *node = &p->nodes[i];

        switch (node->op) {
        case SEARCH_NOT:
            stack[n - 1] = negate(stack[n - 1]);
            break;
        case SEARCH_AND:
            n--;
            stack[n - 1] = both(stack[n - 1], stack[n]);
            break;
        case SEARCH_OR:
            n--;
            stack[n - 1] = negate(both(negate(stack[n - 1]),
                                       negate(stack[n])));
            break;
        default:
            stack[n++] = test_leaf(node, m);
        }
    }
    return stack[0];
}
#pragma GCC diagnostic pop
/* NOLINTEND(clang-analyzer-core.CallAndMessage) */

/* --- looking deeper ---------------------------------------------------- */

/* 1, 0 when the message is gone, -1. */
static int open_file(struct message *m, struct error *err)
{
    uint64_t bare;

    if (m->fd < 0)
        m->fd = mailbox_file(m->box, m->index, &m->len, &bare, err);
    if (m->fd >= 0)
        return 1;
    return m->box->entries[m->index].is_gone ? 0 : -1;
}

static int load_header(struct message *m, struct error *err)
{
    int got = mailbox_fact(m->box, m->index, MAILBOX_HEADER, &m->header, err);
    bool whole;

    if (got > 0 && m->header.len >= INDEX_FULL) {
        got = open_file(m, err);
        buf_reset(&m->header);
        if (got > 0 && header_load(m->fd, 0, m->len, HEADER_SIZE_MAX,
                                   &m->header, &whole, "a message", err) < 0)
            got = -1;
    }
    if (got > 0)
        m->has_sent_day = search_sent_day(buf_view(&m->header), &m->sent_day);
    return got;
}

static int look_deeper(struct search *p, struct message *m, struct error *err)
{
    int got;

    if (m->depth == FROM_INDEX) {
        got = load_header(m, err);
        m->depth = FROM_HEADER;
        return got;
    }
    got = open_file(m, err);
    if (got > 0 && search_body(p, m->fd, m->len, err) < 0)
        got = -1;
    m->depth = FROM_BODY;
    return got;
}

int search_match(struct search *p, struct mailbox *box, size_t index,
                 struct error *err)
{
    struct message m = { .box = box, .index = index, .fd = -1 };
    enum truth truth = NO;
    int rc = 1;

    if (box->entries[index].is_gone)
        return 0;
    while (rc > 0 && (truth = run(p, &m)) == OPEN)
        rc = look_deeper(p, &m, err);
    io_close(&m.fd);
    buf_release(&m.header);
    return rc > 0 ? truth == YES : rc;
}
