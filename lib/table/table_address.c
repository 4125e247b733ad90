/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table_address.h"

#include "mail/address.h"

/* An address taken apart; without @ the domain is empty and `at` false. */
struct parts {
    struct view whole, localpart, domain, user, extension;
    bool at, extended;
};

int table_address_in_list(void *arg, struct view key, enum table_part part,
                          struct buf *out, struct error *err)
{
    return table_list_lookup(arg, key, part, out, err);
}

static struct parts take_apart(const struct table_address *a,
                               struct view address)
{
    size_t at = view_rindex(address, '@');
    struct parts p = { .whole = address, .at = at < address.len };

    p.localpart = view_sub(address, 0, at);
    p.domain = view_sub(address, at + 1, address.len);
    if (!p.at)
        p.domain = (struct view){ NULL, 0 };
    p.extended = address_split(p.localpart, a->delimiters, &p.user,
                               &p.extension);
    return p;
}

/* Ask for a key. The whole one goes to every table; an empty one to none. */
static int ask(const struct table_address *a, struct view key,
               enum table_part part, struct buf *out, struct error *err)
{
    return key.len > 0 ? a->lookup(a->arg, key, part, out, err) : 0;
}

/* Ask for user@domain, user@ or @domain. */
static int ask_joined(const struct table_address *a, struct view user,
                      struct view domain, struct buf *out, struct error *err)
{
    struct buf key = BUF_INIT;
    int found;

    buf_add_view(&key, user);
    buf_add_char(&key, '@');
    buf_add_view(&key, domain);
    found = ask(a, buf_view(&key), TABLE_PART, out, err);
    buf_release(&key);
    return found;
}

/* The address as it is, then without its extension, which *dropped tells. */
static int ask_address(const struct table_address *a, const struct parts *p,
                       bool *dropped, struct buf *out, struct error *err)
{
    int found = ask(a, p->whole, TABLE_WHOLE, out, err);

    *dropped = false;
    if (found != 0 || !p->extended)
        return found;
    *dropped = true;
    if (!p->at)
        return ask(a, p->user, TABLE_PART, out, err);
    return ask_joined(a, p->user, p->domain, out, err);
}

/* The domain, then each parent: "domain" or ".domain", as the table has it.
 * An address in brackets has no parents. */
static int ask_domain(const struct table_address *a, struct view domain,
                      enum table_part part, struct buf *out,
                      struct error *err)
{
    for (;;) {
        int found = ask(a, domain, part, out, err);
        size_t dot;

        if (found != 0 || domain.len == 0 || domain.data[0] == '[')
            return found;
        dot = 1 + view_index(view_sub(domain, 1, domain.len), '.');
        if (dot + 1 >= domain.len)
            return 0;
        domain = view_sub(domain, a->parents ? dot + 1 : dot, domain.len);
        part = TABLE_PART;
    }
}

/* Localparts alone, for domains that are ours. */
static int ask_bare(const struct table_address *a, const struct parts *p,
                    bool *dropped, struct buf *out, struct error *err)
{
    int found;

    if (!p->at || a->is_local == NULL || !a->is_local(a->arg, p->domain))
        return 0;
    found = ask(a, p->localpart, TABLE_PART, out, err);
    if (found != 0 || !p->extended)
        return found;
    *dropped = true;
    return ask(a, p->user, TABLE_PART, out, err);
}

int table_address_rewrite(const struct table_address *a, struct view address,
                          struct view *extension, struct buf *out,
                          struct error *err)
{
    struct parts p = take_apart(a, address);
    bool dropped;
    int found = ask_address(a, &p, &dropped, out, err);

    if (found == 0) {
        dropped = false;
        found = ask_bare(a, &p, &dropped, out, err);
    }
    if (found == 0 && p.at) {
        dropped = p.extended;
        found = ask_joined(a, (struct view){ NULL, 0 }, p.domain, out, err);
    }
    if (extension != NULL)
        *extension = found == 1 && dropped ? p.extension
                                           : (struct view){ NULL, 0 };
    return found;
}

int table_address_alias(const struct table_address *a, struct view localpart,
                        struct view *extension, struct buf *out,
                        struct error *err)
{
    struct parts p = { .whole = localpart, .localpart = localpart };
    bool dropped;
    int found;

    p.extended = address_split(localpart, a->delimiters, &p.user, &p.extension);
    found = ask_address(a, &p, &dropped, out, err);
    if (extension != NULL)
        *extension = found == 1 && dropped ? p.extension
                                           : (struct view){ NULL, 0 };
    return found;
}

int table_address_transport(const struct table_address *a, struct view address,
                            struct buf *out, struct error *err)
{
    struct parts p = take_apart(a, address);
    bool dropped;
    int found = ask_address(a, &p, &dropped, out, err);

    if (found == 0)
        found = ask_domain(a, p.domain, TABLE_PART, out, err);
    return found ? found : ask(a, VIEW("*"), TABLE_PART, out, err);
}

int table_address_access(const struct table_address *a, struct view address,
                         struct buf *out, struct error *err)
{
    struct parts p = take_apart(a, address);
    struct view none = { NULL, 0 };
    bool dropped;
    int found = ask_address(a, &p, &dropped, out, err);

    if (found == 0)
        found = ask_domain(a, p.domain, TABLE_PART, out, err);
    if (found == 0 && p.localpart.len > 0)
        found = ask_joined(a, p.localpart, none, out, err);
    if (found == 0 && p.extended)
        found = ask_joined(a, p.user, none, out, err);
    return found;
}

int table_address_host(const struct table_address *a, struct view name,
                       struct buf *out, struct error *err)
{
    return ask_domain(a, name, TABLE_WHOLE, out, err);
}

int table_address_client(const struct table_address *a, struct view client,
                         struct buf *out, struct error *err)
{
    char sep = view_index(client, ':') < client.len ? ':' : '.';
    enum table_part part = TABLE_WHOLE;

    while (client.len > 0) {
        int found = ask(a, client, part, out, err);
        size_t cut = view_rindex(client, sep);

        if (found != 0 || cut == client.len)
            return found;
        client = view_sub(client, 0, cut);
        part = TABLE_PART;
    }
    return 0;
}
