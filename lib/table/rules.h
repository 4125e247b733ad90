/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules.h - tables that are read from top to bottom: cidr, regexp, pcre.
 *
 *     pattern  result          if pattern       (lines of a block,
 *     !pattern result          if !pattern       which may nest)
 *                              endif
 *
 * The first rule that matches answers. A rule that cannot be read is skipped
 * with a warning; an "if" that cannot be read never matches, so that what is
 * inside it does not apply to everything.
 *
 * What a pattern looks like is the business of a struct rules_syntax.
 */
#ifndef TABLE_RULES_H
#define TABLE_RULES_H

#include "table/source.h"
#include "table/table_type.h"

struct rule {
    bool is_if; /* begins a block, has no result */
    bool negated;
    unsigned line;
    size_t next;   /* is_if: the first rule behind the block */
    void *pattern; /* the syntax's own; NULL: never matches */
    void *result;  /* the syntax's own */
};

struct rules_syntax {
    /* Take a pattern off the front of `*rest` into r->pattern. */
    int (*take_pattern)(const struct table *t, struct rule *r,
                        struct view *rest, struct error *err);

    /* Make r->result of the rest of the line. */
    int (*set_result)(const struct table *t, struct rule *r, struct view text,
                      struct error *err);

    /* Does the rule apply, its negation seen to? 1, 0, or -1. `key` is what
     * the type gave to rules_lookup(). */
    int (*match)(const struct rule *r, void *key, struct error *err);

    /* Add the answer of a rule that matched. */
    int (*answer)(const struct rule *r, void *key, struct buf *out,
                  struct error *err);

    void (*free_rule)(struct rule *r);
};

struct rules {
    const struct rules_syntax *syntax;
    struct rule *list;
    size_t count, room;
    struct source_id id;
    bool in_name;
};

/* Read the file, or the { } list, that `t` names; t->state becomes a struct
 * rules. */
int rules_open(struct table *t, const struct rules_syntax *syntax,
               struct error *err);

/* Ask the rules in turn; as table_lookup(). */
int rules_lookup(struct table *t, void *key, struct buf *out,
                 struct error *err);

/* For struct table_type. */
bool rules_changed(const struct table *t);
void rules_close(struct table *t);

#endif
