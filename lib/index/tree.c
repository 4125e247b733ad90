/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing the tree of mailboxes: the directory and the index's record of each
 * are made, go, and get other names together. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "index/internal.h"
#include "maildir/quota.h"

#define TRASH      "index/deleted" /* a mailbox on its way out */
#define TREE_DEPTH 8 /* of what other tools left in a mailbox's directory */

/* --- making and deleting ----------------------------------------------- */

static int count_box(struct view key, struct view value, void *arg,
                     struct error *err)
{
    (void)key;
    (void)value;
    (void)err;
    ++*(size_t *)arg;
    return 0;
}

int store_create(struct store *s, struct view name, enum store_use use,
                 enum store_why *why, struct error *err)
{
    char path[STORE_NAME_MAX + 2];
    struct txn t;
    struct box b = { .id = 0 };
    size_t n = 0;
    int rc;

    name = store_canonical(name);
    if (!store_is_name(name))
        return store_refuse(why, STORE_BAD_NAME, err,
                            "\"%.*s\" cannot be a mailbox's name", name);
    store_path(name, path);
    if (store_is_maildir(s, path))
        return store_refuse(why, STORE_EXISTS, err,
                            "the mailbox \"%.*s\" is there already", name);
    *why = STORE_LATER;
    if (txn_begin(s, true, &t, err) < 0)
        return -1;
    rc = txn_each(&t, DB_BOX, VIEW(""), count_box, &n, err);
    if (rc == 0 && n >= STORE_MAILBOXES_MAX)
        rc = store_refuse(why, STORE_LIMIT, err,
                          "no room for \"%.*s\": there are too many mailboxes",
                          name);
    /* What the index knows under this name is of one that is gone. */
    if (rc == 0)
        rc = txn_delete(&t, DB_BOX, name, err);
    if (rc == 0)
        rc = box_need(&t, name, &b, err);
    b.use = use;
    if (rc == 0)
        rc = box_put(&t, name, &b, err);
    if (rc == 0)
        rc = store_make_maildir(s, path, err);
    box_release(&b);
    return txn_end(&t, rc, err);
}

/* Remove a directory with all that is in it, a few levels deep, and follow no
 * link; what cannot be removed stays. */
static void remove_tree(int at, const char *path, unsigned depth)
{
    DIR *dir = io_open_dir(at, path);
    struct dirent *e;

    if (dir == NULL)
        return;
    while (io_next_name(dir, &e))
        if (unlinkat(dirfd(dir), e->d_name, 0) < 0 && errno == EISDIR &&
            depth > 0)
            remove_tree(dirfd(dir), e->d_name, depth - 1);
    closedir(dir);
    unlinkat(at, path, AT_REMOVEDIR);
}

static int drop_box(struct txn *t, struct view name, struct error *err)
{
    struct box b;
    struct msg_key k;
    struct view prefix;
    int rc = box_get(t, name, &b, err);

    box_release(&b);
    if (rc <= 0)
        return rc;
    prefix = view_sub(msg_key(&k, b.id, 0), 0, 4);
    if (txn_clear(t, DB_MSG, prefix, err) < 0 ||
        txn_clear(t, DB_FACT, prefix, err) < 0)
        return -1;
    return txn_delete(t, DB_BOX, name, err);
}

/* Away in one step, then from the index, then its files; what the index does
 * not learn did not happen. */
int store_delete(struct store *s, struct view name, enum store_why *why,
                 struct error *err)
{
    char path[STORE_NAME_MAX + 2], aside[ASIDE_SIZE];
    struct txn t;
    int rc;

    name = store_canonical(name);
    store_path(name, path);
    if (view_is(name, "INBOX"))
        return store_refuse(why, STORE_BAD_NAME, err, "%.*s cannot be deleted",
                            name);
    if (!store_is_name(name) || !store_is_maildir(s, path))
        return store_refuse(why, STORE_MISSING, err,
                            "there is no mailbox \"%.*s\"", name);
    *why = STORE_LATER;
    if (txn_begin(s, true, &t, err) < 0)
        return -1;
    remove_tree(s->dir, TRASH, TREE_DEPTH);
    if (store_set_aside(s, path, TRASH, aside, err) < 0) {
        txn_abort(&t);
        return -1;
    }
    rc = io_sync(s->dir) < 0 ? error_sys(err, "cannot delete the mailbox")
                           : drop_box(&t, name, err);
    if (txn_end(&t, rc, err) < 0) {
        renameat(s->dir, aside, s->dir, path);
        return -1;
    }
    remove_tree(s->dir, aside, TREE_DEPTH);
    quota_forget(s->dir);
    return 0;
}

/* --- renaming ---------------------------------------------------------- */

struct renaming {
    struct view from, to;
    struct buf names; /* the children's and its own, each with a NUL */
    size_t done;      /* bytes of names whose directories were renamed */
    bool too_long;
};

static void collect(const struct store_entry *e, void *arg)
{
    struct renaming *r = arg;
    bool is_child = e->name.len > r->from.len &&
                    view_eq(view_sub(e->name, 0, r->from.len), r->from) &&
                    e->name.data[r->from.len] == '.';

    if (!e->exists || (!is_child && !view_eq(e->name, r->from)))
        return;
    buf_add_view(&r->names, e->name);
    buf_add_char(&r->names, '\0');
    if (e->name.len - r->from.len + r->to.len > STORE_NAME_MAX)
        r->too_long = true;
}

/* What one of the names is to be. */
static struct view new_name(const struct renaming *r, struct view name,
                            struct buf *fresh)
{
    buf_reset(fresh);
    buf_add_view(fresh, r->to);
    buf_add_view(fresh, view_sub(name, r->from.len, name.len));
    return buf_view(fresh);
}

static int move_record(struct txn *t, struct view from, struct view to,
                       struct error *err)
{
    struct box b = { .id = 0 };
    int rc = box_get(t, from, &b, err);

    if (rc > 0)
        rc = txn_delete(t, DB_BOX, from, err) < 0 ||
                     box_put(t, to, &b, err) < 0 ? -1 : 0;
    box_release(&b);
    return rc;
}

static int rename_one(struct store *s, struct txn *t, struct renaming *r,
                      struct view name, struct error *err)
{
    char from[STORE_NAME_MAX + 2], to[STORE_NAME_MAX + 2];
    struct buf fresh = BUF_INIT;
    int rc;

    store_path(name, from);
    store_path(new_name(r, name, &fresh), to);
    if (renameat(s->dir, from, s->dir, to) < 0) {
        rc = error_sys(err, "cannot rename the mailbox %s", from);
    } else {
        r->done += name.len + 1;
        rc = move_record(t, name, buf_view(&fresh), err);
    }
    if (rc == 0)
        rc = txn_delete(t, DB_MOVE, name, err);
    buf_release(&fresh);
    return rc;
}

/* The index has the old names: so have the directories. */
static void undo(struct store *s, struct renaming *r)
{
    struct view rest = view_sub(buf_view(&r->names), 0, r->done), name;
    struct buf fresh = BUF_INIT;

    while (rest.len > 0 && view_cut(&rest, '\0', &name)) {
        char from[STORE_NAME_MAX + 2], to[STORE_NAME_MAX + 2];

        store_path(name, from);
        store_path(new_name(r, name, &fresh), to);
        renameat(s->dir, to, s->dir, from);
    }
    buf_release(&fresh);
}

/* Note what is to be done, or, when it came to nothing, take it back. */
static int note_all(struct store *s, struct renaming *r, bool take_back,
                    struct error *err)
{
    struct view rest = buf_view(&r->names), name;
    struct buf fresh = BUF_INIT;
    struct txn t;
    int rc = 0;

    if (txn_begin(s, true, &t, err) < 0)
        return -1;
    while (rc == 0 && rest.len > 0 && view_cut(&rest, '\0', &name))
        rc = take_back ? txn_delete(&t, DB_MOVE, name, err)
                       : txn_put(&t, DB_MOVE, name, new_name(r, name, &fresh),
                                 err);
    buf_release(&fresh);
    return txn_end(&t, rc, err);
}

static int rename_noted(struct store *s, struct renaming *r, struct error *err)
{
    struct view rest = buf_view(&r->names), name;
    struct txn t;
    int rc = 0;

    if (txn_begin(s, true, &t, err) < 0)
        return -1;
    while (rc == 0 && rest.len > 0 && view_cut(&rest, '\0', &name))
        rc = rename_one(s, &t, r, name, err);
    if (rc == 0 && io_sync(s->dir) < 0)
        rc = error_sys(err, "cannot sync the mailboxes");
    rc = txn_end(&t, rc, err);
    if (rc < 0)
        undo(s, r);
    return rc;
}

static int rename_all(struct store *s, struct renaming *r, struct error *err)
{
    struct error ignored;

    if (note_all(s, r, false, err) < 0)
        return -1;
    if (rename_noted(s, r, err) == 0)
        return 0;
    note_all(s, r, true, &ignored);
    return -1;
}

static int add_note(struct view from, struct view to, void *arg,
                    struct error *err)
{
    (void)err;
    buf_add_view(arg, from);
    buf_add_char(arg, '\0');
    buf_add_view(arg, to);
    buf_add_char(arg, '\0');
    return 0;
}

/* Where the directory has the new name, the record gets it too. */
static int follow(struct store *s, struct txn *t, struct view from,
                  struct view to, struct error *err)
{
    char old[STORE_NAME_MAX + 2], new[STORE_NAME_MAX + 2];

    store_path(from, old);
    store_path(to, new);
    if (!store_is_maildir(s, old) && store_is_maildir(s, new) &&
        move_record(t, from, to, err) < 0)
        return -1;
    return txn_delete(t, DB_MOVE, from, err);
}

int tree_recover(struct store *s, struct error *err)
{
    struct buf notes = BUF_INIT;
    struct view rest, from, to;
    struct txn t;
    int rc = txn_begin(s, false, &t, err);

    if (rc == 0) {
        rc = txn_each(&t, DB_MOVE, VIEW(""), add_note, &notes, err);
        txn_abort(&t);
    }
    if (rc == 0 && notes.len > 0)
        rc = txn_begin(s, true, &t, err);
    if (rc < 0 || notes.len == 0)
        goto out;
    rest = buf_view(&notes);
    while (rc == 0 && rest.len > 0 && view_cut(&rest, '\0', &from) &&
           view_cut(&rest, '\0', &to))
        rc = follow(s, &t, from, to, err);
    rc = txn_end(&t, rc, err);
out:
    buf_release(&notes);
    return rc;
}

/* INBOX stays, and what was in it goes. */
static int rename_inbox(struct store *s, struct view to, enum store_why *why,
                        struct error *err)
{
    struct mailbox *m;
    size_t *all;
    uint32_t validity, *uids;
    int rc;

    if (store_create(s, to, STORE_USE_NONE, why, err) < 0)
        return -1;
    m = mailbox_open(s, VIEW("INBOX"), false, why, err);
    if (m == NULL)
        return -1;
    all = alloc_zero(m->n + 1, sizeof *all);
    uids = alloc_zero(m->n + 1, sizeof *uids);
    for (size_t i = 0; i < m->n; i++)
        all[i] = i;
    rc = m->n > 0 ? mailbox_copy(m, all, m->n, to, true, &validity, uids, why,
                                 err) : 0;
    free(all);
    free(uids);
    mailbox_close(&m);
    return rc;
}

/* May the mailbox r->from have the name r->to? */
static int check_names(struct store *s, const struct renaming *r,
                       enum store_why *why, struct error *err)
{
    char path[STORE_NAME_MAX + 2];

    store_path(r->to, path);
    if (!store_is_name(r->to) ||
        (view_eq(view_sub(r->to, 0, r->from.len), r->from) &&
         r->to.len > r->from.len && r->to.data[r->from.len] == '.' &&
         !view_is(r->from, "INBOX")))
        return store_refuse(why, STORE_BAD_NAME, err,
                            "\"%.*s\" cannot be the new name", r->to);
    if (store_is_maildir(s, path))
        return store_refuse(why, STORE_EXISTS, err,
                            "the mailbox \"%.*s\" is there already", r->to);
    return 0;
}

int store_rename(struct store *s, struct view from, struct view to,
                 enum store_why *why, struct error *err)
{
    struct renaming r = { .from = store_canonical(from),
                          .to = store_canonical(to) };
    int rc;

    if (check_names(s, &r, why, err) < 0)
        return -1;
    if (view_is(r.from, "INBOX"))
        return rename_inbox(s, r.to, why, err);
    *why = STORE_LATER;
    rc = store_each(s, collect, &r, err);
    if (rc == 0 && r.names.len == 0)
        rc = store_refuse(why, STORE_MISSING, err,
                          "there is no mailbox \"%.*s\"", from);
    else if (rc == 0 && r.too_long)
        rc = store_refuse(why, STORE_BAD_NAME, err, "\"%.*s\" has children "
                          "whose names would be too long", from);
    if (rc == 0)
        rc = rename_all(s, &r, err);
    buf_release(&r.names);
    return rc;
}
