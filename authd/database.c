/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One SQLite file. Every statement is prepared from constant text with bound
 * parameters (security.md R10). Uids of tenants come from a counter that only
 * goes up: mail of a tenant that is gone never becomes another's.
 */
#include "authd/database.h"

#include <sqlite3.h>

#include "authd/authd.h"
#include "base/alloc.h"
#include "base/ascii.h"
#include "base/log.h"

static sqlite3 *db; /* the one connection of this daemon */

static const char schema[] =
    "PRAGMA journal_mode = DELETE;"
    "PRAGMA synchronous = EXTRA;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA locking_mode = EXCLUSIVE;"
    "CREATE TABLE IF NOT EXISTS meta ("
    "  key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "INSERT OR IGNORE INTO meta VALUES ('version', 1), ('next_uid', 0);"
    "CREATE TABLE IF NOT EXISTS secrets ("
    "  name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
    "INSERT OR IGNORE INTO secrets VALUES ('fake_salt', randomblob(32));"
    "CREATE TABLE IF NOT EXISTS tenants ("
    "  name TEXT PRIMARY KEY, uid INTEGER NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE IF NOT EXISTS domains ("
    "  name TEXT PRIMARY KEY,"
    "  tenant TEXT NOT NULL REFERENCES tenants(name)) STRICT;"
    "CREATE TABLE IF NOT EXISTS accounts ("
    "  address TEXT PRIMARY KEY,"
    "  domain TEXT NOT NULL REFERENCES domains(name),"
    "  hash TEXT NOT NULL DEFAULT '',"
    "  quota INTEGER NOT NULL DEFAULT 0,"
    "  enabled INTEGER NOT NULL DEFAULT 1) STRICT;"
    "CREATE TABLE IF NOT EXISTS aliases ("
    "  address TEXT PRIMARY KEY,"
    "  domain TEXT NOT NULL REFERENCES domains(name),"
    "  targets TEXT NOT NULL) STRICT;";

/* What an older version's file lacks; each step is done once. */
static const char *const upgrades[] = {
    "ALTER TABLE accounts ADD COLUMN scram TEXT NOT NULL DEFAULT '';",
};

void account_wipe(struct account *a)
{
    explicit_bzero(a, sizeof *a);
}

static int failed(struct error *err, const char *what)
{
    return error_set(err, FAIL_TEMP, "cannot %s: %s", what,
                     sqlite3_errmsg(db));
}

static int version(void)
{
    sqlite3_stmt *st = NULL;
    int v = -1;

    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'version'",
                           -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        v = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return v;
}

/* Version n has had the first n - 1 upgrades. */
static int upgrade(struct error *err)
{
    const int newest = 1 + sizeof upgrades / sizeof upgrades[0];
    int v = version();

    if (v < 1 || v > newest)
        return error_set(err, FAIL_PERM, "the accounts' database has version "
                         "%d; this program knows 1 to %d", v, newest);
    for (; v < newest; v++) {
        char *sql = sqlite3_mprintf(
            "BEGIN; %s UPDATE meta SET value = %d WHERE key = 'version';"
            " COMMIT;", upgrades[v - 1], v + 1);
        int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;

        sqlite3_free(sql);
        if (rc != SQLITE_OK)
            return failed(err, "upgrade the accounts' database");
    }
    return 0;
}

int database_open(struct daemon *d, struct error *err)
{
    struct buf path = BUF_INIT;
    char *why = NULL;
    int rc = 0;

    buf_addf(&path, "%s/accounts.db",
             d->rooted ? "" : authd_conf.data_directory);
    if (sqlite3_open(buf_text(&path), &db) != SQLITE_OK)
        rc = failed(err, "open the accounts' database");
    else if (sqlite3_exec(db, schema, NULL, NULL, &why) != SQLITE_OK)
        rc = failed(err, "prepare the accounts' database");
    else
        rc = upgrade(err);
    sqlite3_free(why);
    buf_release(&path);
    return rc;
}

/* --- statements -------------------------------------------------------- */

/* `how`: SQLITE_STATIC for a text that outlives the statement's run, else
 * SQLITE_TRANSIENT. Bound as NULL it would be an answer, and a wrong one. */
static int set_text(sqlite3_stmt *st, int i, struct view text,
                    sqlite3_destructor_type how, struct error *err)
{
    if (sqlite3_bind_text(st, i, text.data ? text.data : "", (int)text.len,
                          how) == SQLITE_OK)
        return 0;
    return failed(err, "ask the accounts' database");
}

/* Prepare `sql` and bind its texts, in order, to ?1, ?2... */
static sqlite3_stmt *prepare(const char *sql, const struct view *texts,
                             int n, struct error *err)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        failed(err, "ask the accounts' database");
        return NULL;
    }
    for (int i = 0; i < n; i++)
        if (set_text(st, i + 1, texts[i], SQLITE_TRANSIENT, err) < 0) {
            sqlite3_finalize(st);
            return NULL;
        }
    return st;
}

/* None is NULL in our tables. */
static struct view column(sqlite3_stmt *st, int i)
{
    const char *text = (const char *)sqlite3_column_text(st, i);

    if (text == NULL)
        out_of_memory();
    return (struct view){ text, (size_t)sqlite3_column_bytes(st, i) };
}

/* Run to the first row: 1, 0 for none, -1. The caller finalizes. */
static int first_row(sqlite3_stmt *st, struct error *err)
{
    int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return st ? failed(err, "read the accounts' database") : -1;
}

/* What a change is about, for the sentence that says why it was not made. */
struct subject {
    enum account_noun noun;
    struct view name;
    struct view above; /* the tenant or domain that it is to be added to */
};

static const char *const nouns[] = { "tenant", "domain", "account", "alias" };

/* Why a change failed: what our schema refuses, in words. */
static int refuse(const struct subject *s, struct error *err)
{
    const char *noun = nouns[s->noun];
    int code = sqlite3_extended_errcode(db);

    if (code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return error_set(err, FAIL_PERM, "the %s %.*s is there already", noun,
                         VIEW_ARG(s->name));
    if (code != SQLITE_CONSTRAINT_FOREIGNKEY)
        return failed(err, "change the accounts");
    if (s->above.len > 0)
        return error_set(err, FAIL_PERM, "there is no %s %.*s; add it first",
                         s->noun == ACCOUNT_DOMAIN ? "tenant" : "domain",
                         VIEW_ARG(s->above));
    return error_set(err, FAIL_PERM, "the %s %.*s still has %s; delete them "
                     "first", noun, VIEW_ARG(s->name),
                     s->noun == ACCOUNT_TENANT ? "domains"
                                               : "accounts or aliases");
}

/* Run a change; that it changed nothing is an error if it has a subject. */
static int change(sqlite3_stmt *st, const struct subject *s, struct error *err)
{
    int rc;

    if (st == NULL)
        return -1;
    rc = sqlite3_step(st);
    sqlite3_finalize(st);
    if (rc != SQLITE_DONE)
        return s ? refuse(s, err) : failed(err, "change the accounts");
    if (s != NULL && sqlite3_changes(db) == 0)
        return error_set(err, FAIL_PERM, "there is no %s %.*s", nouns[s->noun],
                         VIEW_ARG(s->name));
    return 0;
}

/* --- lookups ----------------------------------------------------------- */

/* Asked for every message: these statements are compiled once and kept. */
enum lookup { LOOKUP_DOMAIN, LOOKUP_ACCOUNT, LOOKUP_ALIAS, N_LOOKUPS };

static const char *const lookup_sql[N_LOOKUPS] = {
    [LOOKUP_DOMAIN] = "SELECT tenant FROM domains WHERE name = ?1",
    [LOOKUP_ACCOUNT] =
        "SELECT a.address, t.name, t.uid, a.quota, a.enabled, a.hash,"
        " a.scram"
        " FROM accounts a JOIN domains d ON d.name = a.domain"
        " JOIN tenants t ON t.name = d.tenant WHERE a.address = ?1",
    [LOOKUP_ALIAS] = "SELECT targets FROM aliases WHERE address = ?1",
};

static sqlite3_stmt *kept[N_LOOKUPS];

/* Its first row for `name`: 1, 0 for none, -1. The caller ends it with
 * end_lookup() in any case, and the columns' views with it. */
static int begin_lookup(enum lookup which, struct view name, struct error *err)
{
    if (kept[which] == NULL &&
        sqlite3_prepare_v3(db, lookup_sql[which], -1,
                           SQLITE_PREPARE_PERSISTENT, &kept[which], NULL) !=
            SQLITE_OK)
        return failed(err, "ask the accounts' database");
    if (set_text(kept[which], 1, name, SQLITE_STATIC, err) < 0)
        return -1;
    return first_row(kept[which], err);
}

static void end_lookup(enum lookup which)
{
    sqlite3_reset(kept[which]);
    sqlite3_clear_bindings(kept[which]);
}

int database_domain(struct view domain, char tenant[321], struct error *err)
{
    int rc = begin_lookup(LOOKUP_DOMAIN, domain, err);

    if (rc > 0)
        view_copy(column(kept[LOOKUP_DOMAIN], 0), tenant, 321);
    end_lookup(LOOKUP_DOMAIN);
    return rc;
}

int database_account(struct view address, struct account *a,
                     struct error *err)
{
    int rc = begin_lookup(LOOKUP_ACCOUNT, address, err);
    sqlite3_stmt *st = kept[LOOKUP_ACCOUNT];

    if (rc > 0) {
        view_copy(column(st, 0), a->address, sizeof a->address);
        view_copy(column(st, 1), a->tenant, sizeof a->tenant);
        a->uid = (uint32_t)sqlite3_column_int64(st, 2);
        a->quota = (uint64_t)sqlite3_column_int64(st, 3);
        a->enabled = sqlite3_column_int(st, 4) != 0;
        if (!view_copy(column(st, 5), a->hash, sizeof a->hash))
            a->hash[0] = '\0';
        if (!view_copy(column(st, 6), a->keys, sizeof a->keys))
            a->keys[0] = '\0';
    }
    end_lookup(LOOKUP_ACCOUNT);
    return rc;
}

int database_alias(struct view address, struct buf *targets,
                   struct error *err)
{
    int rc = begin_lookup(LOOKUP_ALIAS, address, err);

    if (rc > 0)
        buf_add_view(targets, column(kept[LOOKUP_ALIAS], 0));
    end_lookup(LOOKUP_ALIAS);
    return rc;
}

int database_secret(struct buf *out, struct error *err)
{
    sqlite3_stmt *st = prepare("SELECT value FROM secrets WHERE name ="
                               " 'fake_salt'", NULL, 0, err);
    int rc = first_row(st, err);

    if (rc > 0 && sqlite3_column_blob(st, 0) == NULL)
        out_of_memory();
    if (rc > 0)
        buf_add(out, sqlite3_column_blob(st, 0),
                (size_t)sqlite3_column_bytes(st, 0));
    sqlite3_finalize(st);
    return rc > 0 ? 0 : -1;
}

/* --- changes ----------------------------------------------------------- */

static struct view domain_of(struct view address)
{
    return view_sub(address, view_rindex(address, '@') + 1, address.len);
}

/* The counter first: a crash between the two wastes a number, no more. */
static int next_uid(uint32_t *uid, struct error *err)
{
    sqlite3_stmt *st = prepare("UPDATE meta SET value = value + 1 WHERE key ="
                               " 'next_uid' RETURNING value", NULL, 0, err);
    int rc = first_row(st, err);

    if (rc > 0)
        *uid = authd_conf.tenant_uid_base +
               (uint32_t)sqlite3_column_int64(st, 0) - 1;
    if (rc > 0)
        while (sqlite3_step(st) == SQLITE_ROW)
            continue;
    sqlite3_finalize(st);
    return rc > 0 ? 0 : -1;
}

int database_add_tenant(struct view name, struct error *err)
{
    struct subject tenant = { .noun = ACCOUNT_TENANT, .name = name };
    uint32_t uid;
    sqlite3_stmt *st;

    if (next_uid(&uid, err) < 0)
        return -1;
    st = prepare("INSERT INTO tenants (name, uid) VALUES (?1, ?2)", &name, 1,
                 err);
    if (st != NULL)
        sqlite3_bind_int64(st, 2, uid);
    return change(st, &tenant, err);
}

int database_add_domain(struct view name, struct view tenant,
                        struct error *err)
{
    struct subject domain = { ACCOUNT_DOMAIN, name, tenant };
    struct view texts[] = { name, tenant };

    return change(prepare("INSERT INTO domains (name, tenant) VALUES (?1, ?2)",
                          texts, 2, err), &domain, err);
}

int database_add_account(struct view address, const struct secret *secret,
                         uint64_t quota, struct error *err)
{
    struct subject account = { ACCOUNT_USER, address, domain_of(address) };
    struct view texts[] = { address, account.above,
                            view_of(secret ? secret->hash : NULL),
                            view_of(secret ? secret->keys : NULL) };
    sqlite3_stmt *st = prepare(
        "INSERT INTO accounts (address, domain, hash, scram, quota) VALUES"
        " (?1, ?2, ?3, ?4, ?5)", texts, 4, err);

    if (st != NULL)
        sqlite3_bind_int64(st, 5, (sqlite3_int64)quota);
    return change(st, &account, err);
}

int database_set_account(struct view address, const struct secret *secret,
                         const uint64_t *quota, const bool *enabled,
                         struct error *err)
{
    struct subject account = { .noun = ACCOUNT_USER, .name = address };
    struct view texts[] = { address, view_of(secret ? secret->hash : NULL),
                            view_of(secret ? secret->keys : NULL) };
    sqlite3_stmt *st = prepare(
        "UPDATE accounts SET hash = iif(?4, ?2, hash),"
        " scram = iif(?4, ?3, scram),"
        " quota = ifnull(?5, quota), enabled = ifnull(?6, enabled)"
        " WHERE address = ?1", texts, 3, err);

    if (st != NULL) {
        sqlite3_bind_int(st, 4, secret != NULL);
        if (quota != NULL)
            sqlite3_bind_int64(st, 5, (sqlite3_int64)*quota);
        if (enabled != NULL)
            sqlite3_bind_int(st, 6, *enabled);
    }
    return change(st, &account, err);
}

int database_set_keys(struct view address, const char *hash, const char *keys,
                      struct error *err)
{
    struct view texts[] = { address, view_of(hash), view_of(keys) };

    return change(prepare("UPDATE accounts SET scram = ?3 WHERE address = ?1"
                          " AND hash = ?2", texts, 3, err), NULL, err);
}

int database_set_alias(struct view address, struct view targets, bool is_new,
                       struct error *err)
{
    struct subject alias = { ACCOUNT_ALIAS, address, domain_of(address) };
    struct view texts[] = { address, alias.above, targets };

    if (is_new)
        return change(prepare("INSERT INTO aliases (address, domain, targets)"
                              " VALUES (?1, ?2, ?3)", texts, 3, err), &alias,
                      err);
    return change(prepare("UPDATE aliases SET targets = ?3 WHERE address = ?1"
                          " AND domain = ?2", texts, 3, err), &alias, err);
}

int database_del(enum account_noun noun, struct view name, struct error *err)
{
    static const char *const sql[] = {
        "DELETE FROM tenants WHERE name = ?1",
        "DELETE FROM domains WHERE name = ?1",
        "DELETE FROM accounts WHERE address = ?1",
        "DELETE FROM aliases WHERE address = ?1",
    };
    struct subject it = { .noun = noun, .name = name };

    return change(prepare(sql[noun], &name, 1, err), &it, err);
}

int database_list(enum account_noun noun, struct view filter,
                  void (*fn)(const struct account_line *line, void *arg),
                  void *arg, struct error *err)
{
    static const char *const sql[] = {
        "SELECT name, '', '', 0, 1, uid FROM tenants"
        " WHERE ?1 = '' OR name = ?1 ORDER BY 1",
        "SELECT name, tenant, '', 0, 1, 0 FROM domains"
        " WHERE ?1 = '' OR ?1 IN (name, tenant) ORDER BY 1",
        "SELECT address, d.tenant, '', quota, enabled, 0 FROM accounts"
        " JOIN domains d ON d.name = domain"
        " WHERE ?1 = '' OR ?1 IN (address, domain, tenant) ORDER BY 1",
        "SELECT address, d.tenant, targets, 0, 1, 0 FROM aliases"
        " JOIN domains d ON d.name = domain"
        " WHERE ?1 = '' OR ?1 IN (address, domain, tenant) ORDER BY 1",
    };
    sqlite3_stmt *st = prepare(sql[noun], &filter, 1, err);
    int rc;

    while ((rc = first_row(st, err)) > 0) {
        struct account_line line = {
            .name = column(st, 0),
            .tenant = column(st, 1),
            .targets = column(st, 2),
            .quota = (uint64_t)sqlite3_column_int64(st, 3),
            .enabled = sqlite3_column_int(st, 4) != 0,
            .uid = (uint32_t)sqlite3_column_int64(st, 5),
        };

        fn(&line, arg);
    }
    sqlite3_finalize(st);
    return rc;
}
