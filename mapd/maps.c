/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table is opened before the jail and, when its source changes, again in
 * it. Most sources are replaced by a new file of the same name, so the jail
 * must be able to read the directory they are in.
 */
#include "mapd/mapd.h"

#include "base/alloc.h"
#include "base/log.h"
#include "table/table_type.h"

enum kind { TABLES, ALIASES, DOMAINS, PARENT_DOMAINS };

#define AT(field) #field, offsetof(struct mapd_conf, field)

static const struct {
    const char *parameter;
    size_t offset;
    enum kind kind;
} rows[MAPS_COUNT] = {
    [MAPS_VIRTUAL_ALIAS] = { AT(virtual_alias_maps), TABLES },
    [MAPS_VIRTUAL_MAILBOX] = { AT(virtual_mailbox_maps), TABLES },
    [MAPS_ALIAS] = { AT(alias_maps), ALIASES },
    [MAPS_LOCAL_RECIPIENT] = { AT(local_recipient_maps), TABLES },
    [MAPS_RELAY_RECIPIENT] = { AT(relay_recipient_maps), TABLES },
    [MAPS_TRANSPORT] = { AT(transport_maps), TABLES },
    [MAPS_TLS_POLICY] = { AT(smtp_tls_policy_maps), TABLES },
    [MAPS_SASL_PASSWORD] = { AT(smtp_sasl_password_maps), TABLES },
    [MAPS_SENDER_LOGIN] = { AT(smtpd_sender_login_maps), TABLES },
    [MAPS_MYDESTINATION] = { AT(mydestination), DOMAINS },
    [MAPS_VIRTUAL_ALIAS_DOMAINS] = { AT(virtual_alias_domains), DOMAINS },
    [MAPS_VIRTUAL_MAILBOX_DOMAINS] = { AT(virtual_mailbox_domains), DOMAINS },
    [MAPS_RELAY_DOMAINS] = { AT(relay_domains), PARENT_DOMAINS },
};

/* Who may ask for what, of its own accord. Whatever is not here is asked by
 * nobody: smtpd, which strangers talk to, never sees a password. */
static const struct {
    const char *role;
    enum maps_name name;
} rights[] = {
    { "smtp", MAPS_TLS_POLICY },
    { "smtp", MAPS_SASL_PASSWORD },
    { "smtpd", MAPS_SENDER_LOGIN },
};

static const struct table_type *const own_types[] = { &directory_type, NULL };

static const char *value_of(enum maps_name name)
{
    const char *conf = (const char *)&mapd_conf;
    char *value;

    memcpy(&value, conf + rows[name].offset, sizeof value);
    return value;
}

/* The directory answers for accounts and their domains, nothing else. */
static struct table_env env_of(struct lookup *l, enum maps_name name)
{
    bool own = name == MAPS_VIRTUAL_MAILBOX ||
               name == MAPS_VIRTUAL_MAILBOX_DOMAINS;

    return (struct table_env){ .types = own ? own_types : NULL, .arg = l };
}

static void close_maps(struct maps *m)
{
    table_list_close(&m->tables);
    domains_close(&m->domains);
}

static int open_maps(struct lookup *l, enum maps_name name, struct maps *m,
                     struct error *err)
{
    struct table_env env = env_of(l, name);
    unsigned flags = rows[name].kind == ALIASES ? TABLE_NO_SUBST : 0;

    *m = (struct maps){ .stale = false };
    if (rows[name].kind >= DOMAINS)
        m->domains = domains_open(&env, value_of(name),
                                  rows[name].kind == PARENT_DOMAINS, err);
    else
        m->tables = table_list_open(&env, value_of(name), flags, err);
    if (m->domains == NULL && m->tables == NULL)
        return error_prefix(err, "%s", rows[name].parameter);
    return 0;
}

static bool is_fresh(const struct maps *m)
{
    if (m->tables != NULL)
        return !table_list_changed(m->tables);
    return m->domains != NULL && !domains_changed(m->domains);
}

/* Open what is not open or has changed. An old table is better than none, but
 * if the jail is what keeps us from the new one, a fresh process is better
 * still. */
static int refresh(struct lookup *l, enum maps_name name, struct error *err)
{
    struct maps *m = &l->maps[name], fresh;

    if (is_fresh(m))
        return 0;
    if (open_maps(l, name, &fresh, err) == 0) {
        close_maps(m);
        *m = fresh;
        return 0;
    }
    service_last_client(l->daemon);
    if (m->tables == NULL && m->domains == NULL)
        return -1;
    if (!m->stale)
        log_warning("%s; going on with what it was before", err->text);
    m->stale = true;
    return 0;
}

/* --- before the jail --------------------------------------------------- */

/* Directories with so much beside tables that they stay closed: only the file
 * is opened to the jail, as it is now. */
static bool is_shared(const char *directory)
{
    static const char *const shared[] = { "", "/etc", "/home", "/root", "/run",
                                          "/srv", "/tmp", "/usr", "/var" };

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (strcmp(directory, shared[i]) == 0)
            return true;
    return false;
}

static void allow(struct daemon *d, const char *path)
{
    struct view whole = view_of(path);
    struct view parent = view_sub(whole, 0, view_rindex(whole, '/'));
    char *directory = alloc_copy(parent.data, parent.len);

    service_allow(d, is_shared(directory) ? path : directory, SANDBOX_READ);
    free(directory);
}

/* Landlock looks at where a file is, not at the link that leads there. */
static void allow_file(const char *path, void *arg)
{
    char *real;

    if (path[0] != '/')
        return;
    allow(arg, path);
    real = realpath(path, NULL);
    if (real != NULL && strcmp(real, path) != 0)
        allow(arg, real);
    free(real);
}

void maps_prepare(struct lookup *l)
{
    for (enum maps_name name = 0; name < MAPS_COUNT; name++) {
        struct table_env env = env_of(l, name);
        struct error err;

        if (name >= MAPS_MYDESTINATION)
            domains_files(&env, value_of(name), allow_file, l->daemon);
        else
            table_list_files(&env, value_of(name), allow_file, l->daemon);
        if (open_maps(l, name, &l->maps[name], &err) < 0)
            log_warning("%s; mail that needs it will wait", err.text);
    }
}

/* --- questions --------------------------------------------------------- */

int maps_lookup(struct lookup *l, enum maps_name name, struct view key,
                enum table_part part, struct buf *out, struct error *err)
{
    int found;

    if (refresh(l, name, err) < 0)
        return -1;
    found = table_list_lookup(l->maps[name].tables, key, part, out, err);
    return found < 0 ? error_prefix(err, "%s", rows[name].parameter) : found;
}

/* What table_address asks through: one parameter's tables. */
struct asking {
    struct lookup *l;
    enum maps_name name;
    struct error err; /* of is_local(), which cannot fail itself */
    bool failed;
};

static int ask(void *arg, struct view key, enum table_part part,
               struct buf *out, struct error *err)
{
    struct asking *a = arg;

    if (a->failed) {
        *err = a->err;
        return -1;
    }
    return maps_lookup(a->l, a->name, key, part, out, err);
}

/* Is a bare localpart a key for it? */
static bool is_local(void *arg, struct view domain)
{
    struct asking *a = arg;
    int has;

    if (view_is_nocase(domain, mapd_conf.myorigin))
        return true;
    has = maps_has_domain(a->l, MAPS_MYDESTINATION, domain, &a->err);
    a->failed = has < 0;
    return has != 0;
}

int maps_address(struct lookup *l, enum maps_name name, enum maps_order order,
                 struct view address, struct view *extension, struct buf *out,
                 struct error *err)
{
    struct asking a = { .l = l, .name = name };
    struct table_address by = {
        .delimiters = mapd_conf.recipient_delimiter,
        .parents = true,
        .is_local = name == MAPS_VIRTUAL_MAILBOX ? NULL : is_local,
        .lookup = ask,
        .arg = &a,
    };

    if (extension != NULL)
        *extension = (struct view){ NULL, 0 };
    if (!maps_is_set(l, name))
        return 0;
    switch (order) {
    case MAPS_ALIASES:
        return table_address_alias(&by, address, extension, out, err);
    case MAPS_TRANSPORTS:
        return table_address_transport(&by, address, out, err);
    default:
        return table_address_rewrite(&by, address, extension, out, err);
    }
}

int maps_has_domain(struct lookup *l, enum maps_name name,
                    struct view domain, struct error *err)
{
    int has;

    if (refresh(l, name, err) < 0)
        return -1;
    has = domains_has(l->maps[name].domains, domain, err);
    return has < 0 ? error_prefix(err, "%s", rows[name].parameter) : has;
}

bool maps_is_set(const struct lookup *l, enum maps_name name)
{
    const struct maps *m = &l->maps[name];

    return m->tables == NULL || table_list_count(m->tables) > 0;
}

void maps_release(struct lookup *l)
{
    for (enum maps_name name = 0; name < MAPS_COUNT; name++)
        close_maps(&l->maps[name]);
}

static bool may_ask(const char *role, struct view parameter,
                    enum maps_name *name)
{
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        *name = rights[i].name;
        if (strcmp(role, rights[i].role) == 0 &&
            view_is(parameter, rows[*name].parameter))
            return true;
    }
    return false;
}

int maps_ask(struct lookup *l, const struct map_ask *ask_for,
             struct map_answer *answer, struct error *err)
{
    enum maps_name name;
    int found;

    if (!may_ask(l->role, ask_for->parameter, &name))
        return error_set(err, FAIL_PERM, "%s may not ask for %.*s", l->role,
                         VIEW_ARG(ask_for->parameter));
    buf_reset(&l->value);
    found = maps_lookup(l, name, ask_for->key, TABLE_WHOLE, &l->value, err);
    if (found == 1 && l->value.len > MAP_VALUE_MAX)
        found = error_set(err, FAIL_TEMP, "%s: the value of %.*s is longer "
                          "than %d bytes", rows[name].parameter,
                          VIEW_ARG(ask_for->key), MAP_VALUE_MAX);
    *answer = (struct map_answer){ .result = RESOLVE_UNKNOWN };
    if (found > 0) {
        answer->result = RESOLVE_OK;
        answer->value = buf_view(&l->value);
    } else if (found < 0) {
        log_warning("%s", err->text);
        answer->result = RESOLVE_LATER;
        answer->text = VIEW("a table cannot be asked");
    }
    return 0;
}
