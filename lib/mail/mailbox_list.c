/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mailbox_list.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "mail/lex.h"

#define SPECIALS        "()<>@,;:\""
#define DOMAIN_SPECIALS SPECIALS "["

/* One mailbox as it is read. The buffers are reused for each. */
struct reader {
    struct view rest;
    struct buf words; /* a name or local part: words, one blank between */
    struct buf comment;
    struct buf name, route, local, domain;
    bool has_words;
    bool has_address; /* local (and domain) are set, */
    bool has_angle;   /* from angle brackets */
    bool in_group;
};

/* --- the list ---------------------------------------------------------- */

static struct span keep(struct mailbox_list *l, const struct buf *b)
{
    return span_add(&l->text, buf_view(b));
}

static struct mailbox *append(struct mailbox_list *l, enum mailbox_kind kind)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->list = alloc_resize(l->list, l->cap, sizeof *l->list);
    }
    l->list[l->count] = (struct mailbox){ .kind = kind };
    return &l->list[l->count++];
}

struct view mailbox_list_text(const struct mailbox_list *l, struct span s)
{
    return span_view(&l->text, s);
}

void mailbox_list_release(struct mailbox_list *l)
{
    free(l->list);
    buf_release(&l->text);
    *l = MAILBOX_LIST_INIT;
}

/* --- reading ----------------------------------------------------------- */

static void forget(struct reader *r)
{
    buf_reset(&r->words);
    buf_reset(&r->comment);
    buf_reset(&r->name);
    buf_reset(&r->route);
    buf_reset(&r->local);
    buf_reset(&r->domain);
    r->has_words = r->has_address = r->has_angle = false;
}

/* What was read since the last comma is a mailbox, if it is anything. Words
 * alone are a local part whose domain is missing. */
static void finish(struct reader *r, struct mailbox_list *l)
{
    struct mailbox *m;

    if (r->has_address || r->has_words) {
        m = append(l, MAILBOX_ADDRESS);
        m->name = keep(l, r->name.len > 0 ? &r->name : &r->comment);
        m->route = keep(l, &r->route);
        m->local = keep(l, r->has_address ? &r->local : &r->words);
        m->domain = keep(l, &r->domain);
    }
    forget(r);
}

static void move(struct buf *to, struct buf *from)
{
    buf_reset(to);
    buf_add_view(to, buf_view(from));
    buf_reset(from);
}

/* A local part may have blanks around its dots (RFC 5322 §4.4 obs-local-part);
 * in a name they count. */
static void move_local(struct buf *to, struct buf *from)
{
    struct view v = buf_view(from);

    buf_reset(to);
    for (size_t i = 0; i < v.len; i++) {
        bool by_dot = (to->len > 0 && to->data[to->len - 1] == '.') ||
                      (i + 1 < v.len && v.data[i + 1] == '.');

        if (v.data[i] != ' ' || !by_dot)
            buf_add_char(to, v.data[i]);
    }
    buf_reset(from);
}

/* Take one word into r->words: an atom with its dots, or a quoted string.
 * What starts no word here (a ")", a control) is passed over. */
static void take_word(struct reader *r)
{
    bool quoted = lex_char(&r->rest, '"');
    struct view run = { NULL, 0 };

    if (!quoted) {
        run = lex_run(&r->rest, SPECIALS);
        if (run.len == 0) {
            r->rest = view_sub(r->rest, 1, r->rest.len);
            return;
        }
    }
    if (r->words.len > 0)
        buf_add_char(&r->words, ' ');
    r->has_words = true;
    if (quoted)
        lex_quoted(&r->rest, &r->words);
    else
        buf_add_view(&r->words, run);
}

/* Take a domain: atoms and literals with dots between, blanks between those
 * dropped. */
static void take_domain(struct reader *r, struct buf *out)
{
    bool dot = true; /* the next piece belongs to it */

    for (;;) {
        struct view piece;

        lex_skip(&r->rest, &r->comment);
        if (r->rest.len > 0 && r->rest.data[0] == '[' && dot)
            piece = view_sub(r->rest, 0, view_index(r->rest, ']') + 1);
        else
            piece = lex_run(&(struct view){ r->rest.data, r->rest.len },
                            DOMAIN_SPECIALS);
        if (piece.len == 0 || (!dot && piece.data[0] != '.'))
            return;
        for (size_t i = 0; i < piece.len; i++)
            if (piece.data[i] != '\0' && piece.data[i] != '\r' &&
                piece.data[i] != '\n')
                buf_add_char(out, piece.data[i]);
        dot = piece.data[piece.len - 1] == '.';
        r->rest = view_sub(r->rest, piece.len, r->rest.len);
    }
}

/* "@a,@b:" in front of an address; without its colon it is no route. */
static void take_route(struct reader *r)
{
    while (lex_char(&r->rest, '@')) {
        buf_add_char(&r->route, '@');
        take_domain(r, &r->route);
        lex_skip(&r->rest, &r->comment);
        if (lex_char(&r->rest, ','))
            buf_add_char(&r->route, ',');
        lex_skip(&r->rest, &r->comment);
    }
    lex_char(&r->rest, ':');
}

static bool at_any(const struct reader *r, const char *set)
{
    return r->rest.len > 0 && r->rest.data[0] != '\0' &&
           strchr(set, r->rest.data[0]) != NULL;
}

/* The words before an angle bracket are the name, even if they look like an
 * address themselves. */
static void take_name(struct reader *r, struct mailbox_list *l)
{
    if (r->has_angle) { /* a comma is missing */
        struct buf words = r->words;

        r->words = BUF_INIT;
        finish(r, l);
        buf_release(&r->words);
        r->words = words;
    }
    if (r->has_address) {
        move(&r->name, &r->local);
        if (r->domain.len > 0) {
            buf_add_char(&r->name, '@');
            buf_add_view(&r->name, buf_view(&r->domain));
        }
        buf_reset(&r->domain);
        buf_reset(&r->words);
    } else {
        move(&r->name, &r->words);
    }
}

/* An address in angle brackets, the first one taken. */
static void take_angle(struct reader *r, struct mailbox_list *l)
{
    take_name(r, l);
    r->has_address = r->has_angle = true;
    lex_skip(&r->rest, &r->comment);
    take_route(r);
    while (r->rest.len > 0 && !at_any(r, "@>,;<")) {
        take_word(r);
        lex_skip(&r->rest, &r->comment);
    }
    move_local(&r->local, &r->words);
    if (lex_char(&r->rest, '@'))
        take_domain(r, &r->domain);
    while (r->rest.len > 0 && !at_any(r, ">,;")) {
        take_word(r); /* whatever this is, it is not the address */
        lex_skip(&r->rest, NULL);
    }
    buf_reset(&r->words);
    lex_char(&r->rest, '>');
}

static void take_address(struct reader *r)
{
    if (r->has_address) { /* a second "@": the first one counts */
        buf_reset(&r->words);
        return;
    }
    move_local(&r->local, &r->words);
    take_domain(r, &r->domain);
    r->has_address = true;
}

static void start_group(struct reader *r, struct mailbox_list *l)
{
    struct mailbox *m;

    if (r->in_group || r->has_address)
        return; /* a stray colon */
    m = append(l, MAILBOX_GROUP_START);
    m->name = keep(l, &r->words);
    r->in_group = true;
    forget(r);
}

static void end_group(struct reader *r, struct mailbox_list *l)
{
    finish(r, l);
    if (r->in_group)
        append(l, MAILBOX_GROUP_END);
    r->in_group = false;
}

/* Take whatever comes next. */
static void step(struct reader *r, struct mailbox_list *l)
{
    if (lex_char(&r->rest, ','))
        finish(r, l);
    else if (lex_char(&r->rest, ';'))
        end_group(r, l);
    else if (lex_char(&r->rest, ':'))
        start_group(r, l);
    else if (lex_char(&r->rest, '<'))
        take_angle(r, l);
    else if (lex_char(&r->rest, '@'))
        take_address(r);
    else
        take_word(r);
}

void mailbox_list_parse(struct mailbox_list *l, struct view value,
                        size_t limit)
{
    struct reader r = { .rest = value };

    if (value.len > UINT32_MAX / 4 - l->text.len) {
        l->truncated = true; /* spans could not say where */
        return;
    }
    lex_skip(&r.rest, &r.comment);
    while (r.rest.len > 0 && l->count < limit) {
        step(&r, l);
        lex_skip(&r.rest, &r.comment);
    }
    if (r.rest.len > 0)
        l->truncated = true;
    else if (l->count < limit)
        finish(&r, l);
    if (r.in_group)
        append(l, MAILBOX_GROUP_END);
    buf_release(&r.words);
    buf_release(&r.comment);
    buf_release(&r.name);
    buf_release(&r.route);
    buf_release(&r.local);
    buf_release(&r.domain);
}
