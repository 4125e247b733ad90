/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template.h - /pattern/flags and results with $1: what regexp: and pcre:
 * have in common.
 *
 * In a result $n, ${n} and $(n) stand for what the n-th pair of parentheses
 * matched, "" if it took no part; $$ is a dollar.
 */
#ifndef TABLE_TEMPLATE_H
#define TABLE_TEMPLATE_H

#include "table/rules.h"

struct template;

/* Take "/regexp/flags" off `*rest`. Any character but letters, digits, white
 * space and backslash may stand for the slash; behind a backslash it does not
 * end the pattern. */
int template_take_pattern(struct view *rest, struct view *regexp,
                          struct view *flags, struct error *err);

/* Read a result into r->result. Dollars are refused when the rule is negated,
 * the table was opened with TABLE_NO_SUBST, or there is no such group among
 * the first `groups`. */
int template_set(const struct table *t, struct rule *r, struct view text,
                 unsigned groups, struct error *err);

/* Add the result of `r`, asking `group` for what a group matched; 1, or -1
 * when it gets longer than TABLE_VALUE_MAX. */
int template_answer(const struct rule *r,
                    struct view (*group)(void *arg, unsigned n), void *arg,
                    struct buf *out, struct error *err);

/* Free r->result. */
void template_free(struct rule *r);

#endif
