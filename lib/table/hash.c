/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash:name, btree:name - Berkeley DB files as postmap(1) makes them, ours or
 * Postfix's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "table/bdb.h"
#include "table/source.h"
#include "table/table_type.h"

#define OPEN_TRIES 10
#define SOURCE_AGE 100 /* seconds; a younger source is still being edited */

struct hash {
    char *path;
    int fd; /* the file itself: for its lock and identity */
    DB *db;
    struct source_id id;
    struct buf key; /* with its NUL */
};

/* postmap makes most tables; alias files have another syntax. */
static const char *maker(const struct table *t)
{
    const char *base = strrchr(t->name, '/');

    base = base ? base + 1 : t->name;
    return strncmp(base, "aliases", 7) == 0 ? "postalias" : "postmap";
}

static int cannot_open(const struct table *t, const char *why, int code,
                       struct error *err)
{
    error_set(err, code == ENOENT ? FAIL_PERM : FAIL_TEMP,
              "cannot open table %s.db: %s; run \"%s %s\"", t->spec, why,
              maker(t), t->spec);
    err->sys = code;
    return -1;
}

static void warn_of_age(const struct table *t, const struct stat *db)
{
    struct stat st;

    if (stat(t->name, &st) == 0 && st.st_mtime > db->st_mtime &&
        st.st_mtime < time(NULL) - SOURCE_AGE)
        table_warn(t, "database %s.db is older than source file %s; run "
                   "\"%s %s\"", t->name, t->name, maker(t), t->spec);
}

static int lock(const struct hash *h, const struct table *t, int how,
                struct error *err)
{
    while (flock(h->fd, how) < 0)
        if (errno != EINTR)
            return error_sys(err, "cannot lock table %s.db", t->spec);
    return 0;
}

static void release(struct hash *h)
{
    if (h->db != NULL)
        h->db->close(h->db, DB_NOSYNC);
    h->db = NULL;
    io_close(&h->fd);
}

/* Open descriptor and library handle: 1 when both are of one file, 0 when the
 * file was replaced in between. */
static int open_once(struct hash *h, struct table *t, struct error *err)
{
    struct stat st;
    int code;

    h->fd = open(h->path, O_RDONLY | O_CLOEXEC);
    if (h->fd < 0)
        return cannot_open(t, strerrordesc_np(errno), errno, err);
    if (lock(h, t, LOCK_SH, err) < 0)
        return -1;
    if (fstat(h->fd, &st) < 0)
        return error_sys(err, "cannot look at table %s.db", t->spec);
    source_identify(&st, &h->id);
    if (bdb_handle(&h->db, BDB_READ_CACHE, err) < 0)
        return -1;
    code = h->db->open(h->db, NULL, h->path, NULL, bdb_type(t->type->name),
                       DB_RDONLY, 0);
    if (source_changed(h->path, &h->id))
        return 0;
    if (code == EINVAL || code == DB_OLD_VERSION)
        return cannot_open(t, "it is no Berkeley DB 5.3 file of this type",
                           EINVAL, err);
    if (code != 0)
        return cannot_open(t, db_strerror(code), code > 0 ? code : 0, err);
    warn_of_age(t, &st);
    return lock(h, t, LOCK_UN, err) < 0 ? -1 : 1;
}

static int hash_open(struct table *t, struct error *err)
{
    struct hash *h = alloc_zero(1, sizeof *h);
    struct buf path = BUF_INIT;
    int rc = 0;

    t->state = h;
    h->fd = -1;
    buf_addf(&path, "%s.db", t->name);
    h->path = buf_take(&path);
    for (int i = 0; i < OPEN_TRIES && rc == 0; i++) {
        release(h);
        rc = open_once(h, t, err);
    }
    if (rc == 0)
        return error_set(err, FAIL_TEMP, "cannot open table %s.db: it is "
                         "replaced all the time", t->spec);
    return rc < 0 ? -1 : 0;
}

/* Look for the key exactly as it is. */
static int get(struct hash *h, struct table *t, struct view key,
               struct buf *out, struct error *err)
{
    DBT k = bdb_dbt(key), v;
    int code;

    memset(&v, 0, sizeof v);
    code = h->db->get(h->db, NULL, &k, &v, 0);
    if (code == DB_NOTFOUND)
        return 0;
    if (code != 0)
        return error_set(err, FAIL_TEMP, "cannot read table %s.db: %s",
                         t->spec, db_strerror(code));
    buf_add_view(out, bdb_view(&v));
    return 1;
}

static int hash_lookup(struct table *t, struct view key, struct buf *out,
                       struct error *err)
{
    struct hash *h = t->state;
    int found;

    /* "a\0" would find the "a" that was stored with its NUL. */
    if (key.len == 0 || view_index(key, '\0') != key.len)
        return 0;
    buf_reset(&h->key);
    buf_add_view(&h->key, key);
    key = buf_view(&h->key);
    if (lock(h, t, LOCK_SH, err) < 0)
        return -1;
    found = get(h, t, (struct view){ key.data, key.len + 1 }, out, err);
    if (found == 0) /* made with postmap -n, or on a system that has no NUL */
        found = get(h, t, key, out, err);
    if (lock(h, t, LOCK_UN, err) < 0)
        return -1;
    return found;
}

static bool hash_changed(const struct table *t)
{
    const struct hash *h = t->state;

    return source_changed(h->path, &h->id);
}

static int hash_each(struct table *t,
                     int (*fn)(struct view key, struct view value, void *arg),
                     void *arg, struct error *err)
{
    struct hash *h = t->state;
    DBC *cursor;
    DBT k, v;
    int code;

    code = h->db->cursor(h->db, NULL, &cursor, 0);
    if (code == 0) {
        memset(&k, 0, sizeof k);
        memset(&v, 0, sizeof v);
        while ((code = cursor->get(cursor, &k, &v, DB_NEXT)) == 0)
            if (fn(bdb_view(&k), bdb_view(&v), arg) != 0)
                break;
        cursor->close(cursor);
    }
    if (code != 0 && code != DB_NOTFOUND)
        return error_set(err, FAIL_TEMP, "cannot list table %s.db: %s",
                         t->spec, db_strerror(code));
    return 0;
}

static void hash_close(struct table *t)
{
    struct hash *h = t->state;

    release(h);
    buf_release(&h->key);
    free(h->path);
    free(h);
}

const struct table_type hash_type = {
    .name = "hash",
    .fixed = true,
    .file = ".db",
    .open = hash_open,
    .lookup = hash_lookup,
    .changed = hash_changed,
    .each = hash_each,
    .close = hash_close,
};

const struct table_type btree_type = {
    .name = "btree",
    .fixed = true,
    .file = ".db",
    .open = hash_open,
    .lookup = hash_lookup,
    .changed = hash_changed,
    .each = hash_each,
    .close = hash_close,
};
