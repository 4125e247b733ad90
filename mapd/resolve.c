/* SPDX-License-Identifier: BSD-2-Clause */
/* Which class an address is of, and its route (Postfix's address classes). */
#include "mapd/mapd.h"

static struct view domain_of(struct view address)
{
    return view_sub(address, view_rindex(address, '@') + 1, address.len);
}

/* Is `domain` in the list, or below a name in it? */
static bool in_list(const char *list, struct view domain)
{
    struct view rest = view_of(list), w;

    while (view_word(&rest, ", \t", &w)) {
        if (view_eq_nocase(w, domain))
            return true;
        if (domain.len > w.len &&
            domain.data[domain.len - w.len - 1] == '.' &&
            view_eq_nocase(view_sub(domain, domain.len - w.len, domain.len),
                           w))
            return true;
    }
    return false;
}

static void ours(const struct directory_answer *a, struct resolve_answer *r)
{
    r->class = CLASS_VIRTUAL;
    r->transport = view_of(mapd_conf.virtual_transport);
    switch (a->kind) {
    case DIRECTORY_ACCOUNT:
        r->account = a->account;
        r->quota = a->quota;
        if (!a->enabled) {
            r->result = RESOLVE_UNKNOWN;
            r->text = VIEW("mailbox disabled");
        }
        return;
    case DIRECTORY_ALIAS:
        return;
    case DIRECTORY_UNKNOWN:
        r->result = RESOLVE_UNKNOWN;
        r->text = VIEW("User unknown in virtual mailbox table");
        return;
    default:
        r->result = RESOLVE_LATER;
        r->text = VIEW("the directory does not answer");
        return;
    }
}

void resolve(struct lookup *l, struct view address, struct resolve_answer *r)
{
    struct directory_answer a;
    struct view domain = domain_of(address);

    *r = (struct resolve_answer){ .result = RESOLVE_OK };
    if (domain.len == address.len) {
        r->result = RESOLVE_REFUSED;
        r->text = VIEW("an address without a domain");
        return;
    }
    lookup_directory(l, address, &a);
    if (a.kind != DIRECTORY_NONE) {
        ours(&a, r);
        return;
    }
    if (in_list(mapd_conf.relay_domains, domain)) {
        r->class = CLASS_RELAY;
        r->transport = view_of(mapd_conf.relay_transport);
        r->nexthop = domain;
        return;
    }
    r->class = CLASS_DEFAULT;
    r->transport = view_of(mapd_conf.default_transport);
    r->nexthop = mapd_conf.relayhost[0] ? view_of(mapd_conf.relayhost)
                                        : domain;
}
