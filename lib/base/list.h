/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - a doubly linked list whose links live inside the elements.
 *
 * The list owns nothing. An element is in one list per link member at most;
 * a link that is in no list points at itself (list_init) or is all zero.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

/* The element that `link` is the member `member` of. */
#define list_entry(link, type, member) \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walk the links of `head`; the current one must stay in the list. */
#define list_each(it, head) \
    for (struct list *it = (head)->next; it != (head); it = it->next)

/* The same, and the current link may be removed or freed. */
#define list_each_safe(it, head) \
    for (struct list *it = (head)->next, *it##_n = it->next; it != (head); \
         it = it##_n, it##_n = it->next)

/* Make an empty list, or a link that is in none. */
static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Put `l` last (first) into `head`. */
static inline void list_append(struct list *head, struct list *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

static inline void list_prepend(struct list *head, struct list *l)
{
    list_append(head->next, l);
}

/* Take `l` out of its list; harmless when it is in none. */
static inline void list_remove(struct list *l)
{
    if (l->next == NULL)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

#endif
