/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One question about an address leads to several about the directory: is the
 * domain ours, whose mailbox is it, what else does it lead to? One answer of
 * authd has all of that, so the last one is kept.
 */
#include "mapd/mapd.h"

#include "base/log.h"
#include "table/table_type.h"

static int call(struct lookup *l, struct view address,
                struct directory_answer *a, struct error *err)
{
    struct directory_ask ask = { address };

    if (l->authd.fd < 0 &&
        service_connect(l->daemon, "authd", "", mapd_conf.ipc_timeout * 1000,
                        &l->authd, err) < 0)
        return -1;
    if (ipc_call(&l->authd, &directory_ask_type, &ask, &directory_answer_type,
                 a, err) == 0)
        return 0;
    ipc_release(&l->authd);
    return -1;
}

static struct view keep(struct buf *b, struct view v)
{
    buf_reset(b);
    buf_add_view(b, v);
    return buf_view(b);
}

static bool is_known(const struct found *f, struct view address)
{
    if (f->asked.len == 0)
        return false;
    return view_eq(buf_view(&f->asked), address) ||
           view_eq(buf_view(&f->account), address);
}

void directory_forget(struct lookup *l)
{
    buf_reset(&l->found.asked);
    buf_reset(&l->found.account);
}

const struct directory_answer *directory_ask(struct lookup *l,
                                             struct view address)
{
    struct found *f = &l->found;
    struct directory_answer *a = &f->answer;
    struct error err;

    if (is_known(f, address))
        return a;
    directory_forget(l);
    /* Once more when authd may have been started anew.
     * NOLINTNEXTLINE(misc-redundant-expression) */
    if (call(l, address, a, &err) < 0 && call(l, address, a, &err) < 0) {
        log_warning("directory lookup of <%.*s>: %s", VIEW_ARG(address),
                    err.text);
        *a = (struct directory_answer){ .kind = DIRECTORY_LATER };
        return a;
    }
    a->tenant = keep(&f->tenant, a->tenant);
    a->account = keep(&f->account, a->account);
    a->targets = keep(&f->targets, a->targets);
    keep(&f->asked, address);
    return a;
}

/* --- the table --------------------------------------------------------- */

static int directory_open(struct table *t, struct error *err)
{
    if (t->name[0] == '\0')
        return 0;
    return error_set(err, FAIL_PERM, "cannot open table %s: there is one "
                     "directory, and it is written as \"directory:\"",
                     t->spec);
}

/* A domain is asked for together with the address that is looked at. */
static int lookup_domain(struct lookup *l, struct view domain,
                         struct buf *out)
{
    struct view address = l->address;
    struct buf bare = BUF_INIT;
    const struct directory_answer *a;

    buf_add_char(&bare, '@');
    buf_add_view(&bare, domain);
    if (address.len <= bare.len ||
        !view_eq_nocase(view_sub(address, address.len - bare.len,
                                 address.len), buf_view(&bare)))
        address = buf_view(&bare);
    a = directory_ask(l, address);
    buf_release(&bare);
    if (a->kind == DIRECTORY_LATER)
        return -1;
    if (a->kind == DIRECTORY_NONE)
        return 0;
    buf_add_view(out, a->tenant);
    return 1;
}

static int lookup_address(struct lookup *l, struct view address,
                          struct buf *out)
{
    const struct directory_answer *a = directory_ask(l, address);

    switch (a->kind) {
    case DIRECTORY_ACCOUNT:
        buf_add_view(out, a->account);
        return 1;
    case DIRECTORY_ALIAS:
        buf_add_view(out, address);
        return 1;
    case DIRECTORY_LATER:
        return -1;
    default:
        return 0;
    }
}

static int directory_lookup(struct table *t, struct view key, struct buf *out,
                            struct error *err)
{
    struct lookup *l = t->env.arg;
    size_t at = view_rindex(key, '@');
    int found;

    if (key.len == 0 || key.len > ENVELOPE_ADDR_MAX || at == 0)
        return 0; /* also "@domain": nobody has all of its mail */
    found = at == key.len ? lookup_domain(l, key, out)
                          : lookup_address(l, key, out);
    return found < 0 ? error_set(err, FAIL_TEMP,
                                 "the directory does not answer")
                     : found;
}

static void directory_close(struct table *t)
{
    (void)t;
}

const struct table_type directory_type = {
    .name = "directory",
    .fixed = true,
    .folds = true,
    .nameless = true,
    .open = directory_open,
    .lookup = directory_lookup,
    .close = directory_close,
};
