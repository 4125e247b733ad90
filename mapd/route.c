/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

#include "base/ascii.h"

/* Does `v` begin with an enhanced status code (RFC 3463 §2) and a blank? */
static bool has_status(struct view v)
{
    struct view code = view_sub(v, 0, view_index(v, ' ')), part;
    unsigned n = 0;
    uint64_t number;

    while (view_cut(&code, '.', &part)) {
        if (part.len > 3 || !view_number(part, 999, &number) ||
            (n == 0 && number != 4 && number != 5))
            return false;
        n++;
    }
    return n == 3;
}

int route_set(struct lookup *l, struct view value, struct view otherwise,
              struct resolve_answer *r, struct error *err)
{
    size_t colon = view_index(value, ':');
    struct view transport = view_trim(view_sub(value, 0, colon));
    struct view nexthop = view_trim(view_sub(value, colon + 1, value.len));

    if (nexthop.len == 0)
        nexthop = otherwise;
    if (transport.len > TRANSPORT_MAX || nexthop.len > NEXTHOP_MAX - 6)
        return error_set(err, FAIL_TEMP, "\"%.*s\" is too long for a route",
                         VIEW_ARG(value));
    if (transport.len == 0)
        transport = r->transport;
    buf_reset(&l->route);
    buf_add_view(&l->route, transport);
    /* An error's next hop is a status and a reason; 5.0.0 says nothing. */
    if (view_is(transport, "error") && !has_status(nexthop))
        buf_add_text(&l->route, "5.0.0 ");
    buf_add_view(&l->route, nexthop);
    r->transport = view_sub(buf_view(&l->route), 0, transport.len);
    r->nexthop = view_sub(buf_view(&l->route), transport.len, l->route.len);
    return 0;
}

/* Is it ":", which leaves all as it is? */
static bool says_nothing(struct view value)
{
    return view_is(view_trim(value), ":");
}

int route_override(struct lookup *l, struct view address,
                   struct resolve_answer *r, struct error *err)
{
    struct view domain = view_sub(address, view_rindex(address, '@') + 1,
                                  address.len);
    struct view before = r->transport;
    char own[TRANSPORT_MAX + 1];
    int found;

    buf_reset(&l->value);
    found = maps_address(l, MAPS_TRANSPORT, MAPS_TRANSPORTS, address, NULL,
                         &l->value, err);
    if (found <= 0 || says_nothing(buf_view(&l->value)))
        return found < 0 ? -1 : 0;
    /* The old transport may stand in the buffer that the new one goes to. */
    if (!view_copy(before, own, sizeof own))
        own[0] = '\0';
    r->transport = view_of(own);
    if (route_set(l, buf_view(&l->value), domain, r, err) < 0)
        return error_prefix(err, "transport_maps: %.*s", VIEW_ARG(address));
    if (!view_is(r->transport, own)) {
        r->account = VIEW(""); /* it is not delivered to the mailbox */
        r->quota = 0;
    }
    return 0;
}
