/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/param.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "config/config.h"

const struct param *param_find(struct view name)
{
    for (const struct param_table *t = param_tables; t->program != NULL; t++)
        for (const struct param *p = t->params; p->name != NULL; p++)
            if (view_is(name, p->name))
                return p;
    return NULL;
}

/* A number with one letter behind it that multiplies it; false when it is
 * none or does not fit. */
static bool scaled(const char *text, const char *letters,
                   const uint64_t *factors, uint64_t *out)
{
    struct view v = view_trim(view_of(text));
    uint64_t factor = 1;
    const char *at;

    if (v.len > 0 && !ascii_is_digit(v.data[v.len - 1])) {
        at = strchr(letters, v.data[v.len - 1]);
        if (at == NULL || *at == '\0')
            return false;
        factor = factors[at - letters];
        v.len--;
    }
    if (!view_number(v, UINT64_MAX / factor, out))
        return false;
    *out *= factor;
    return true;
}

static bool parse_number(enum param_type type, const char *text, uint64_t *out)
{
    static const uint64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
    static const uint64_t bytes[] = { 1024, 1024, 1 << 20, 1 << 20, 1 << 30,
                                      1 << 30 };

    switch (type) {
    case PARAM_TYPE_TIME:
        return scaled(text, "smhdw", seconds, out);
    case PARAM_TYPE_SIZE:
        return scaled(text, "kKmMgG", bytes, out);
    default:
        return scaled(text, "", NULL, out);
    }
}

static const char *unit_of(enum param_type type)
{
    return type == PARAM_TYPE_TIME
               ? "a time: a number with s, m, h, d or w"
               : type == PARAM_TYPE_SIZE ? "a size: bytes, or with k, M or G"
                                         : "a whole number";
}

static int parse_ranged(const struct param *p, const char *value,
                        uint64_t *out, const char *where, struct error *err)
{
    uint64_t least, most;

    if (!parse_number(p->type, value, out))
        return error_set(err, FAIL_PERM, "%s: %s = %s is not %s", where,
                         p->name, value, unit_of(p->type));
    if (!parse_number(p->type, p->min, &least) ||
        !parse_number(p->type, p->max, &most))
        abort(); /* a table's own limits are always well-formed */
    if (*out < least || *out > most)
        return error_set(err, FAIL_PERM, "%s: %s = %s is not between %s and "
                         "%s", where, p->name, value, p->min, p->max);
    return 0;
}

static int parse_bool(const struct param *p, const char *value, bool *out,
                      const char *where, struct error *err)
{
    if (view_is_nocase(view_of(value), "yes"))
        *out = true;
    else if (view_is_nocase(view_of(value), "no"))
        *out = false;
    else
        return error_set(err, FAIL_PERM, "%s: %s = %s is neither yes nor no",
                         where, p->name, value);
    return 0;
}

static int parse_choice(const struct param *p, const char *value,
                        unsigned *out, const char *where, struct error *err)
{
    struct view rest = view_of(p->min), word;

    for (unsigned i = 0; view_word(&rest, " ", &word); i++) {
        if (view_is_nocase(word, value)) {
            *out = i;
            return 0;
        }
    }
    return error_set(err, FAIL_PERM, "%s: %s = %s is none of: %s", where,
                     p->name, value, p->min);
}

int param_parse(const struct param *p, const char *value, void *field,
                const char *where, struct error *err)
{
    uint64_t n;

    switch (p->type) {
    case PARAM_TYPE_TEXT:
        *(char **)field = alloc_text(value);
        return 0;
    case PARAM_TYPE_BOOL:
        return parse_bool(p, value, field, where, err);
    case PARAM_TYPE_CHOICE:
        return parse_choice(p, value, field, where, err);
    case PARAM_TYPE_SIZE:
        return parse_ranged(p, value, field, where, err);
    case PARAM_TYPE_UINT:
    case PARAM_TYPE_TIME:
        if (parse_ranged(p, value, &n, where, err) < 0)
            return -1;
        if (n > UINT32_MAX)
            return error_set(err, FAIL_PERM, "%s: %s = %s is too large",
                             where, p->name, value);
        *(unsigned *)field = (unsigned)n;
        return 0;
    }
    abort();
}
