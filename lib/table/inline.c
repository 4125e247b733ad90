/* SPDX-License-Identifier: BSD-2-Clause */
/* inline:{ key=value, { key = some text } } - a table in its own name. */
#include "base/alloc.h"
#include "table/braces.h"
#include "table/memory.h"

static int bad_syntax(const struct table *t, const char *what,
                      struct error *err)
{
    return error_set(err, FAIL_PERM,
                     "cannot open table %s: %s; want inline:{ key=value, "
                     "{ key = text with spaces } }", t->spec, what);
}

/* One "key=value", or "{ key = value }". */
static int add_pair(struct table *t, struct view word, struct error *err)
{
    struct view pair = word, key, value, name, rest;
    size_t equals;

    if (word.data[0] == '{' &&
        (!braces_take(&word, &pair) || word.len > 0))
        return bad_syntax(t, "the { } of an entry do not match", err);
    equals = view_index(pair, '=');
    if (equals == pair.len)
        return bad_syntax(t, "an entry has no \"=\"", err);
    key = view_trim(view_sub(pair, 0, equals));
    value = view_trim(view_sub(pair, equals + 1, pair.len));
    rest = key;
    if (!view_word(&rest, " \t\r\n", &name) || rest.len > 0)
        return bad_syntax(t, "an entry's key is not one word", err);
    memory_add(t->state, t, key, value, true);
    return 0;
}

static int inline_open(struct table *t, struct error *err)
{
    struct view rest = view_of(t->name), pairs, word;
    struct memory *m = alloc_zero(1, sizeof *m);

    t->state = m;
    if (!braces_take(&rest, &pairs) || view_trim(rest).len > 0)
        return bad_syntax(t, "the { } do not match", err);
    while (braces_word(&pairs, &word))
        if (add_pair(t, word, err) < 0)
            return -1;
    return m->map.count > 0 ? 0 : bad_syntax(t, "it has no entry", err);
}

static int inline_lookup(struct table *t, struct view key, struct buf *out,
                         struct error *err)
{
    (void)err;
    return memory_lookup(t->state, key, out);
}

static int inline_each(struct table *t,
                       int (*fn)(struct view key, struct view value,
                                 void *arg),
                       void *arg, struct error *err)
{
    (void)err;
    memory_each(t->state, fn, arg);
    return 0;
}

static void inline_close(struct table *t)
{
    memory_release(t->state);
    free(t->state);
}

const struct table_type inline_type = {
    .name = "inline",
    .fixed = true,
    .open = inline_open,
    .lookup = inline_lookup,
    .each = inline_each,
    .close = inline_close,
};
