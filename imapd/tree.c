/* SPDX-License-Identifier: BSD-2-Clause */
#include "imapd/tree.h"

#include <stdlib.h>

#include "base/alloc.h"

/* The node of this name, made if it is not there; NULL for a name too long. */
static struct tree_node *node_of(struct tree *t, struct view name)
{
    struct map_node *found = map_find(&t->nodes, name);
    struct tree_node *n;

    if (found != NULL)
        return map_entry(found, struct tree_node, node);
    n = alloc_zero(1, sizeof *n);
    if (!view_copy(name, n->name, sizeof n->name)) {
        free(n);
        return NULL;
    }
    n->node.key = view_of(n->name);
    map_add(&t->nodes, &n->node);
    return n;
}

static void on_entry(const struct store_entry *e, void *arg)
{
    struct tree *t = arg;
    struct tree_node *n = node_of(t, e->name);
    struct view parent = e->name;

    if (n == NULL)
        return;
    n->exists = e->exists;
    n->subscribed = e->subscribed;
    n->has_children = n->has_children || e->has_children;
    n->use = e->use;
    while ((parent.len = view_rindex(parent, '.')) < e->name.len) {
        struct tree_node *p = node_of(t, parent);

        if (p == NULL)
            return;
        p->below_subscribed = p->below_subscribed || e->subscribed;
        p->below_used = p->below_used || e->use != STORE_USE_NONE;
        p->below_exists = p->below_exists || e->exists;
        p->has_children = p->has_children || e->exists;
        if (view_rindex(parent, '.') == parent.len)
            return;
    }
}

int tree_load(struct tree *t, struct store *s, struct error *err)
{
    *t = (struct tree){ { 0 } };
    if (store_each(s, on_entry, t, err) == 0)
        return 0;
    tree_release(t);
    return -1;
}

void tree_release(struct tree *t)
{
    struct map_node *n;

    while ((n = map_any(&t->nodes)) != NULL) {
        map_remove(&t->nodes, n);
        free(map_entry(n, struct tree_node, node));
    }
}

struct walk {
    void (*each)(const struct tree_node *n, void *arg);
    void *arg;
};

static void visit(struct map_node *node, void *arg)
{
    const struct tree_node *n = map_entry(node, struct tree_node, node);
    const struct walk *w = arg;

    if (strcmp(n->name, "INBOX") != 0)
        w->each(n, w->arg);
}

void tree_each(const struct tree *t,
               void (*each)(const struct tree_node *n, void *arg), void *arg)
{
    struct map_node *inbox = map_find(&t->nodes, VIEW("INBOX"));
    struct walk w = { each, arg };

    if (inbox != NULL)
        each(map_entry(inbox, struct tree_node, node), arg);
    map_each(&t->nodes, visit, &w);
}
