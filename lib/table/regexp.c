/* SPDX-License-Identifier: BSD-2-Clause */
/* regexp:file - POSIX regular expressions, see regexp_table(5). */
#include <regex.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "table/template.h"

#define GROUPS_MAX 99
#define RUN_MAX    8 /* repetitions of a repetition of... */

/* The key of one lookup, and what the last rule found in it. */
struct subject {
    struct view text;
    regmatch_t group[GROUPS_MAX + 1];
};

static int read_flags(struct view flags, int *out, struct error *err)
{
    *out = REG_EXTENDED | REG_ICASE;
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.data[i]) {
        case 'i':
            *out ^= REG_ICASE;
            break;
        case 'm':
            *out ^= REG_NEWLINE;
            break;
        case 'x':
            *out ^= REG_EXTENDED;
            break;
        default:
            return error_set(err, FAIL_PERM, "unknown regexp option \"%c\"",
                             flags.data[i]);
        }
    }
    return 0;
}

/* POSIX gives "a**" no meaning, and regcomp(3) takes the fourth power of such
 * a run's length of time; ".*?", which people write, is fine. An interval
 * doubles and more what stands before it. */
static bool repeats_too_often(struct view pattern)
{
    bool in_interval = false;
    size_t run = 0;

    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.data[i];

        if (in_interval)
            in_interval = ascii_is_digit(c) || c == ',';
        else if (c == '*' || c == '+' || c == '?' || c == '{')
            run++;
        else
            run = 0;
        in_interval = in_interval || c == '{';
        if (run > RUN_MAX)
            return true;
    }
    return false;
}

static int take_pattern(const struct table *t, struct rule *r,
                        struct view *rest, struct error *err)
{
    struct view text, flags;
    int options, code;
    regex_t *re;
    char *copy, why[200];

    (void)t;
    if (template_take_pattern(rest, &text, &flags, err) < 0 ||
        read_flags(flags, &options, err) < 0)
        return -1;
    if (repeats_too_often(text))
        return error_set(err, FAIL_PERM, "more than %d repetitions in a row",
                         RUN_MAX);
    re = alloc_zero(1, sizeof *re);
    copy = alloc_copy(text.data, text.len);
    code = regcomp(re, copy, options);
    free(copy);
    if (code != 0) {
        regerror(code, re, why, sizeof why);
        free(re);
        return error_set(err, FAIL_PERM, "%s", why);
    }
    r->pattern = re;
    return 0;
}

static int set_result(const struct table *t, struct rule *r, struct view text,
                      struct error *err)
{
    const regex_t *re = r->pattern;
    unsigned groups = re->re_nsub < GROUPS_MAX ? (unsigned)re->re_nsub
                                               : GROUPS_MAX;

    return template_set(t, r, text, groups, err);
}

static int match(const struct rule *r, void *key, struct error *err)
{
    struct subject *s = key;
    char why[200];
    int code;

    s->group[0].rm_so = 0;
    s->group[0].rm_eo = (regoff_t)s->text.len;
    code = regexec(r->pattern, s->text.data ? s->text.data : "",
                   GROUPS_MAX + 1, s->group, REG_STARTEND);
    if (code == 0 || code == REG_NOMATCH)
        return (code == 0) != r->negated;
    regerror(code, r->pattern, why, sizeof why);
    return error_set(err, FAIL_TEMP, "%s", why);
}

static struct view group(void *arg, unsigned n)
{
    const struct subject *s = arg;
    const regmatch_t *m = &s->group[n];

    if (m->rm_so < 0)
        return (struct view){ NULL, 0 };
    return view_sub(s->text, (size_t)m->rm_so, (size_t)m->rm_eo);
}

static int answer(const struct rule *r, void *key, struct buf *out,
                  struct error *err)
{
    return template_answer(r, group, key, out, err);
}

static void free_rule(struct rule *r)
{
    template_free(r);
    if (r->pattern != NULL)
        regfree(r->pattern);
    free(r->pattern);
}

static const struct rules_syntax syntax = {
    take_pattern, set_result, match, answer, free_rule,
};

static int regexp_open(struct table *t, struct error *err)
{
    return rules_open(t, &syntax, err);
}

static int regexp_lookup(struct table *t, struct view key, struct buf *out,
                         struct error *err)
{
    struct subject s = { .text = key };

    return rules_lookup(t, &s, out, err);
}

const struct table_type regexp_type = {
    .name = "regexp",
    .fixed = false,
    .file = "",
    .open = regexp_open,
    .lookup = regexp_lookup,
    .changed = rules_changed,
    .close = rules_close,
};
