/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - all names of mailboxes, and every parent that is only a name.
 *
 * Life:      tree_load, tree_each, tree_release.
 * Ownership: the tree owns its nodes.
 */
#ifndef IMAPD_TREE_H
#define IMAPD_TREE_H

#include "base/map.h"
#include "index/store.h"

struct tree_node {
    struct map_node node;
    char name[STORE_NAME_MAX + 1];
    bool exists, subscribed, has_children;
    bool below_subscribed; /* some child, at any depth, is subscribed */
    bool below_used;       /* some child has a use (RFC 6154) */
    bool below_exists;
    enum store_use use;
};

struct tree {
    struct map nodes;
};

/* Read all names of the store, the subscribed ones too; and free them. */
int tree_load(struct tree *t, struct store *s, struct error *err);
void tree_release(struct tree *t);

/* Call `each` for all names in their order, INBOX first. */
void tree_each(const struct tree *t,
               void (*each)(const struct tree_node *n, void *arg), void *arg);

#endif
