/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking in what changed on disk: files that are new, gone, or have another
 * name. Directories are listed and files measured without the lock; then, with
 * it, the index is changed, if nobody else did meanwhile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "index/file.h"
#include "index/internal.h"
#include "maildir/maildir.h"

#define TRIES    5
/* A directory's time moves in steps; one that changed just now may change
 * again within the same step, and is looked at once more. */
#define STEP_NS  20000000ull

struct file {
    size_t name, len; /* in scan.names */
    bool in_new;
    bool known;       /* the index has it */
    /* Of those that it has not: */
    uint64_t mtime_us, bytes, size;
    int64_t changed;  /* st_ctime */
    bool vanished;
};

struct scanning {
    struct store *s;
    struct view name;
    struct folder folder;
    bool move;
    bool anew;        /* whatever the directories' times are */
    bool look_new, look_cur;
    struct stamp_of new_stamp, cur_stamp; /* before listing */
    struct buf names;
    struct file *files;
    size_t n, cap;
    /* What the index says of messages that are there no more, or under
     * another name. */
    struct moved {
        uint32_t uid;
        bool is_gone;
        struct file file;
    } *moved;
    size_t n_moved, cap_moved, n_gone;
    struct box sums; /* what its records say */
};

static struct view name_of(const struct scanning *c, const struct file *f)
{
    return (struct view){ c->names.data + f->name, f->len };
}

/* --- listing ----------------------------------------------------------- */

static void add_file(struct scanning *c, const char *name, bool in_new)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->files = alloc_resize(c->files, c->cap, sizeof *c->files);
    }
    c->files[c->n++] = (struct file){ .name = c->names.len,
                                      .len = strlen(name), .in_new = in_new };
    buf_add_text(&c->names, name);
}

/* Hidden files are none, nor is one without a base name, which would have
 * nothing to be known by. */
static bool file_is_message(const char *name)
{
    return name[0] != '.' && file_base(view_of(name)).len > 0;
}

static int list(struct scanning *c, int dir_fd, bool in_new, struct error *err)
{
    DIR *dir = io_open_dir(dir_fd, ".");
    struct dirent *e;
    int rc = 0;

    if (dir == NULL)
        return error_sys(err, "cannot list the mailbox %.*s",
                         VIEW_ARG(c->name));
    while (io_next_name(dir, &e))
        if (file_is_message(e->d_name) &&
            (e->d_type == DT_REG || e->d_type == DT_UNKNOWN))
            add_file(c, e->d_name, in_new);
    if (errno != 0) /* what was not listed is not gone */
        rc = error_sys(err, "cannot list the mailbox %.*s",
                       VIEW_ARG(c->name));
    closedir(dir);
    return rc;
}

/* The names that are sorted; qsort_r() hands it on. */
static int by_base(const void *a, const void *b, void *arg)
{
    const struct scanning *c = arg;

    return view_cmp(file_base(name_of(c, a)), file_base(name_of(c, b)));
}

/* A file that went from new/ to cur/ while they were listed, in this order,
 * was seen in both. */
static void unite(struct scanning *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        bool twice = kept > 0 && by_base(&c->files[kept - 1], &c->files[i],
                                         c) == 0;

        if (!twice)
            c->files[kept++] = c->files[i];
        else if (!c->files[i].in_new)
            c->files[kept - 1] = c->files[i];
    }
    c->n = kept;
}

static struct file *find(struct scanning *c, struct view base)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = view_cmp(file_base(name_of(c, &c->files[middle])), base);

        if (order == 0)
            return &c->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- comparing --------------------------------------------------------- */

static void add_moved(struct scanning *c, uint32_t uid, const struct file *f)
{
    if (c->n_moved == c->cap_moved) {
        c->cap_moved = c->cap_moved ? c->cap_moved * 2 : 64;
        c->moved = alloc_resize(c->moved, c->cap_moved, sizeof *c->moved);
    }
    c->moved[c->n_moved] = (struct moved){ .uid = uid, .is_gone = f == NULL };
    if (f != NULL)
        c->moved[c->n_moved].file = *f;
    c->n_gone += f == NULL;
    c->n_moved++;
}

static int compare(const struct msg *m, void *arg, struct error *err)
{
    struct scanning *c = arg;
    struct file *f = find(c, file_base(m->file));

    (void)err;
    box_count(&c->sums, m, 1);
    if (f == NULL) {
        if (m->in_new ? c->look_new : c->look_cur)
            add_moved(c, m->uid, NULL);
        return 0;
    }
    f->known = true;
    if (f->in_new != m->in_new || !view_eq(name_of(c, f), m->file) ||
        (c->move && m->in_new))
        add_moved(c, m->uid, f);
    return 0;
}

/* --- measuring new files ----------------------------------------------- */

static bool number_behind(struct view base, const char *mark, uint64_t *n)
{
    const char *at = memmem(base.data, base.len, mark, strlen(mark));
    struct view v;

    if (at == NULL)
        return false;
    at += strlen(mark);
    v = (struct view){ at, (size_t)(base.data + base.len - at) };
    return view_number(view_sub(v, 0, view_index(v, ',')), UINT64_MAX, n);
}

/* Our own files say by their names that they hold CRLF; Dovecot's say their
 * size for clients (W); others are read once. */
static uint64_t client_size(int dir, const char *name, struct view base,
                            uint64_t bytes)
{
    uint64_t said, size;
    int fd;

    if (maildir_name_says_crlf(base, bytes))
        return bytes;
    if (number_behind(base, ",S=", &said) && said == bytes &&
        number_behind(base, ",W=", &size) && size >= bytes)
        return size;
    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return bytes;
    size = bytes + file_count_bare(fd, bytes);
    close(fd);
    return size;
}

static void measure(struct scanning *c, struct file *f)
{
    int dir = f->in_new ? c->folder.new_dir : c->folder.cur_dir;
    char name[256];
    struct stat st;

    view_copy(name_of(c, f), name, sizeof name);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode)) {
        f->vanished = true;
        return;
    }
    f->mtime_us = (uint64_t)st.st_mtim.tv_sec * 1000000 +
                  (uint64_t)st.st_mtim.tv_nsec / 1000;
    f->changed = st.st_ctim.tv_sec;
    f->bytes = (uint64_t)st.st_size;
    f->size = client_size(dir, name, file_base(name_of(c, f)), f->bytes);
}

/* UIDs rise with time of arrival. */
static int by_arrival(const void *a, const void *b, void *arg)
{
    const struct file *x = a, *y = b;

    if (x->known != y->known)
        return x->known ? 1 : -1;
    if (x->mtime_us != y->mtime_us)
        return x->mtime_us < y->mtime_us ? -1 : 1;
    return view_cmp(name_of(arg, x), name_of(arg, y));
}

/* --- changing the index ------------------------------------------------ */

/* Follow a known message to its file. */
static int apply_moved(struct scanning *c, struct txn *t, struct box *b,
                       const struct moved *v, struct error *err)
{
    struct buf name = BUF_INIT, mirrored = BUF_INIT;
    struct msg m;
    int rc = msg_get(t, b->id, v->uid, &m, err);

    if (rc <= 0)
        goto out;
    if (v->is_gone) {
        box_count(b, &m, -1);
        b->modseq++;
        rc = msg_delete(t, b->id, v->uid, err);
        goto out;
    }
    box_count(b, &m, -1);
    buf_add_view(&name, name_of(c, &v->file));
    m.file = buf_view(&name);
    m.in_new = v->file.in_new;
    if (file_flags(m.file) != m.mirrored) {
        m.mirrored = file_flags(m.file);
        m.flags = m.mirrored; /* another tool changed them */
        m.modseq = ++b->modseq;
    }
    box_count(b, &m, 1);
    if (c->move && m.in_new)
        file_mirror(&c->folder, &m, &mirrored);
    rc = msg_put(t, b->id, &m, err);
out:
    buf_release(&name);
    buf_release(&mirrored);
    return rc < 0 ? -1 : 0;
}

/* Was it expunged, and a crash took its removal away? Then it goes again: 1;
 * else 0. */
static int drop_expunged(struct scanning *c, struct txn *t,
                         const struct file *f, struct error *err)
{
    uint64_t when;
    char name[256];
    int rc = expunged_at(t, file_base(name_of(c, f)), &when, err);

    if (rc <= 0 || file_was_put_back(f->changed, when))
        return rc < 0 ? -1 : 0;
    if (view_copy(name_of(c, f), name, sizeof name))
        unlinkat(f->in_new ? c->folder.new_dir : c->folder.cur_dir, name, 0);
    return 1;
}

static int apply_new(struct scanning *c, struct txn *t, struct box *b,
                     const struct file *f, struct error *err)
{
    struct buf name = BUF_INIT, mirrored = BUF_INIT;
    struct msg m = { .bytes = f->bytes, .size = f->size,
                     .date = (uint32_t)(f->mtime_us / 1000000),
                     .in_new = f->in_new };
    int rc = drop_expunged(c, t, f, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (box_take_uid(t, b, &m.uid, err) < 0)
        return -1;
    buf_add_view(&name, name_of(c, f));
    m.file = buf_view(&name);
    m.flags = m.mirrored = file_flags(m.file);
    m.modseq = ++b->modseq;
    if (c->move && m.in_new)
        file_mirror(&c->folder, &m, &mirrored);
    box_count(b, &m, 1);
    rc = msg_put(t, b->id, &m, err);
    buf_release(&name);
    buf_release(&mirrored);
    return rc;
}


static struct stamp_of settled(struct stamp_of s, uint64_t started_ns)
{
    return s.mtime_ns + STEP_NS < started_ns ? s
                                             : (struct stamp_of){ 0, 0 };
}

static int apply(struct scanning *c, struct txn *t, struct box *b,
                 uint64_t started_ns, struct error *err)
{
    struct stamp_of before = folder_stamp(&c->folder, c->folder.cur_dir);

    b->new_dir = settled(c->new_stamp, started_ns);
    if (c->look_cur)
        b->cur_dir = settled(c->cur_stamp, started_ns);
    for (size_t i = 0; i < c->n_moved; i++)
        if (apply_moved(c, t, b, &c->moved[i], err) < 0)
            return -1;
    for (size_t i = 0; i < c->n; i++)
        if (!c->files[i].known && !c->files[i].vanished &&
            apply_new(c, t, b, &c->files[i], err) < 0)
            return -1;
    folder_changed(&c->folder, b, &before);
    return box_put(t, c->name, b, err);
}

/* --- a scan ------------------------------------------------------------ */

static void forget(struct scanning *c)
{
    buf_reset(&c->names);
    c->n = c->n_moved = c->n_gone = 0;
    c->sums = (struct box){ .id = 0 };
}

/* What is on disk against what the index has. 1: there is something to do. */
static int prepare(struct scanning *c, struct box *b, struct error *err)
{
    struct txn t;
    int rc;

    c->new_stamp = folder_stamp(&c->folder, c->folder.new_dir);
    c->cur_stamp = folder_stamp(&c->folder, c->folder.cur_dir);
    if (txn_begin(c->s, false, &t, err) < 0)
        return -1;
    rc = box_get(&t, c->name, b, err);
    if (rc < 0)
        goto out;
    c->look_new = rc == 0 || c->anew ||
                  !stamp_is_same(b->new_dir, c->new_stamp);
    c->look_cur = rc == 0 || c->anew ||
                  !stamp_is_same(b->cur_dir, c->cur_stamp);
    rc = c->look_new || c->look_cur;
    if (rc == 0)
        goto out;
    if ((c->look_new && list(c, c->folder.new_dir, true, err) < 0) ||
        (c->look_cur && list(c, c->folder.cur_dir, false, err) < 0)) {
        rc = -1;
        goto out;
    }
    if (c->n > 0)
        qsort_r(c->files, c->n, sizeof *c->files, by_base, c);
    unite(c);
    if (b->id != 0 && msg_each(&t, b->id, 0, compare, c, err) < 0)
        rc = -1;
    else if (!box_same_sums(&c->sums, b))
        rc = txn_damaged(&t, "the count of a mailbox", err);
out:
    txn_abort(&t);
    return rc;
}

/* 1: done; 0: somebody else was faster, begin again. */
static int finish(struct scanning *c, const struct box *seen,
                  uint64_t started_ns, struct error *err)
{
    struct box b;
    struct txn t;
    int rc;

    if (txn_begin(c->s, true, &t, err) < 0)
        return -1;
    rc = box_need(&t, c->name, &b, err);
    if (rc == 0 && seen->id != 0 &&
        (b.id != seen->id || b.modseq != seen->modseq ||
         b.uid_next != seen->uid_next)) {
        txn_abort(&t);
        box_release(&b);
        return 0;
    }
    if (rc == 0)
        rc = apply(c, &t, &b, started_ns, err);
    rc = txn_end(&t, rc, err);
    box_release(&b);
    return rc < 0 ? -1 : 1;
}

/* Listing a directory may miss a file that gets another name meanwhile. So
 * nothing is taken for gone until the directories have been at rest. */
static bool is_restless(struct scanning *c, uint64_t started_ns)
{
    struct stamp_of n = folder_stamp(&c->folder, c->folder.new_dir);
    struct stamp_of r = folder_stamp(&c->folder, c->folder.cur_dir);

    return !stamp_is_same(n, c->new_stamp) || !stamp_is_same(r, c->cur_stamp) ||
           n.mtime_ns + STEP_NS >= started_ns ||
           r.mtime_ns + STEP_NS >= started_ns;
}

static void keep_gone(struct scanning *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n_moved; i++)
        if (!c->moved[i].is_gone)
            c->moved[kept++] = c->moved[i];
    c->n_moved = kept;
}

static int scan_once(struct scanning *c, bool last, bool *changed,
                     struct error *err)
{
    uint64_t started_ns = clock_real_us() * 1000;
    struct timespec step = { 0, STEP_NS };
    struct box seen = { .id = 0 };
    int rc = prepare(c, &seen, err);

    box_release(&seen);
    if (rc <= 0)
        return rc < 0 ? -1 : 1;
    if (c->n_gone > 0 && is_restless(c, started_ns)) {
        if (!last) {
            nanosleep(&step, NULL);
            return 0;
        }
        keep_gone(c); /* the next scan will tell */
    }
    for (size_t i = 0; i < c->n; i++)
        if (!c->files[i].known)
            measure(c, &c->files[i]);
    if (c->n > 0)
        qsort_r(c->files, c->n, sizeof *c->files, by_arrival, c);
    *changed = true;
    return finish(c, &seen, started_ns, err);
}

static int run(struct scanning *c, bool *changed, enum store_why *why,
               struct error *err)
{
    int rc = folder_open(c->s, c->name, &c->folder, err);

    *changed = false;
    *why = STORE_LATER;
    if (env_check(c->s, err) < 0) {
        *why = c->s->damaged ? STORE_DAMAGED : STORE_LATER;
        folder_close(&c->folder);
        return -1;
    }
    if (rc == 0) {
        *why = STORE_MISSING;
        return error_set(err, FAIL_PERM, "there is no mailbox \"%.*s\"",
                         VIEW_ARG(c->name));
    }
    if (rc < 0)
        return -1;
    rc = 0;
    for (int i = 0; i < TRIES && rc == 0; i++) {
        forget(c);
        rc = scan_once(c, i == TRIES - 1, changed, err);
    }
    if (rc == 0)
        rc = error_set(err, FAIL_TEMP, "the mailbox %.*s changes too fast",
                       VIEW_ARG(c->name));
    if (rc < 0 && c->s->damaged)
        *why = STORE_DAMAGED;
    folder_close(&c->folder);
    buf_release(&c->names);
    free(c->files);
    free(c->moved);
    return rc < 0 ? -1 : 0;
}

int scan(struct store *s, struct view name, bool move, bool *changed,
         enum store_why *why, struct error *err)
{
    struct scanning c = { .s = s, .name = name, .move = move };

    return run(&c, changed, why, err);
}

int scan_anew(struct store *s, struct view name, enum store_why *why,
              struct error *err)
{
    struct scanning c = { .s = s, .name = name, .anew = true };
    bool changed;

    return run(&c, &changed, why, err);
}
