/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/mapmake.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "table/aliases.h"
#include "table/bdb.h"
#include "table/dbfile.h"
#include "table/entry.h"
#include "table/fold.h"
#include "table/source.h"
#include "table/table_type.h"

#define GROUPS_MAX 1024

/* One table in the making. */
struct job {
    const struct mapmake *m;
    struct table table; /* only what warnings and line checks look at */
    char *type, *db_path;
    const char *path; /* of the text */
    const char *what; /* the text's name in warnings */
    struct dbfile *db;
    struct buf key, value;
    bool root_is_away;
    int group_count;
    gid_t groups[GROUPS_MAX];
};

static int job_begin(struct job *j, const struct mapmake *m, const char *spec,
                     struct error *err)
{
    struct view v = view_of(spec), type;
    size_t colon = view_index(v, ':');
    struct buf path = BUF_INIT;

    *j = (struct job){ .m = m };
    j->table.env.warn = m->warn;
    j->table.env.arg = m->arg;
    j->table.flags = m->flags;
    type = view_sub(v, 0, colon);
    if (colon + 1 >= v.len)
        return error_set(err, FAIL_PERM,
                         "\"%s\" names no table; want type:file", spec);
    if (!view_is(type, "hash") && !view_is(type, "btree"))
        return error_set(err, FAIL_PERM, "unsupported dictionary type: %.*s "
                         "does not support bulk-mode creation",
                         VIEW_ARG(type));
    j->type = alloc_copy(type.data, type.len);
    j->path = j->what = spec + colon + 1;
    buf_addf(&path, "%s.db", j->path);
    j->db_path = buf_take(&path);
    return 0;
}

/* Work as the file's owner, so that root does not write where a user can put
 * links in its way. */
static int leave_root(struct job *j, const struct stat *st, struct error *err)
{
    if (geteuid() != 0 || st->st_uid == 0 || j->m->keep_privileges)
        return 0;
    j->group_count = getgroups(GROUPS_MAX, j->groups);
    if (j->group_count < 0)
        return error_sys(err, "cannot tell our groups");
    j->root_is_away = true;
    if (setgroups(1, &st->st_gid) < 0 || setegid(st->st_gid) < 0 ||
        seteuid(st->st_uid) < 0)
        return error_sys(err, "cannot work as the owner of %s", j->path);
    return 0;
}

/* Without our own rights back nothing that follows would be right. */
static void return_to_root(struct job *j)
{
    if (!j->root_is_away)
        return;
    if (seteuid(0) < 0 || setegid(getgid()) < 0 ||
        setgroups((size_t)j->group_count, j->groups) < 0)
        abort();
}

static void job_end(struct job *j)
{
    dbfile_abort(&j->db);
    return_to_root(j);
    buf_release(&j->key);
    buf_release(&j->value);
    free(j->type);
    free(j->db_path);
}

/* Group and others may do with the table what they may do with the text. */
static mode_t new_mode(const struct mapmake *m, const struct stat *st)
{
    return m->default_mode ? 0644 : 0600 | (st->st_mode & 044);
}

static int create(struct job *j, unsigned options, mode_t mode,
                  struct error *err)
{
    if (j->m->no_nul)
        options |= DBFILE_NO_NUL;
    j->db = dbfile_create(j->type, j->db_path, options, mode, err);
    return j->db ? 0 : -1;
}

static int put(struct job *j, struct view key, struct view value,
               struct error *err)
{
    enum dbfile_duplicate how = j->m->duplicates == MAPMAKE_REPLACE
                                    ? DBFILE_NEW_WINS : DBFILE_OLD_STAYS;
    struct buf folded = BUF_INIT;
    int rc;

    if (j->m->flags & TABLE_KEEP_CASE)
        buf_add_view(&folded, key);
    else
        fold_key(key, j->m->flags & TABLE_BYTES, &folded);
    rc = dbfile_put(j->db, buf_view(&folded), value, how, err);
    if (rc == 1 && j->m->duplicates == MAPMAKE_WARN)
        table_warn(&j->table, "%s: duplicate entry: \"%s\"", j->db_path,
                   buf_text(&folded));
    buf_release(&folded);
    return rc < 0 ? -1 : 0;
}

static int put_entry(struct job *j, unsigned number, struct view line,
                     struct error *err)
{
    struct view key, value;
    enum entry_fault fault = entry_parse(line, &key, &value);

    if (fault != ENTRY_FINE)
        table_warn(&j->table, "%s, line %u: %s", j->what, number,
                   entry_fault_text(fault));
    if (fault != ENTRY_FINE && fault != ENTRY_COLON)
        return 0;
    return put(j, key, value, err);
}

static int put_alias(struct job *j, unsigned number, struct view line,
                     struct error *err)
{
    struct error why;

    buf_reset(&j->key);
    buf_reset(&j->value);
    if (aliases_line(line, &j->key, &j->value, &why) == 0)
        return put(j, buf_view(&j->key), buf_view(&j->value), err);
    table_warn(&j->table, "%s, line %u: %s", j->what, number, why.text);
    return 0;
}

/* What sendmail and NIS expect in an alias table: a mark that it is whole,
 * when it was made, and where. */
static int put_signatures(struct job *j, struct error *err)
{
    char host[256] = "localhost", now[32];

    gethostname(host, sizeof host - 1);
    snprintf(now, sizeof now, "%lld", (long long)time(NULL));
    if (dbfile_put(j->db, VIEW("@"), VIEW("@"), DBFILE_NEW_WINS, err) < 0 ||
        dbfile_put(j->db, VIEW("YP_LAST_MODIFIED"), view_of(now),
                   DBFILE_NEW_WINS, err) < 0 ||
        dbfile_put(j->db, VIEW("YP_MASTER_NAME"), view_of(host),
                   DBFILE_NEW_WINS, err) < 0)
        return -1;
    return 0;
}

static int put_lines(struct job *j, struct view text, struct error *err)
{
    struct lines l;
    struct view line;
    int rc = 0;

    lines_begin(&l, text);
    while (rc == 0 && source_next(&j->table, &l, j->what, &line))
        rc = j->m->aliases ? put_alias(j, l.line, line, err)
                           : put_entry(j, l.line, line, err);
    lines_end(&l);
    if (rc == 0 && j->m->aliases)
        rc = put_signatures(j, err);
    return rc;
}

int mapmake_build(const struct mapmake *m, const char *spec,
                  struct error *err)
{
    struct buf text = BUF_INIT;
    struct job j;
    struct stat st;
    int fd = -1, rc = -1;

    if (job_begin(&j, m, spec, err) < 0)
        goto out;
    fd = open(j.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        error_sys(err, "open %s", j.path);
        goto out;
    }
    if (leave_root(&j, &st, err) < 0 ||
        io_read_all(fd, &text, MAPMAKE_TEXT_MAX, j.path, err) < 0 ||
        create(&j, 0, new_mode(m, &st), err) < 0 ||
        put_lines(&j, buf_view(&text), err) < 0)
        goto out;
    rc = dbfile_commit(&j.db, err);
out:
    io_close(&fd);
    buf_release(&text);
    job_end(&j);
    return rc;
}

/* Begin to change a table: as the owner of what there is, or of its text. */
static int begin_change(struct job *j, struct error *err)
{
    struct stat st;
    mode_t mode = 0644;

    if (stat(j->db_path, &st) == 0 || stat(j->path, &st) == 0) {
        mode = new_mode(j->m, &st);
        if (leave_root(j, &st, err) < 0)
            return -1;
    }
    return create(j, DBFILE_KEEP, mode, err);
}

int mapmake_add(const struct mapmake *m, const char *spec, struct view text,
                const char *what, struct error *err)
{
    struct job j;
    int rc = -1;

    if (job_begin(&j, m, spec, err) == 0) {
        j.what = what;
        if (begin_change(&j, err) == 0 && put_lines(&j, text, err) == 0)
            rc = dbfile_commit(&j.db, err);
    }
    job_end(&j);
    return rc;
}

static int delete_key(struct job *j, struct view key, struct error *err)
{
    struct buf folded = BUF_INIT;
    int found;

    if (j->m->flags & TABLE_KEEP_CASE)
        buf_add_view(&folded, key);
    else
        fold_key(key, j->m->flags & TABLE_BYTES, &folded);
    found = dbfile_delete(j->db, buf_view(&folded), err);
    buf_release(&folded);
    return found;
}

static int delete_keys(struct job *j, const struct view *keys, size_t count,
                       struct error *err)
{
    int found = 0;

    for (size_t i = 0; i < count; i++) {
        int n = delete_key(j, keys[i], err);

        if (n < 0)
            return -1;
        found += n;
    }
    if (found > 0 && dbfile_commit(&j->db, err) < 0)
        return -1;
    return found;
}

int mapmake_delete(const struct mapmake *m, const char *spec,
                   const struct view *keys, size_t count, struct error *err)
{
    struct job j;
    int rc = -1;

    if (job_begin(&j, m, spec, err) == 0) {
        if (access(j.db_path, F_OK) < 0)
            error_sys(err, "open database %s", j.db_path);
        else if (begin_change(&j, err) == 0)
            rc = delete_keys(&j, keys, count, err);
    }
    job_end(&j);
    return rc;
}
