/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of mailboxes: directories, and what the index adds to them. */
#include "index/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/io.h"
#include "base/log.h"
#include "base/nameless.h"
#include "index/internal.h"
#include "maildir/quota.h"

static int compare_char(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* The C library asks the system how much memory there is when it first sorts
 * something large; in the jail it could not. */
void store_prepare(void)
{
    char large[4096] = { 0 };

    nameless_prepare();
    env_prepare();
    qsort(large, sizeof large, 1, compare_char);
}

int store_refuse(enum store_why *why, enum store_why reason, struct error *err,
                 const char *fmt, struct view name)
{
    *why = reason;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return error_set(err, FAIL_PERM, fmt, VIEW_ARG(name));
#pragma GCC diagnostic pop
}

/* --- names ------------------------------------------------------------- */

struct view store_canonical(struct view name)
{
    return view_is_nocase(name, "INBOX") ? VIEW("INBOX") : name;
}

/* A name becomes a directory's, so that it has no slash and no empty level;
 * modified UTF-7 has only visible ASCII. */
bool store_is_name(struct view name)
{
    struct view rest = name, level;
    unsigned depth = 0;

    if (name.len == 0 || name.len > STORE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '/' || name.data[i] < ' ' ||
            name.data[i] > '~')
            return false;
    if (name.data[name.len - 1] == '.')
        return false;
    while (view_cut(&rest, '.', &level))
        if (level.len == 0 || ++depth > STORE_DEPTH_MAX)
            return false;
    return true;
}

void store_path(struct view name, char path[STORE_NAME_MAX + 2])
{
    if (view_is(store_canonical(name), "INBOX"))
        snprintf(path, STORE_NAME_MAX + 2, ".");
    else
        snprintf(path, STORE_NAME_MAX + 2, ".%.*s", VIEW_ARG(name));
}

static enum store_use use_by_name(struct view name)
{
    static const struct {
        const char *name;
        enum store_use use;
    } names[] = {
        { "Sent", STORE_USE_SENT }, { "Drafts", STORE_USE_DRAFTS },
        { "Junk", STORE_USE_JUNK }, { "Trash", STORE_USE_TRASH },
        { "Archive", STORE_USE_ARCHIVE },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (view_is_nocase(name, names[i].name))
            return names[i].use;
    return STORE_USE_NONE;
}

/* --- opening ----------------------------------------------------------- */

static int make_directory(int at, const char *path, struct error *err)
{
    if (mkdirat(at, path, 0700) == 0 || errno == EEXIST)
        return 0;
    return error_sys(err, "cannot make the directory %s", path);
}

int store_make_maildir(struct store *s, const char *path, struct error *err)
{
    static const char *const parts[] = { "tmp", "new", "cur" };
    char full[STORE_NAME_MAX + 10];
    int fd, rc;

    if (make_directory(s->dir, path, err) < 0)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        snprintf(full, sizeof full, "%s/%s", path, parts[i]);
        if (make_directory(s->dir, full, err) < 0)
            return -1;
    }
    fd = openat(s->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd < 0 || io_sync(fd) < 0 || io_sync(s->dir) < 0
             ? error_sys(err, "cannot sync the mailbox %s", path) : 0;
    io_close(&fd);
    return rc;
}

struct store *store_open(int dir, const struct store_options *o,
                         struct error *err)
{
    struct store *s = alloc_zero(1, sizeof *s);
    struct stat st;

    s->dir = dir;
    s->o = *o;
    s->lock = -1;
    if ((fstatat(dir, "cur", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
         fstatat(dir, "new", &st, AT_SYMLINK_NOFOLLOW) < 0) &&
        store_make_maildir(s, ".", err) < 0)
        goto failed;
    if (env_open(s, err) == 0) {
        if (tree_recover(s, err) < 0)
            log_warning("%s: %s", o->account, err->text);
        return s;
    }
failed:
    free(s);
    return NULL;
}

void store_close(struct store **sp)
{
    struct store *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    env_close(s);
    free(s);
}

/* --- listing ----------------------------------------------------------- */

struct entry {
    char *name;
    bool exists, subscribed;
};

struct entries {
    struct entry *list;
    size_t n, cap;
};

static void add_entry(struct entries *e, struct view name, bool exists,
                      bool subscribed)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? e->cap * 2 : 32;
        e->list = alloc_resize(e->list, e->cap, sizeof *e->list);
    }
    e->list[e->n++] = (struct entry){ alloc_copy(name.data, name.len), exists,
                                      subscribed };
}

bool store_is_maildir(struct store *s, const char *directory)
{
    char path[300];
    struct stat st;

    snprintf(path, sizeof path, "%s/cur", directory);
    return fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static int list_directories(struct store *s, struct entries *e,
                            struct error *err)
{
    DIR *dir = io_open_dir(s->dir, ".");
    struct dirent *d;
    bool more = true;
    int rc = 0;

    if (dir == NULL)
        return error_sys(err, "cannot list the mailboxes");
    add_entry(e, VIEW("INBOX"), true, false);
    while (e->n < STORE_MAILBOXES_MAX && (more = io_next_name(dir, &d)))
        if (d->d_name[0] == '.' && store_is_name(view_of(d->d_name + 1)) &&
            store_is_maildir(s, d->d_name))
            add_entry(e, view_of(d->d_name + 1), true, false);
    if (!more && errno != 0)
        rc = error_sys(err, "cannot list the mailboxes");
    closedir(dir);
    return rc;
}

static int add_subscribed(struct view key, struct view value, void *arg,
                          struct error *err)
{
    (void)value;
    (void)err;
    add_entry(arg, key, false, true);
    return 0;
}

/* Each level above a mailbox is a name too, be it a mailbox or not. */
static void add_parents(struct entries *e)
{
    size_t n = e->n;

    for (size_t i = 0; i < n; i++)
        for (const char *dot = strchr(e->list[i].name, '.');
             e->list[i].exists && dot != NULL; dot = strchr(dot + 1, '.'))
            add_entry(e, (struct view){ e->list[i].name,
                                        (size_t)(dot - e->list[i].name) },
                      false, false);
}

/* By levels, so that a mailbox is followed by its children; INBOX first. */
static int compare(const void *a, const void *b)
{
    const char *x = ((const struct entry *)a)->name;
    const char *y = ((const struct entry *)b)->name;
    bool inbox_x = strcmp(x, "INBOX") == 0, inbox_y = strcmp(y, "INBOX") == 0;

    if (inbox_x != inbox_y)
        return inbox_x ? -1 : 1;
    while (*x != '\0' && *x == *y) {
        x++;
        y++;
    }
    return (*x == '.' ? 1 : (unsigned char)*x) -
           (*y == '.' ? 1 : (unsigned char)*y);
}

static void unite(struct entries *e)
{
    size_t kept = 0;

    qsort(e->list, e->n, sizeof *e->list, compare);
    for (size_t i = 1; i < e->n; i++) {
        if (strcmp(e->list[kept].name, e->list[i].name) == 0) {
            e->list[kept].exists |= e->list[i].exists;
            e->list[kept].subscribed |= e->list[i].subscribed;
            free(e->list[i].name);
        } else {
            e->list[++kept] = e->list[i];
        }
    }
    e->n = kept + 1; /* INBOX is always there */
}

static bool has_children(const struct entries *e, size_t i)
{
    size_t len = strlen(e->list[i].name);

    return i + 1 < e->n && strncmp(e->list[i + 1].name, e->list[i].name,
                                   len) == 0 &&
           e->list[i + 1].name[len] == '.';
}

static enum store_use use_of(struct txn *t, const struct entry *e)
{
    struct box b;
    struct error err;
    enum store_use use = use_by_name(view_of(e->name));

    if (box_get(t, view_of(e->name), &b, &err) > 0 && b.use != 0)
        use = (enum store_use)b.use;
    box_release(&b);
    return e->exists ? use : STORE_USE_NONE;
}

int store_each(struct store *s,
               void (*each)(const struct store_entry *e, void *arg),
               void *arg, struct error *err)
{
    struct entries e = { NULL, 0, 0 };
    struct txn t;
    int rc = txn_begin(s, false, &t, err);

    if (rc < 0)
        return -1;
    if (list_directories(s, &e, err) < 0 ||
        txn_each(&t, DB_SUB, VIEW(""), add_subscribed, &e, err) < 0) {
        rc = -1;
        goto out;
    }
    add_parents(&e);
    unite(&e);
    for (size_t i = 0; i < e.n; i++) {
        struct store_entry one = {
            .name = view_of(e.list[i].name),
            .exists = e.list[i].exists,
            .subscribed = e.list[i].subscribed,
            .has_children = has_children(&e, i),
            .use = use_of(&t, &e.list[i]),
        };

        each(&one, arg);
    }
out:
    txn_abort(&t);
    for (size_t i = 0; i < e.n; i++)
        free(e.list[i].name);
    free(e.list);
    return rc;
}

/* --- subscribing ------------------------------------------------------- */

int store_subscribe(struct store *s, struct view name, bool on,
                    enum store_why *why, struct error *err)
{
    struct txn t;
    int rc;

    name = store_canonical(name);
    if (!store_is_name(name))
        return store_refuse(why, STORE_BAD_NAME, err,
                            "\"%.*s\" cannot be a mailbox's name", name);
    *why = STORE_LATER;
    if (txn_begin(s, true, &t, err) < 0)
        return -1;
    rc = on ? txn_put(&t, DB_SUB, name, VIEW("1"), err)
            : txn_delete(&t, DB_SUB, name, err);
    return txn_end(&t, rc, err);
}

/* --- status ------------------------------------------------------------ */

static int count_recent(const struct msg *m, void *arg, struct error *err)
{
    uint32_t *recent = arg;

    (void)m;
    (void)err;
    ++*recent;
    return 0;
}

int store_status(struct store *s, struct view name, struct store_status *st,
                 enum store_why *why, struct error *err)
{
    struct box b = { .id = 0 };
    struct txn t;
    bool changed;
    int rc;

    name = store_canonical(name);
    *st = (struct store_status){ .messages = 0 };
    if (!store_is_name(name))
        return store_refuse(why, STORE_MISSING, err,
                            "there is no mailbox \"%.*s\"", name);
    if (scan(s, name, false, &changed, why, err) < 0 ||
        txn_begin(s, false, &t, err) < 0)
        return -1;
    rc = box_get(&t, name, &b, err);
    if (rc > 0)
        rc = msg_each(&t, b.id, b.first_recent, count_recent, &st->recent,
                      err);
    txn_abort(&t);
    st->messages = b.count;
    st->unseen = b.unseen;
    st->deleted = b.deleted;
    st->size = b.size;
    st->uid_next = b.uid_next;
    st->uid_validity = b.uid_validity;
    st->highest_modseq = b.modseq;
    box_release(&b);
    return rc < 0 ? -1 : 0;
}

static int add_usage(const struct msg *m, void *arg, struct error *err)
{
    uint64_t *sums = arg;

    (void)err;
    sums[0] += m->bytes;
    sums[1]++;
    return 0;
}

int store_usage(struct store *s, uint64_t *bytes, uint64_t *messages,
                struct error *err)
{
    uint64_t sums[2] = { 0, 0 };
    struct txn t;
    int rc = txn_begin(s, false, &t, err);

    if (rc == 0) {
        rc = msg_all(&t, add_usage, sums, err);
        txn_abort(&t);
    }
    *bytes = sums[0];
    *messages = sums[1];
    return rc;
}

int store_was_expunged(int dir, const struct store_options *o,
                       struct view base, bool *was, struct error *err)
{
    struct store *s;
    struct stat st;
    struct txn t;
    uint64_t when;
    int rc;

    *was = false;
    if (fstatat(dir, "index/data.mdb", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    s = store_open(dir, o, err);
    if (s == NULL)
        return -1;
    rc = txn_begin(s, false, &t, err);
    if (rc == 0) {
        rc = expunged_at(&t, base, &when, err);
        txn_abort(&t);
    }
    store_close(&s);
    *was = rc > 0;
    return rc < 0 ? -1 : 0;
}
