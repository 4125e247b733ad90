/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcre:file - Perl-compatible regular expressions, see pcre_table(5).
 *
 * No just-in-time compiler: memory is never both writable and executable.
 * Work is limited per match. A key that runs into a limit is an error and not
 * "no match", or a sender could walk round a rule by making it expensive.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "table/template.h"

#define MATCH_LIMIT    1000000 /* steps of backtracking */
#define DEPTH_LIMIT    100000  /* of them at a time */
#define HEAP_LIMIT_KIB 65536

struct pattern {
    pcre2_code *code;
    pcre2_match_data *found;
    pcre2_match_context *limits;
};

static const struct {
    char letter;
    uint32_t option;
} letters[] = {
    { 'i', PCRE2_CASELESS }, { 'm', PCRE2_MULTILINE }, { 's', PCRE2_DOTALL },
    { 'x', PCRE2_EXTENDED }, { 'A', PCRE2_ANCHORED },
    { 'E', PCRE2_DOLLAR_ENDONLY }, { 'U', PCRE2_UNGREEDY },
    { 'X', 0 }, /* PCRE's EXTRA, which PCRE2 always is */
};

static int read_flags(struct view flags, uint32_t *out, struct error *err)
{
    for (size_t i = 0; i < flags.len; i++) {
        size_t j = 0;

        while (j < sizeof letters / sizeof *letters &&
               letters[j].letter != flags.data[i])
            j++;
        if (j == sizeof letters / sizeof *letters)
            return error_set(err, FAIL_PERM, "unknown regexp option \"%c\"",
                             flags.data[i]);
        *out ^= letters[j].option;
    }
    return 0;
}

static struct pattern *make_pattern(pcre2_code *code)
{
    struct pattern *p = alloc_zero(1, sizeof *p);

    p->code = code;
    p->found = pcre2_match_data_create_from_pattern(code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (p->found == NULL || p->limits == NULL)
        out_of_memory();
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(p->limits, HEAP_LIMIT_KIB);
    return p;
}

static int take_pattern(const struct table *t, struct rule *r,
                        struct view *rest, struct error *err)
{
    uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
    struct view text, flags;
    pcre2_code *code;
    PCRE2_UCHAR why[200];
    PCRE2_SIZE at;
    int fault;

    if (template_take_pattern(rest, &text, &flags, err) < 0 ||
        read_flags(flags, &options, err) < 0)
        return -1;
    if (!(t->flags & TABLE_BYTES))
        options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
    code = pcre2_compile((PCRE2_SPTR)text.data, text.len, options, &fault, &at,
                         NULL);
    if (code == NULL) {
        pcre2_get_error_message(fault, why, sizeof why);
        return error_set(err, FAIL_PERM, "error in regex at offset %zu: %s",
                         (size_t)at, (const char *)why);
    }
    r->pattern = make_pattern(code);
    return 0;
}

static int set_result(const struct table *t, struct rule *r, struct view text,
                      struct error *err)
{
    const struct pattern *p = r->pattern;
    uint32_t groups = 0;

    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    return template_set(t, r, text, groups, err);
}

static int match(const struct rule *r, void *key, struct error *err)
{
    const struct pattern *p = r->pattern;
    const struct view *text = key;
    PCRE2_UCHAR why[200];
    int code;

    code = pcre2_match(p->code, (PCRE2_SPTR)(text->data ? text->data : ""),
                       text->len, 0, 0, p->found, p->limits);
    if (code >= 0 || code == PCRE2_ERROR_NOMATCH)
        return (code >= 0) != r->negated;
    pcre2_get_error_message(code, why, sizeof why);
    return error_set(err, FAIL_TEMP, "%s", (const char *)why);
}

/* What a rule matched in a key: the pair is put together by answer(). */
struct matched {
    const struct pattern *pattern;
    const struct view *text;
};

static struct view group(void *arg, unsigned n)
{
    const struct matched *m = arg;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->pattern->found);

    if (at[2 * n] == PCRE2_UNSET)
        return (struct view){ NULL, 0 };
    return view_sub(*m->text, at[2 * n], at[2 * n + 1]);
}

static int answer(const struct rule *r, void *key, struct buf *out,
                  struct error *err)
{
    struct matched m = { r->pattern, key };

    return template_answer(r, group, &m, out, err);
}

static void free_rule(struct rule *r)
{
    struct pattern *p = r->pattern;

    template_free(r);
    if (p == NULL)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->found);
    pcre2_code_free(p->code);
    free(p);
}

static const struct rules_syntax syntax = {
    take_pattern, set_result, match, answer, free_rule,
};

static int pcre_open(struct table *t, struct error *err)
{
    return rules_open(t, &syntax, err);
}

static int pcre_lookup(struct table *t, struct view key, struct buf *out,
                       struct error *err)
{
    return rules_lookup(t, &key, out, err);
}

const struct table_type pcre_type = {
    .name = "pcre",
    .fixed = false,
    .file = "",
    .open = pcre_open,
    .lookup = pcre_lookup,
    .changed = rules_changed,
    .close = rules_close,
};
