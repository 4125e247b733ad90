/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "imapd/search.h"
#include "mail/casefold.h"
#include "mail/charset.h"
#include "mail/date.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct {
    const char *name;
    uint32_t mask, value;
} flag_keys[] = {
    { "ANSWERED", MAILBOX_ANSWERED, MAILBOX_ANSWERED },
    { "DELETED", MAILBOX_DELETED, MAILBOX_DELETED },
    { "DRAFT", MAILBOX_DRAFT, MAILBOX_DRAFT },
    { "FLAGGED", MAILBOX_FLAGGED, MAILBOX_FLAGGED },
    { "NEW", MAILBOX_RECENT | MAILBOX_SEEN, MAILBOX_RECENT },
    { "OLD", MAILBOX_RECENT, 0 },
    { "RECENT", MAILBOX_RECENT, MAILBOX_RECENT },
    { "SEEN", MAILBOX_SEEN, MAILBOX_SEEN },
    { "UNANSWERED", MAILBOX_ANSWERED, 0 },
    { "UNDELETED", MAILBOX_DELETED, 0 },
    { "UNDRAFT", MAILBOX_DRAFT, 0 },
    { "UNFLAGGED", MAILBOX_FLAGGED, 0 },
    { "UNSEEN", MAILBOX_SEEN, 0 },
};

enum argument { NOTHING, NUMBER, DAY, STRING, FIELD, SET, KEYWORD, MODSEQ };

static const struct {
    const char *name;
    enum search_op op;
    enum argument argument;
    const char *field; /* HEADER's, where the key names it */
} keys[] = {
    { "ALL", SEARCH_ALL, NOTHING, NULL },
    { "LARGER", SEARCH_LARGER, NUMBER, NULL },
    { "SMALLER", SEARCH_SMALLER, NUMBER, NULL },
    { "BEFORE", SEARCH_BEFORE, DAY, NULL },
    { "ON", SEARCH_ON, DAY, NULL },
    { "SINCE", SEARCH_SINCE, DAY, NULL },
    { "SENTBEFORE", SEARCH_SENTBEFORE, DAY, NULL },
    { "SENTON", SEARCH_SENTON, DAY, NULL },
    { "SENTSINCE", SEARCH_SENTSINCE, DAY, NULL },
    { "BCC", SEARCH_HEADER, STRING, "Bcc" },
    { "CC", SEARCH_HEADER, STRING, "Cc" },
    { "FROM", SEARCH_HEADER, STRING, "From" },
    { "SUBJECT", SEARCH_HEADER, STRING, "Subject" },
    { "TO", SEARCH_HEADER, STRING, "To" },
    { "HEADER", SEARCH_HEADER, FIELD, NULL },
    { "BODY", SEARCH_BODY, STRING, NULL },
    { "TEXT", SEARCH_TEXT, STRING, NULL },
    { "UID", SEARCH_UIDS, SET, NULL },
    { "KEYWORD", SEARCH_KEYWORD, KEYWORD, NULL },
    { "UNKEYWORD", SEARCH_KEYWORD, KEYWORD, NULL },
    { "MODSEQ", SEARCH_MODSEQ, MODSEQ, NULL },
};

static struct search_node *emit(struct search *p, enum search_op op)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 8;
        p->nodes = alloc_resize(p->nodes, p->cap, sizeof *p->nodes);
    }
    p->nodes[p->n] = (struct search_node){ .op = op };
    return &p->nodes[p->n++];
}

/* --- leaves ------------------------------------------------------------ */

static bool take_needle(struct imap_args *a, struct search *p,
                        struct search_node *node)
{
    struct buf utf8 = BUF_INIT;
    struct view text;

    if (!imap_args_astring(a, &text))
        return false;
    if (p->charset.len == 0 || charset_to_utf8(p->charset, text, &utf8) < 0)
        buf_add_view(&utf8, text);
    casefold_add(&node->needle, buf_view(&utf8));
    buf_release(&utf8);
    p->uses_text = p->uses_text || node->op != SEARCH_HEADER;
    return true;
}

static bool take_day(struct imap_args *a, int64_t *day)
{
    struct view text;

    if (!imap_args_astring(a, &text))
        return false;
    if (date_parse_imap_day(text, day) < 0)
        return imap_args_fail(a, "The date is none.");
    return true;
}

/* An entry's name and type may stand before the number; all flags of a message
 * have one MODSEQ here (RFC 7162 §3.1.5). */
static bool take_modseq(struct imap_args *a, struct search *p,
                        struct search_node *node)
{
    struct view ignored;

    p->uses_modseq = true;
    if (imap_args_next_is(a, '"') &&
        (!imap_args_string(a, &ignored) || !imap_args_space(a) ||
         !imap_args_atom(a, &ignored) || !imap_args_space(a)))
        return false;
    return imap_args_number(a, INT64_MAX, &node->number);
}

static bool take_argument(struct imap_args *a, struct search *p,
                          enum argument argument, struct search_node *node)
{
    if (argument != NOTHING && !imap_args_space(a))
        return false;
    switch (argument) {
    case NOTHING: return true;
    case NUMBER: return imap_args_number(a, UINT32_MAX, &node->number);
    case DAY: return take_day(a, &node->day);
    case STRING: return take_needle(a, p, node);
    case FIELD:
        return imap_args_astring(a, &node->name) && imap_args_space(a) &&
               take_needle(a, p, node);
    case SET: return imap_set_parse(a, &node->set);
    case KEYWORD: return imap_args_atom(a, &node->name);
    case MODSEQ: return take_modseq(a, p, node);
    }
    return false;
}

static bool take_leaf(struct imap_args *a, struct search *p)
{
    struct search_node *node;

    if (a->rest.len > 0 && (ascii_is_digit(a->rest.data[0]) ||
                            a->rest.data[0] == '*'))
        return imap_set_parse(a, &emit(p, SEARCH_NUMBERS)->set);
    for (size_t i = 0; i < COUNT(flag_keys); i++) {
        if (!imap_args_word(a, flag_keys[i].name))
            continue;
        node = emit(p, SEARCH_FLAGS);
        node->mask = flag_keys[i].mask;
        node->value = flag_keys[i].value;
        return true;
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!imap_args_word(a, keys[i].name))
            continue;
        node = emit(p, keys[i].op);
        node->name = view_of(keys[i].field);
        if (!take_argument(a, p, keys[i].argument, node))
            return false;
        if (keys[i].op == SEARCH_KEYWORD && keys[i].name[0] == 'U')
            emit(p, SEARCH_NOT);
        return true;
    }
    return imap_args_fail(a, "There is no such search key.");
}

/* --- NOT, OR and parentheses ------------------------------------------- */

enum frame_kind { FRAME_LIST, FRAME_NOT, FRAME_OR };

/* What was opened and is not complete. */
struct frames {
    struct {
        enum frame_kind kind;
        bool some; /* keys were there already */
    } stack[SEARCH_DEPTH_MAX + 1];
    unsigned n, max;
};

static bool push(struct imap_args *a, struct frames *f, enum frame_kind kind)
{
    if (f->n > f->max)
        return imap_args_fail(a, "The search is nested too deeply.");
    f->stack[f->n].kind = kind;
    f->stack[f->n++].some = false;
    return true;
}

/* Take what opens a level; *opened tells whether there was something. */
static bool open_level(struct imap_args *a, struct frames *f, bool *opened)
{
    *opened = true;
    if (imap_args_next_is(a, '('))
        return push(a, f, FRAME_LIST) && imap_args_char(a, '(');
    if (imap_args_word(a, "NOT"))
        return push(a, f, FRAME_NOT) && imap_args_space(a);
    if (imap_args_word(a, "OR"))
        return push(a, f, FRAME_OR) && imap_args_space(a);
    *opened = false;
    return true;
}

/* A key is complete: so may be what it stands in. False at an error or, with
 * f->n == 0, at the end; true when another key must follow. */
static bool close_levels(struct imap_args *a, struct search *p,
                         struct frames *f)
{
    for (;;) {
        bool some = f->stack[f->n - 1].some;

        f->stack[f->n - 1].some = true;
        switch (f->stack[f->n - 1].kind) {
        case FRAME_NOT:
            emit(p, SEARCH_NOT);
            break;
        case FRAME_OR:
            if (!some)
                return imap_args_space(a);
            emit(p, SEARCH_OR);
            break;
        case FRAME_LIST:
            if (some)
                emit(p, SEARCH_AND);
            if (imap_args_next_is(a, ' '))
                return imap_args_space(a);
            if (f->n == 1) {
                f->n -= imap_args_end(a);
                return false;
            }
            if (!imap_args_char(a, ')'))
                return false;
            break;
        }
        f->n--;
    }
}

static bool take_charset(struct imap_args *a, struct search *p)
{
    struct charset *cs;

    if (!imap_args_word(a, "CHARSET"))
        return true;
    if (!imap_args_space(a) || !imap_args_astring(a, &p->charset) ||
        !imap_args_space(a))
        return false;
    cs = charset_open(p->charset);
    p->bad_charset = cs == NULL;
    charset_close(&cs);
    return true;
}

bool search_parse(struct imap_args *a, unsigned depth, struct search *p)
{
    struct frames f = { .n = 0, .max = depth };
    bool opened;

    *p = (struct search){ .n = 0 };
    if (!take_charset(a, p))
        return false;
    if (p->bad_charset)
        return true;
    push(a, &f, FRAME_LIST);
    do {
        if (!open_level(a, &f, &opened) || (!opened && !take_leaf(a, p)))
            return false;
    } while (opened || close_levels(a, p, &f));
    return f.n == 0;
}

void search_release(struct search *p)
{
    for (size_t i = 0; i < p->n; i++) {
        buf_release(&p->nodes[i].needle);
        imap_set_release(&p->nodes[i].set);
    }
    free(p->nodes);
    *p = (struct search){ .n = 0 };
}
