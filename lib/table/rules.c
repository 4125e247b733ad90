/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/rules.h"

#include "base/alloc.h"
#include "base/ascii.h"

/* The reader's place: which line, and which "if"s are open. */
struct reading {
    struct table *t;
    unsigned line;
    size_t *open; /* places of the ifs in the list, the innermost last */
    size_t open_count, open_room;
};

static struct rule *add_rule(struct rules *r)
{
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 16;
        r->list = alloc_resize(r->list, r->room, sizeof *r->list);
    }
    r->list[r->count] = (struct rule){ 0 };
    return &r->list[r->count++];
}

static void warn(const struct reading *rd, const char *what, const char *then)
{
    table_warn(rd->t, "%s map %s, line %u: %s%s", rd->t->type->name,
               rd->t->name, rd->line, what, then);
}

/* "if" and "endif" are words when no letter or digit follows. */
static bool take_word(struct view *line, const char *word)
{
    size_t len = strlen(word);

    if (!view_starts_nocase(*line, word) ||
        (line->len > len && ascii_is_alnum(line->data[len])))
        return false;
    *line = view_trim(view_sub(*line, len, line->len));
    return true;
}

static int take_pattern(struct reading *rd, struct rule *r, struct view *line,
                        struct error *err)
{
    const struct rules *rules = rd->t->state;

    if (line->len > 0 && line->data[0] == '!') {
        r->negated = true;
        *line = view_trim(view_sub(*line, 1, line->len));
        if (line->len == 0)
            return error_set(err, FAIL_PERM, "no pattern after '!'");
    }
    if (line->len == 0)
        return error_set(err, FAIL_PERM, "no pattern");
    return rules->syntax->take_pattern(rd->t, r, line, err);
}

static void open_block(struct reading *rd, struct view line)
{
    struct rules *rules = rd->t->state;
    struct rule *r = add_rule(rules);
    struct error err;

    r->is_if = true;
    r->line = rd->line;
    if (take_pattern(rd, r, &line, &err) < 0) {
        warn(rd, err.text, ": skipping the rules up to its ENDIF");
        r->pattern = NULL;
        r->negated = false;
    } else if (view_trim(line).len > 0) {
        warn(rd, "ignoring extra text after IF statement", "");
    }
    if (rd->open_count == rd->open_room) {
        rd->open_room = rd->open_room ? rd->open_room * 2 : 16;
        rd->open = alloc_resize(rd->open, rd->open_room, sizeof *rd->open);
    }
    rd->open[rd->open_count++] = rules->count - 1;
}

static void close_block(struct reading *rd, struct view line)
{
    struct rules *rules = rd->t->state;

    if (line.len > 0)
        warn(rd, "ignoring extra text after ENDIF", "");
    if (rd->open_count == 0)
        warn(rd, "ignoring ENDIF without matching IF", "");
    else
        rules->list[rd->open[--rd->open_count]].next = rules->count;
}

static void read_rule(struct reading *rd, struct view line)
{
    struct rules *rules = rd->t->state;
    struct rule *r = add_rule(rules);
    struct error err;

    r->line = rd->line;
    if (take_pattern(rd, r, &line, &err) == 0) {
        line = view_trim(line);
        if (line.len == 0)
            warn(rd, "no replacement text: using empty string", "");
        if (rules->syntax->set_result(rd->t, r, line, &err) == 0)
            return;
    }
    warn(rd, err.text, ": skipping this rule");
    rules->syntax->free_rule(r);
    rules->count--;
}

static void read_lines(struct reading *rd, struct view text)
{
    struct rules *rules = rd->t->state;
    struct lines l;
    struct view line;

    lines_begin(&l, text);
    while (source_next(rd->t, &l, rd->t->name, &line)) {
        rd->line = l.line;
        if (take_word(&line, "endif"))
            close_block(rd, line);
        else if (take_word(&line, "if"))
            open_block(rd, line);
        else
            read_rule(rd, line);
    }
    lines_end(&l);
    while (rd->open_count > 0) {
        struct rule *r = &rules->list[rd->open[--rd->open_count]];

        rd->line = r->line;
        warn(rd, "IF has no matching ENDIF", "");
        r->next = rules->count;
    }
    free(rd->open);
}

int rules_open(struct table *t, const struct rules_syntax *syntax,
               struct error *err)
{
    struct rules *r = alloc_zero(1, sizeof *r);
    struct reading rd = { .t = t };
    struct source s = { 0 };
    int rc;

    t->state = r;
    r->syntax = syntax;
    rc = source_read(&s, t, err);
    r->id = s.id;
    r->in_name = s.in_name;
    if (rc == 0)
        read_lines(&rd, buf_view(&s.text));
    source_release(&s);
    return rc;
}

int rules_lookup(struct table *t, void *key, struct buf *out,
                 struct error *err)
{
    const struct rules *rules = t->state;
    size_t i = 0;

    while (i < rules->count) {
        const struct rule *r = &rules->list[i];
        int hit = r->pattern ? rules->syntax->match(r, key, err) : 0;

        if (hit < 0)
            return error_prefix(err, "%s map %s, line %u", t->type->name,
                                t->name, r->line);
        if (hit && !r->is_if)
            return rules->syntax->answer(r, key, out, err);
        i = hit || !r->is_if ? i + 1 : r->next;
    }
    return 0;
}

bool rules_changed(const struct table *t)
{
    const struct rules *r = t->state;

    return !r->in_name && source_changed(t->name, &r->id);
}

void rules_close(struct table *t)
{
    struct rules *r = t->state;

    for (size_t i = 0; i < r->count; i++)
        r->syntax->free_rule(&r->list[i]);
    free(r->list);
    free(r);
}
