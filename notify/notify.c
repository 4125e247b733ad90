/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify/notify.h"

#include "base/alloc.h"
#include "base/log.h"

/* An account that somebody listens for. */
struct account {
    struct map_node node;
    char name[ACCOUNT_MAX + 1];
    struct list listeners;
};

static struct map accounts; /* by name */

static struct notify_peer *notify_peer_of(struct peer *p)
{
    return list_entry(p, struct notify_peer, peer);
}

static struct account *find(struct view name)
{
    struct map_node *n = map_find(&accounts, name);

    return n != NULL ? map_entry(n, struct account, node) : NULL;
}

static struct account *account_of(const struct notify_peer *np)
{
    struct account *a = find(view_of(np->account));

    if (a != NULL)
        return a;
    a = alloc_zero(1, sizeof *a);
    memcpy(a->name, np->account, sizeof a->name);
    a->node.key = view_of(a->name);
    list_init(&a->listeners);
    map_add(&accounts, &a->node);
    return a;
}

void notify_joined(struct daemon *d, struct peer *p, const struct stamp *s)
{
    struct notify_peer *np = notify_peer_of(p);

    (void)d;
    list_init(&np->link);
    if (!view_copy(s->tenant, np->tenant, sizeof np->tenant) ||
        !view_copy(s->account, np->account, sizeof np->account))
        np->tenant[0] = np->account[0] = '\0';
}

void notify_parted(struct daemon *d, struct peer *p)
{
    struct notify_peer *np = notify_peer_of(p);
    struct account *a = find(view_of(np->account));

    (void)d;
    list_remove(&np->link);
    if (a != NULL && list_empty(&a->listeners)) {
        map_remove(&accounts, &a->node);
        free(a);
    }
}

static void on_listen(struct peer *p, const void *msg)
{
    struct notify_peer *np = notify_peer_of(p);

    (void)msg;
    if (np->account[0] != '\0' && list_empty(&np->link))
        list_append(&account_of(np)->listeners, &np->link);
}

/* A teller of one account tells of no other, one of a tenant of no other
 * tenant's: those simply have no such listeners. */
static void on_changed(struct peer *p, const void *msg)
{
    const struct notify_changed *c = msg;
    struct notify_peer *np = notify_peer_of(p);
    struct account *a = find(c->account);

    if (np->account[0] != '\0' && !view_is(c->account, np->account)) {
        log_warning("%s[%u] spoke of the account %.*s, which is not its own",
                    p->role, p->pid, VIEW_ARG(c->account));
        return;
    }
    if (a == NULL)
        return;
    list_each_safe (l, &a->listeners) {
        struct notify_peer *to = list_entry(l, struct notify_peer, link);

        if (to != np && strcmp(to->tenant, np->tenant) == 0)
            peer_send(&to->peer, &notify_changed_type, c);
    }
}

const struct ipc_rule notify_rules[] = {
    { &notify_listen_type, "imapd", on_listen },
    { &notify_changed_type, "local imapd pop3d", on_changed },
    { NULL, NULL, NULL },
};
