/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - the hub of proto/notify.h.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "base/list.h"
#include "base/map.h"
#include "proto/notify.h"
#include "service/service.h"

/* Who joined us, as its stamp says. */
struct notify_peer {
    struct peer peer;
    struct list link; /* in its account's listeners */
    char tenant[ACCOUNT_MAX + 1];
    char account[ACCOUNT_MAX + 1]; /* "": it may tell for all of the tenant */
};

extern const struct ipc_rule notify_rules[];

/* What main.c names: service.h says when each is called. */
void notify_joined(struct daemon *d, struct peer *p, const struct stamp *s);
void notify_parted(struct daemon *d, struct peer *p);

#endif
