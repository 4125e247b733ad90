/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/bdb.h"

/* Without this the library writes to standard error on its own account. */
static void say_nothing(const DB_ENV *env, const char *prefix, const char *text)
{
    (void)env;
    (void)prefix;
    (void)text;
}

int bdb_handle(DB **db, unsigned cache, struct error *err)
{
    int code = db_create(db, NULL, 0);

    if (code != 0) {
        *db = NULL;
        return error_set(err, FAIL_TEMP, "cannot start Berkeley DB: %s",
                         db_strerror(code));
    }
    (*db)->set_errcall(*db, say_nothing);
    (*db)->set_cachesize(*db, 0, cache, 0);
    return 0;
}

DBTYPE bdb_type(const char *name)
{
    if (strcmp(name, "hash") == 0)
        return DB_HASH;
    return strcmp(name, "btree") == 0 ? DB_BTREE : DB_UNKNOWN;
}

DBT bdb_dbt(struct view v)
{
    DBT d;

    memset(&d, 0, sizeof d);
    /* The library only reads from what a key or a new value points at. */
    memcpy(&d.data, &v.data, sizeof d.data);
    d.size = (u_int32_t)v.len;
    return d;
}

struct view bdb_view(const DBT *d)
{
    struct view v = { d->data, d->size };

    return view_sub(v, 0, view_index(v, '\0'));
}
