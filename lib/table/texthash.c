/* SPDX-License-Identifier: BSD-2-Clause */
/* texthash:file - the source of a hash: table, read into memory as it is. */
#include "base/alloc.h"
#include "table/entry.h"
#include "table/memory.h"
#include "table/source.h"

struct texthash {
    struct memory entries;
    struct source_id id;
};

static void add_line(struct table *t, const struct lines *l, struct view line)
{
    struct texthash *th = t->state;
    struct view key, value;
    enum entry_fault fault = entry_parse(line, &key, &value);

    if (fault != ENTRY_FINE)
        table_warn(t, "%s, line %u: %s", t->name, l->line,
                   entry_fault_text(fault));
    if (fault != ENTRY_FINE && fault != ENTRY_COLON)
        return;
    if (!memory_add(&th->entries, t, key, value, false))
        table_warn(t, "%s, line %u: duplicate entry: \"%.*s\"", t->name,
                   l->line, VIEW_ARG(key));
}

static int texthash_open(struct table *t, struct error *err)
{
    struct texthash *th = alloc_zero(1, sizeof *th);
    struct source s = { 0 };
    struct lines l;
    struct view line;
    int rc;

    t->state = th;
    rc = source_read(&s, t, err);
    if (rc == 0) {
        th->id = s.id;
        lines_begin(&l, buf_view(&s.text));
        while (source_next(t, &l, t->name, &line))
            add_line(t, &l, line);
        lines_end(&l);
    }
    source_release(&s);
    return rc;
}

static int texthash_lookup(struct table *t, struct view key, struct buf *out,
                           struct error *err)
{
    const struct texthash *th = t->state;

    (void)err;
    return memory_lookup(&th->entries, key, out);
}

static bool texthash_changed(const struct table *t)
{
    const struct texthash *th = t->state;

    return source_changed(t->name, &th->id);
}

static int texthash_each(struct table *t,
                         int (*fn)(struct view key, struct view value,
                                   void *arg),
                         void *arg, struct error *err)
{
    const struct texthash *th = t->state;

    (void)err;
    memory_each(&th->entries, fn, arg);
    return 0;
}

static void texthash_close(struct table *t)
{
    struct texthash *th = t->state;

    memory_release(&th->entries);
    free(th);
}

const struct table_type texthash_type = {
    .name = "texthash",
    .fixed = true,
    .file = "",
    .open = texthash_open,
    .lookup = texthash_lookup,
    .changed = texthash_changed,
    .each = texthash_each,
    .close = texthash_close,
};
