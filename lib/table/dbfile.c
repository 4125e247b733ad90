/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/io.h"
#include "table/bdb.h"
#include "table/source.h"

#define BUCKETS 4096 /* expected entries, as Postfix has it */

struct dbfile {
    char *path, *dir, *temp; /* temp is NULL when there is no such file */
    DBTYPE type;
    unsigned options;
    int old_fd; /* the file to be replaced, locked; -1 when there is none */
    int fd;     /* the new one */
    DB *db;
    struct buf key, value; /* with their NULs */
};

static int fault(const struct dbfile *d, const char *what, int code,
                 struct error *err)
{
    return error_set(err, FAIL_TEMP, "cannot %s %s: %s", what, d->path,
                     db_strerror(code));
}

/* Open and lock the file that will be replaced. Somebody else may replace it
 * while we wait for the lock; then it is the next one that counts. */
static int lock_old(struct dbfile *d, struct stat *st, struct error *err)
{
    for (;;) {
        struct source_id id;

        d->old_fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (d->old_fd < 0 && errno == ENOENT)
            return 0;
        if (d->old_fd < 0)
            return error_sys(err, "cannot open %s", d->path);
        while (flock(d->old_fd, LOCK_EX) < 0)
            if (errno != EINTR)
                return error_sys(err, "cannot lock %s", d->path);
        if (fstat(d->old_fd, st) < 0)
            return error_sys(err, "cannot look at %s", d->path);
        source_identify(st, &id);
        if (st->st_nlink > 0 && !source_changed(d->path, &id))
            return 0;
        io_close(&d->old_fd);
    }
}

/* A name of our own in the same directory: rename() does not cross file
 * systems. */
static int make_temp(struct dbfile *d, mode_t mode, struct error *err)
{
    struct buf name = BUF_INIT;

    buf_addf(&name, "%s.XXXXXX", d->path);
    d->temp = buf_take(&name);
    d->fd = mkostemp(d->temp, O_CLOEXEC);
    if (d->fd < 0) {
        free(d->temp);
        d->temp = NULL;
        return error_sys(err, "cannot create a file beside %s", d->path);
    }
    if (fchmod(d->fd, mode) < 0)
        return error_sys(err, "cannot set the mode of %s", d->temp);
    return 0;
}

/* The old file's owner, as far as we may; who may not is the owner himself or
 * has been let in by the group. */
static int take_over(struct dbfile *d, const struct stat *old,
                     struct error *err)
{
    if (geteuid() == 0 && fchown(d->fd, old->st_uid, old->st_gid) < 0)
        return error_sys(err, "cannot set the owner of %s", d->temp);
    if (fchmod(d->fd, old->st_mode & 07777) < 0)
        return error_sys(err, "cannot set the mode of %s", d->temp);
    return 0;
}

static int open_db(struct dbfile *d, struct error *err)
{
    int code;

    if (bdb_handle(&d->db, BDB_MAKE_CACHE, err) < 0)
        return -1;
    if (d->type == DB_HASH)
        d->db->set_h_nelem(d->db, BUCKETS);
    code = d->db->open(d->db, NULL, d->temp, NULL, d->type,
                       DB_CREATE, 0);
    return code == 0 ? 0 : fault(d, "create", code, err);
}

/* Copy every entry as it is, NULs and all; new ones then take their form. */
static int copy_entries(struct dbfile *d, DB *old, struct error *err)
{
    DBC *cursor;
    DBT k, v;
    int code = old->cursor(old, NULL, &cursor, 0);
    bool any = false, bare = false;

    if (code != 0)
        return fault(d, "read", code, err);
    memset(&k, 0, sizeof k);
    memset(&v, 0, sizeof v);
    while ((code = cursor->get(cursor, &k, &v, DB_NEXT)) == 0) {
        any = true;
        bare |= bdb_view(&k).len == k.size;
        if ((code = d->db->put(d->db, NULL, &k, &v, 0)) != 0)
            break;
    }
    cursor->close(cursor);
    if (any)
        d->options = bare ? d->options | DBFILE_NO_NUL
                          : d->options & ~(unsigned)DBFILE_NO_NUL;
    return code == DB_NOTFOUND ? 0 : fault(d, "copy", code, err);
}

static int keep_old(struct dbfile *d, struct error *err)
{
    DB *old = NULL;
    int rc, code;

    if (bdb_handle(&old, BDB_READ_CACHE, err) < 0)
        return -1;
    code = old->open(old, NULL, d->path, NULL, d->type, DB_RDONLY, 0);
    rc = code == 0 ? copy_entries(d, old, err) : fault(d, "open", code, err);
    old->close(old, DB_NOSYNC);
    return rc;
}

static void set_names(struct dbfile *d, const char *path)
{
    const char *slash = strrchr(path, '/');

    d->path = alloc_text(path);
    if (slash == NULL)
        d->dir = alloc_text(".");
    else
        d->dir = alloc_copy(path, slash == path ? 1 : (size_t)(slash - path));
}

struct dbfile *dbfile_create(const char *type, const char *path,
                             unsigned options, mode_t mode, struct error *err)
{
    struct dbfile *d = alloc_zero(1, sizeof *d);
    struct stat old;
    int rc = -1;

    d->old_fd = d->fd = -1;
    d->type = bdb_type(type);
    d->options = options;
    set_names(d, path);
    if (d->type == DB_UNKNOWN) {
        error_set(err, FAIL_PERM, "cannot create %s: there is no type \"%s\"",
                  path, type);
        goto out;
    }
    if (lock_old(d, &old, err) < 0 || make_temp(d, mode, err) < 0)
        goto out;
    if (d->old_fd >= 0 && take_over(d, &old, err) < 0)
        goto out;
    if (open_db(d, err) < 0)
        goto out;
    if (d->old_fd >= 0 && (options & DBFILE_KEEP) && keep_old(d, err) < 0)
        goto out;
    rc = 0;
out:
    if (rc < 0)
        dbfile_abort(&d);
    return d;
}

/* `text` with its NUL in `b`, as a DBT; the NUL counts unless `bare`. */
static DBT stored(struct buf *b, struct view text, bool bare)
{
    buf_reset(b);
    buf_add_view(b, text);
    return bdb_dbt((struct view){ b->data, b->len + (bare ? 0 : 1) });
}

/* May a key be there with (without) its NUL? All are as we write them, but in
 * an old file, which may have been made otherwise. */
static bool may_be(const struct dbfile *d, bool bare)
{
    return (d->options & DBFILE_KEEP) ||
           bare == !!(d->options & DBFILE_NO_NUL);
}

static int delete_both(struct dbfile *d, struct view key, struct error *err)
{
    int found = 0;

    for (int bare = 0; bare <= 1; bare++) {
        DBT k = stored(&d->key, key, bare);
        int code;

        if (!may_be(d, bare))
            continue;
        code = d->db->del(d->db, NULL, &k, 0);
        if (code != 0 && code != DB_NOTFOUND)
            return fault(d, "change", code, err);
        found |= code == 0;
    }
    return found;
}

static int exists(struct dbfile *d, struct view key, struct error *err)
{
    for (int bare = 0; bare <= 1; bare++) {
        DBT k = stored(&d->key, key, bare);
        int code;

        if (!may_be(d, bare))
            continue;
        code = d->db->exists(d->db, NULL, &k, 0);
        if (code == 0)
            return 1;
        if (code != DB_NOTFOUND)
            return fault(d, "read", code, err);
    }
    return 0;
}

int dbfile_put(struct dbfile *d, struct view key, struct view value,
               enum dbfile_duplicate how, struct error *err)
{
    bool bare = d->options & DBFILE_NO_NUL;
    int there = how == DBFILE_NEW_WINS ? delete_both(d, key, err)
                                       : exists(d, key, err);
    DBT k, v;
    int code;

    if (there < 0 || (there == 1 && how == DBFILE_OLD_STAYS))
        return there;
    k = stored(&d->key, key, bare);
    v = stored(&d->value, value, bare);
    code = d->db->put(d->db, NULL, &k, &v, 0);
    return code == 0 ? there : fault(d, "write", code, err);
}

int dbfile_delete(struct dbfile *d, struct view key, struct error *err)
{
    return delete_both(d, key, err);
}

static int sync_directory(const char *dir, struct error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || io_sync(fd) < 0)
        rc = error_sys(err, "cannot sync the directory %s", dir);
    io_close(&fd);
    return rc;
}

int dbfile_commit(struct dbfile **dp, struct error *err)
{
    struct dbfile *d = *dp;
    int rc = -1, code;

    *dp = NULL;
    code = d->db->close(d->db, 0);
    d->db = NULL;
    if (code != 0) {
        fault(d, "write", code, err);
        goto out;
    }
    if (io_sync(d->fd) < 0) {
        error_sys(err, "cannot sync %s", d->temp);
        goto out;
    }
    if (rename(d->temp, d->path) < 0) {
        error_sys(err, "cannot rename %s to %s", d->temp, d->path);
        goto out;
    }
    free(d->temp);
    d->temp = NULL;
    rc = sync_directory(d->dir, err);
out:
    dbfile_abort(&d);
    return rc;
}

void dbfile_abort(struct dbfile **dp)
{
    struct dbfile *d = *dp;

    *dp = NULL;
    if (d == NULL)
        return;
    if (d->db != NULL)
        d->db->close(d->db, DB_NOSYNC);
    if (d->temp != NULL)
        unlink(d->temp);
    io_close(&d->fd);
    io_close(&d->old_fd);
    buf_release(&d->key);
    buf_release(&d->value);
    free(d->path);
    free(d->dir);
    free(d->temp);
    free(d);
}
