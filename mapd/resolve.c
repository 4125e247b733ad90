/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which class an address is of, and its route (Postfix's address classes).
 * The order of the questions is Postfix's: virtual_alias_maps for every
 * address, then $mydestination, virtual alias domains, virtual mailbox
 * domains, relay domains, and everybody else's. transport_maps has the last
 * word about the route.
 */
#include "mapd/mapd.h"

#include "base/log.h"

static struct view domain_of(struct view address)
{
    return view_sub(address, view_rindex(address, '@') + 1, address.len);
}

static struct view local_of(struct view address)
{
    return view_sub(address, 0, view_rindex(address, '@'));
}

void resolve_later(struct view address, const struct error *why,
                   struct resolve_answer *r)
{
    log_warning("cannot resolve <%.*s>: %s", VIEW_ARG(address), why->text);
    *r = (struct resolve_answer){ .result = RESOLVE_LATER,
                                  .text = VIEW("a table cannot be asked") };
}

static int unknown(struct resolve_answer *r, struct view text)
{
    r->result = RESOLVE_UNKNOWN;
    r->text = text;
    return 0;
}

int resolve_virtual_alias(struct lookup *l, struct view address,
                          struct view *extension, struct buf *out,
                          struct error *err)
{
    return maps_address(l, MAPS_VIRTUAL_ALIAS, MAPS_REWRITE, address,
                        extension, out, err);
}

int resolve_local_alias(struct lookup *l, struct view address,
                        struct view *extension, struct buf *out,
                        struct error *err)
{
    return maps_address(l, MAPS_ALIAS, MAPS_ALIASES, local_of(address),
                        extension, out, err);
}

/* Is the address in one parameter's tables? */
static int is_in(struct lookup *l, enum maps_name name, struct view address,
                 struct error *err)
{
    buf_reset(&l->value);
    return maps_address(l, name, MAPS_REWRITE, address, NULL, &l->value, err);
}

/* --- the classes ------------------------------------------------------- */

/* What is asked about an address of one class. */
struct question {
    struct view address, domain;
    bool known; /* virtual_alias_maps has it */
    bool skip_aliases;
};

/* Put the account's mailbox into the answer: 1 when there is one. */
static int use_account(struct lookup *l, struct view address,
                       struct resolve_answer *r, struct error *err)
{
    const struct directory_answer *a = directory_ask(l, address);

    if (a->kind == DIRECTORY_LATER)
        return error_set(err, FAIL_TEMP, "the directory does not answer");
    if (a->kind != DIRECTORY_ACCOUNT)
        return 0;
    r->account = a->account;
    r->quota = a->quota;
    if (!a->enabled) {
        r->result = RESOLVE_DISABLED;
        r->text = VIEW("mailbox disabled");
    }
    return 1;
}

static int local_class(struct lookup *l, const struct question *q,
                       struct resolve_answer *r, struct error *err)
{
    int alias = 0, listed, account;

    if (route_set(l, view_of(mapd_conf.local_transport), q->domain, r, err) <
        0)
        return -1;
    buf_reset(&l->value);
    if (!q->skip_aliases)
        alias = resolve_local_alias(l, q->address, NULL, &l->value, err);
    if (alias < 0)
        return -1;
    account = use_account(l, q->address, r, err);
    if (account < 0)
        return -1;
    if (alias || account || q->known)
        return 0;
    listed = is_in(l, MAPS_LOCAL_RECIPIENT, q->address, err);
    if (listed <= 0 || q->skip_aliases || view_is(r->transport, "local"))
        return listed < 0 ? -1 : unknown(r, VIEW("User unknown in local "
                                                 "recipient table"));
    return 0;
}

static int alias_class(struct lookup *l, const struct question *q,
                       struct resolve_answer *r, struct error *err)
{
    (void)l;
    (void)err;
    r->transport = VIEW("error");
    r->nexthop = VIEW("5.1.1 User unknown in virtual alias table");
    return q->known ? 0 : unknown(r, VIEW("User unknown in virtual alias "
                                          "table"));
}

/* Does the value of virtual_mailbox_maps name an account? Postfix's values
 * are paths, which mean nothing here. */
static bool is_account(struct view value)
{
    return view_index(value, '@') < value.len &&
           view_index(value, '/') == value.len;
}

static int virtual_class(struct lookup *l, const struct question *q,
                         struct resolve_answer *r, struct error *err)
{
    struct view who = q->address;
    int listed, account;

    if (route_set(l, view_of(mapd_conf.virtual_transport), q->domain, r,
                  err) < 0)
        return -1;
    listed = is_in(l, MAPS_VIRTUAL_MAILBOX, q->address, err);
    if (listed < 0)
        return -1;
    if (!listed)
        return q->known ? 0 : unknown(r, VIEW("User unknown in virtual "
                                              "mailbox table"));
    if (is_account(buf_view(&l->value)))
        who = buf_view(&l->value);
    account = use_account(l, who, r, err);
    if (account == 0 && l->found.answer.kind != DIRECTORY_ALIAS &&
        view_is(r->transport, "local"))
        return error_set(err, FAIL_TEMP, "virtual_mailbox_maps has it, but "
                         "the directory has no account %.*s; run \"postern "
                         "user add %.*s\"", VIEW_ARG(who), VIEW_ARG(who));
    return account < 0 ? -1 : 0;
}

static int relay_class(struct lookup *l, const struct question *q,
                       struct resolve_answer *r, struct error *err)
{
    int listed;

    if (route_set(l, view_of(mapd_conf.relay_transport), q->domain, r, err) <
        0)
        return -1;
    if (q->known || !maps_is_set(l, MAPS_RELAY_RECIPIENT))
        return 0;
    listed = is_in(l, MAPS_RELAY_RECIPIENT, q->address, err);
    if (listed == 0)
        unknown(r, VIEW("User unknown in relay recipient table"));
    return listed < 0 ? -1 : 0;
}

static int default_class(struct lookup *l, const struct question *q,
                         struct resolve_answer *r, struct error *err)
{
    struct view host = mapd_conf.relayhost[0] ? view_of(mapd_conf.relayhost)
                                              : q->domain;

    return route_set(l, view_of(mapd_conf.default_transport), host, r, err);
}

/* The first list that has the domain decides. */
static const struct {
    enum resolve_class class;
    enum maps_name domains; /* MAPS_COUNT: every domain */
    int (*resolve)(struct lookup *l, const struct question *q,
                   struct resolve_answer *r, struct error *err);
} classes[] = {
    { CLASS_LOCAL, MAPS_MYDESTINATION, local_class },
    { CLASS_ALIAS, MAPS_VIRTUAL_ALIAS_DOMAINS, alias_class },
    { CLASS_VIRTUAL, MAPS_VIRTUAL_MAILBOX_DOMAINS, virtual_class },
    { CLASS_RELAY, MAPS_RELAY_DOMAINS, relay_class },
    { CLASS_DEFAULT, MAPS_COUNT, default_class },
};

static int resolve_by_class(struct lookup *l, const struct question *q,
                            struct resolve_answer *r, struct error *err)
{
    size_t i = 0;

    while (classes[i].domains != MAPS_COUNT) {
        int has = maps_has_domain(l, classes[i].domains, q->domain, err);

        if (has < 0)
            return -1;
        if (has)
            break;
        i++;
    }
    r->class = classes[i].class;
    if (classes[i].resolve(l, q, r, err) < 0)
        return -1;
    return r->result == RESOLVE_OK ? route_override(l, q->address, r, err)
                                   : 0;
}

static void resolve_question(struct lookup *l, struct question *q,
                             struct resolve_answer *r)
{
    struct error err;

    *r = (struct resolve_answer){ .result = RESOLVE_OK };
    q->domain = domain_of(q->address);
    if (q->domain.len == 0 || q->domain.len == q->address.len) {
        r->result = RESOLVE_REFUSED;
        r->text = VIEW("an address without a domain");
        return;
    }
    l->address = q->address;
    if (resolve_by_class(l, q, r, &err) < 0)
        resolve_later(q->address, &err, r);
}

void resolve_final(struct lookup *l, struct view address, bool skip_aliases,
                   struct resolve_answer *r)
{
    struct question q = { .address = address, .skip_aliases = skip_aliases };

    resolve_question(l, &q, r);
}

void resolve(struct lookup *l, struct view address, struct resolve_answer *r)
{
    struct question q = { .address = address };
    struct error err;
    int found;

    directory_forget(l);
    buf_reset(&l->value);
    found = resolve_virtual_alias(l, address, NULL, &l->value, &err);
    if (found < 0) {
        resolve_later(address, &err, r);
        return;
    }
    q.known = found == 1;
    resolve_question(l, &q, r);
}
