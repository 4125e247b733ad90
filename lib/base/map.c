/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map.h"

#include <assert.h>
#include <search.h>

#include "base/alloc.h"

static int by_key(const void *a, const void *b)
{
    return view_cmp(((const struct map_node *)a)->key,
                    ((const struct map_node *)b)->key);
}

struct map_node *map_find(const struct map *m, struct view key)
{
    struct map_node want = { key };
    void *const *found = tfind(&want, (void *const *)&m->root, by_key);

    return found ? *found : NULL;
}

bool map_add(struct map *m, struct map_node *node)
{
    void *const *slot = tsearch(node, &m->root, by_key);

    if (slot == NULL)
        out_of_memory(); /* for its node */
    if (*slot != node)
        return false;
    m->count++;
    return true;
}

void map_remove(struct map *m, struct map_node *node)
{
    void *found = tdelete(node, &m->root, by_key);

    assert(found != NULL);
    m->count--;
}

struct map_node *map_any(const struct map *m)
{
    /* The root of a tsearch tree begins with the pointer to its element. */
    return m->root ? *(struct map_node **)m->root : NULL;
}

struct walk {
    void (*fn)(struct map_node *, void *);
    void *arg;
};

static void visit(const void *node, VISIT which, void *closure)
{
    struct walk *w = closure;

    if (which == postorder || which == leaf)
        w->fn(*(struct map_node *const *)node, w->arg);
}

void map_each(const struct map *m, void (*fn)(struct map_node *, void *),
              void *arg)
{
    struct walk w = { fn, arg };

    twalk_r(m->root, visit, &w);
}
