/* SPDX-License-Identifier: BSD-2-Clause */
#include "master/roles.h"

#include <stdio.h>

#include "base/view.h"

/* cleanup and qmgr share a uid: files that one makes the other takes over.
 * They are parted by root directory, Landlock and seccomp. */
const struct role roles[] = {
    { .name = "logd", .uid_offset = 0, .shape = ROLE_HUB, .joins = "",
      .sockets = "log" },
    { .name = "qmgr", .uid_offset = 1, .shape = ROLE_HUB, .root = ROOT_QUEUE,
      .joins = "local smtp bounce mapd", .sockets = "qmgr showq" },
    { .name = "cleanup", .uid_offset = 1, .shape = ROLE_WORKER,
      .root = ROOT_INCOMING, .spare = 1, .joins = "qmgr mapd authd" },
    { .name = "smtpd", .uid_offset = 2, .shape = ROLE_WORKER, .spare = 1,
      .joins = "cleanup mapd authd dnsd keyd", .sockets = "*" },
    { .name = "smtp", .uid_offset = 3, .shape = ROLE_WORKER,
      .host_network = true, .joins = "dnsd mapd" },
    { .name = "bounce", .uid_offset = 4, .shape = ROLE_WORKER,
      .joins = "cleanup" },
    { .name = "mapd", .uid_offset = 5, .shape = ROLE_SHARED, .root = ROOT_HOST,
      .spare = 2, .joins = "authd" },
    { .name = "authd", .is_access = true, .uid_offset = 6,
      .shape = ROLE_HUB, .root = ROOT_DATA, .joins = "",
      .sockets = "accounts" },
    { .name = "keyd", .uid_offset = 7, .shape = ROLE_HUB, .joins = "" },
    { .name = "dnsd", .uid_offset = 8, .shape = ROLE_HUB,
      .host_network = true, .joins = "" },
    { .name = "login", .is_access = true, .uid_offset = 9,
      .shape = ROLE_WORKER, .spare = 1, .joins = "authd keyd" },
    { .name = "notify", .uid_offset = 10, .shape = ROLE_HUB, .joins = "" },
    { .name = "local", .shape = ROLE_WORKER, .root = ROOT_TENANT,
      .per = PER_TENANT, .joins = "notify" },
    { .name = "imapd", .is_access = true, .shape = ROLE_WORKER,
      .root = ROOT_ACCOUNT, .per = PER_SESSION, .joins = "notify" },
    { .name = "pop3d", .is_access = true, .shape = ROLE_WORKER,
      .root = ROOT_ACCOUNT, .per = PER_SESSION, .joins = "notify" },
    { .name = NULL },
};

const struct role *role_find(const char *name)
{
    for (const struct role *r = roles; r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

bool role_has_word(const char *words, const char *word)
{
    struct view rest = view_of(words), w;

    while (view_word(&rest, " ", &w))
        if (view_is(w, word))
            return true;
    return false;
}

bool role_may_join(const struct role *r, const struct role *other)
{
    return role_has_word(r->joins, other->name);
}

void roles_print(void)
{
    static const char *const roots[] = {
        [ROOT_EMPTY] = "empty", [ROOT_QUEUE] = "queue",
        [ROOT_INCOMING] = "incoming", [ROOT_DATA] = "accounts",
        [ROOT_TENANT] = "tenant", [ROOT_ACCOUNT] = "account",
        [ROOT_HOST] = "host",
    };

    for (const struct role *r = roles; r->name != NULL; r++) {
        if (r->per == PER_SERVICE)
            printf("%-8s uid=base+%u", r->name, r->uid_offset);
        else
            printf("%-8s uid=tenant", r->name);
        printf(" root=%s net=%s joins=%s sockets=%s\n", roots[r->root],
               r->host_network ? "host" : "empty", r->joins,
               r->sockets ? r->sockets : "");
    }
}
