/* SPDX-License-Identifier: BSD-2-Clause */
/* What the postern command changes and lists. */
#include "authd/authd.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/log.h"
#include "event/listener.h"

/* A command; with a password it waits for its hash. */
struct command {
    struct peer peer;
    struct work work;
    bool hashing;
    enum account_verb verb;
    char name[321];
    bool has_quota, has_enabled, enabled;
    uint64_t quota;
};

static struct {
    struct listener listener;
    uid_t uid;
} commands;

static struct command *command_of(struct peer *p)
{
    return list_entry(p, struct command, peer);
}

static void done(struct command *c, const char *why)
{
    struct account_done d = { view_of(why) };

    peer_send(&c->peer, &account_done_type, &d);
}

/* --- names ------------------------------------------------------------- */

static bool is_tenant(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (!ascii_is_alnum(v.data[i]) && strchr("-_", v.data[i]) == NULL)
            return false;
    return v.len > 0 && v.len <= 64;
}

static bool is_domain(struct view v)
{
    struct view rest = v, label;

    if (v.len == 0 || v.len > 255)
        return false;
    while (view_cut(&rest, '.', &label)) {
        if (label.len == 0 || label.len > 63 || label.data[0] == '-' ||
            label.data[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!ascii_is_alnum(label.data[i]) && label.data[i] != '-')
                return false;
    }
    return true;
}

/* Local parts of accounts are a subset of RFC 5321's dot-string. */
static bool is_address(struct view v)
{
    size_t at = view_rindex(v, '@');
    char before = '.';

    if (at == 0 || at == v.len || at > 64 ||
        !is_domain(view_sub(v, at + 1, v.len)))
        return false;
    for (size_t i = 0; i < at; i++) {
        char c = v.data[i];

        if (c == '.' && before == '.')
            return false;
        if (!ascii_is_alnum(c) && strchr(".-_+=~&'", c) == NULL)
            return false;
        before = c;
    }
    return before != '.';
}

static const char *check_name(enum account_noun noun, struct view name)
{
    switch (noun) {
    case ACCOUNT_TENANT:
        return is_tenant(name) ? NULL : "a tenant's name is 1 to 64 letters, "
                                        "digits, - and _";
    case ACCOUNT_DOMAIN:
        return is_domain(name) ? NULL : "that is not a domain's name";
    default:
        return is_address(name) ? NULL : "that is not an address, "
                                         "user@domain";
    }
}

/* --- changes ----------------------------------------------------------- */

static void send_line(const struct account_line *line, void *arg)
{
    peer_send(arg, &account_line_type, line);
}

static void finish_user(struct command *c, const struct secret *secret)
{
    struct view name = view_of(c->name);
    struct error err;
    int rc;

    if (c->verb == ACCOUNT_ADD)
        rc = database_add_account(name, secret, c->has_quota ? c->quota : 0,
                                  &err);
    else
        rc = database_set_account(name, secret,
                                  c->has_quota ? &c->quota : NULL,
                                  c->has_enabled ? &c->enabled : NULL, &err);
    done(c, rc < 0 ? err.text : "");
}

static void on_hash(struct work *w, bool ok, const struct secret *made)
{
    struct command *c = list_entry(w, struct command, work);

    c->hashing = false;
    if (!ok || made->hash[0] == '\0')
        done(c, "the password cannot be hashed");
    else
        finish_user(c, made);
}

static void change_user(struct command *c, const struct account_request *r)
{
    c->has_quota = (r->has & ACCOUNT_HAS_QUOTA) != 0;
    c->has_enabled = (r->has & ACCOUNT_HAS_ENABLED) != 0;
    c->quota = r->quota;
    c->enabled = r->enabled;
    if (r->has & ACCOUNT_HAS_PASSWORD) {
        c->hashing = true;
        c->work.done = on_hash;
        work_hash(&c->work, r->password);
    } else {
        finish_user(c, NULL);
    }
}

static int change_other(const struct account_request *r, struct view name,
                        struct error *err)
{
    struct buf tenant = BUF_INIT;
    int rc;

    if (r->noun == ACCOUNT_ALIAS && r->targets.len == 0)
        return error_set(err, FAIL_PERM, "an alias needs an address to go to");
    if (r->noun == ACCOUNT_ALIAS)
        return database_set_alias(name, r->targets, r->verb == ACCOUNT_ADD,
                                  err);
    if (r->verb != ACCOUNT_ADD)
        return error_set(err, FAIL_PERM, "a tenant or a domain has nothing "
                         "to set; delete it and add it again");
    if (r->noun == ACCOUNT_TENANT)
        return database_add_tenant(name, err);
    if (r->tenant.len == 0)
        return error_set(err, FAIL_PERM, "a domain needs a tenant: --tenant "
                         "NAME");
    directory_fold(&tenant, r->tenant);
    rc = database_add_domain(name, buf_view(&tenant), err);
    buf_release(&tenant);
    return rc;
}

static void act(struct command *c, const struct account_request *r,
                struct view name)
{
    struct error err = { .text = "" };
    int rc;

    if (r->verb == ACCOUNT_LIST)
        rc = database_list((enum account_noun)r->noun, name, send_line,
                           &c->peer, &err);
    else if (r->verb == ACCOUNT_DEL)
        rc = database_del((enum account_noun)r->noun, name, &err);
    else if (r->noun == ACCOUNT_USER) {
        change_user(c, r);
        return;
    } else
        rc = change_other(r, name, &err);
    done(c, rc < 0 ? err.text : "");
}

static void on_request(struct peer *p, const void *msg)
{
    const struct account_request *r = msg;
    struct command *c = command_of(p);
    struct buf name = BUF_INIT;
    const char *why = NULL;

    if (c->hashing || r->noun > ACCOUNT_ALIAS || r->verb > ACCOUNT_DEL) {
        peer_close(p);
        return;
    }
    directory_fold(&name, r->name);
    c->verb = (enum account_verb)r->verb;
    view_copy(buf_view(&name), c->name, sizeof c->name);
    if (r->verb != ACCOUNT_LIST)
        why = check_name((enum account_noun)r->noun, buf_view(&name));
    if (why != NULL)
        done(c, why);
    else
        act(c, r, buf_view(&name));
    buf_release(&name);
}

static const struct ipc_rule rules[] = {
    { &account_request_type, NULL, on_request },
    { NULL, NULL, NULL },
};

/* --- the socket -------------------------------------------------------- */

static void on_gone(struct peer *p)
{
    struct command *c = command_of(p);

    if (c->hashing)
        work_cancel(&c->work);
    free(c);
}

static void on_connection(struct listener *l, int fd)
{
    uint32_t pid;
    struct command *c;

    if (!ipc_is_from(fd, commands.uid, &pid)) {
        close(fd);
        return;
    }
    c = alloc_zero(1, sizeof *c);
    peer_init(&c->peer, l->loop, fd, "postern", pid, rules, on_gone);
}

void accounts_start(struct daemon *d)
{
    if (d->n_listeners != 1)
        log_fatal("expected the socket accounts, got %zu", d->n_listeners);
    commands.uid = d->uid;
    listener_init(&commands.listener, &d->loop, d->listeners[0], 0,
                  on_connection);
    listener_start(&commands.listener);
}
