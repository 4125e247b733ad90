/* SPDX-License-Identifier: BSD-2-Clause */
/* static:text - the same answer to every key. */
#include "base/alloc.h"
#include "table/braces.h"
#include "table/table_type.h"

static int static_open(struct table *t, struct error *err)
{
    struct view rest = view_of(t->name), inside;

    if (t->name[0] != '{') {
        t->state = alloc_text(t->name);
        return 0;
    }
    if (!braces_take(&rest, &inside) || view_trim(rest).len > 0)
        return error_set(err, FAIL_PERM,
                         "cannot open table %s: the { } do not match",
                         t->spec);
    t->state = alloc_copy(inside.data, inside.len);
    return 0;
}

static int static_lookup(struct table *t, struct view key, struct buf *out,
                         struct error *err)
{
    (void)key;
    (void)err;
    buf_add_text(out, t->state);
    return 1;
}

static void static_close(struct table *t)
{
    free(t->state);
}

const struct table_type static_type = {
    .name = "static",
    .fixed = false, /* it answers anything, so it is never asked for parts */
    .open = static_open,
    .lookup = static_lookup,
    .close = static_close,
};
