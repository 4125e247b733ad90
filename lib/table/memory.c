/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/memory.h"

#include "base/alloc.h"
#include "table/fold.h"

struct item {
    struct map_node node;
    char *key, *value;
    size_t value_len;
};

static struct item *find(const struct memory *m, struct view key)
{
    struct map_node *node = map_find(&m->map, key);

    return node ? map_entry(node, struct item, node) : NULL;
}

static void set_value(struct item *it, struct view value)
{
    free(it->value);
    it->value = alloc_copy(value.data, value.len);
    it->value_len = value.len;
}

bool memory_add(struct memory *m, const struct table *t, struct view key,
                struct view value, bool replace)
{
    struct buf folded = BUF_INIT;
    struct item *it;

    if (t->flags & TABLE_KEEP_CASE)
        buf_add_view(&folded, key);
    else
        fold_key(key, t->flags & TABLE_BYTES, &folded);
    it = find(m, buf_view(&folded));
    if (it != NULL) {
        if (replace)
            set_value(it, value);
        buf_release(&folded);
        return replace;
    }
    it = alloc_zero(1, sizeof *it);
    it->node.key.len = folded.len;
    it->key = buf_take(&folded);
    it->node.key.data = it->key;
    set_value(it, value);
    map_add(&m->map, &it->node);
    return true;
}

int memory_lookup(const struct memory *m, struct view key, struct buf *out)
{
    const struct item *it = find(m, key);

    if (it == NULL)
        return 0;
    buf_add(out, it->value, it->value_len);
    return 1;
}

struct walk {
    int (*fn)(struct view key, struct view value, void *arg);
    void *arg;
    int stopped;
};

static void visit(struct map_node *node, void *arg)
{
    const struct item *it = map_entry(node, struct item, node);
    struct walk *w = arg;

    if (!w->stopped)
        w->stopped = w->fn(node->key,
                           (struct view){ it->value, it->value_len }, w->arg);
}

void memory_each(const struct memory *m,
                 int (*fn)(struct view key, struct view value, void *arg),
                 void *arg)
{
    struct walk w = { fn, arg, 0 };

    map_each(&m->map, visit, &w);
}

void memory_release(struct memory *m)
{
    struct map_node *node;

    while ((node = map_any(&m->map)) != NULL) {
        struct item *it = map_entry(node, struct item, node);

        map_remove(&m->map, node);
        free(it->key);
        free(it->value);
        free(it);
    }
}
