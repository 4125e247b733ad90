/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.h - elements found by a key of bytes.
 *
 * A balanced tree (the C library's tsearch), so that keys chosen by an
 * attacker cost no more than others. Nodes live inside the elements: the map
 * owns neither keys nor elements, and an element's key must not change while
 * it is in the map.
 *
 * Life: all-zero is a valid empty map; empty it before dropping it.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/view.h"

struct map_node {
    struct view key;
};

struct map {
    void *root;
    size_t count;
};

/* The element that `node` is the member `member` of. */
#define map_entry(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* The node with `key`, or NULL. */
struct map_node *map_find(const struct map *m, struct view key);

/* Add `node`, its key set. False, and nothing done, if the key is taken. */
bool map_add(struct map *m, struct map_node *node);

/* Remove `node`, which must be in the map. */
void map_remove(struct map *m, struct map_node *node);

/* Some node of the map, or NULL when it is empty: for emptying it. */
struct map_node *map_any(const struct map *m);

/* Call `fn` for each node in the order of keys; `fn` may not change the map. */
void map_each(const struct map *m, void (*fn)(struct map_node *, void *),
              void *arg);

#endif
