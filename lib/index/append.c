/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding messages. A file gets its name in cur/ only under the lock, and in
 * the same breath its UID: so no scan of another session comes between.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/nameless.h"
#include "index/file.h"
#include "index/internal.h"
#include "maildir/maildir.h"
#include "maildir/quota.h"

/* The mailbox that messages are added to. */
struct adding {
    struct store *s;
    struct view name;
    struct folder folder;
    struct txn t;
    struct box b;
    struct stamp_of before;
    struct buf made; /* names of files made in cur/, each with a NUL */
    uint64_t bytes, messages; /* that were taken from the quota */
};

static int open_folder(struct store *s, struct view name, struct folder *f,
                       struct error *err)
{
    int rc = folder_open(s, name, f, err);

    if (rc == 0)
        error_set(err, FAIL_TEMP, "the mailbox %.*s was deleted just now",
                  VIEW_ARG(name));
    return rc > 0 ? 0 : -1;
}

static int adding_begin(struct adding *a, struct store *s, struct view name,
                        enum store_why *why, struct error *err)
{
    bool changed;

    *a = (struct adding){ .s = s, .name = store_canonical(name),
                          .folder = { .new_dir = -1, .cur_dir = -1 } };
    *why = STORE_MISSING;
    if (!store_is_name(a->name))
        return error_set(err, FAIL_PERM, "there is no mailbox \"%.*s\"",
                         VIEW_ARG(name));
    /* Its record must be there, and know the files of now. */
    if (scan(s, a->name, false, &changed, why, err) < 0)
        return -1;
    *why = STORE_LATER;
    return open_folder(s, a->name, &a->folder, err);
}

static int adding_lock(struct adding *a, struct error *err)
{
    if (txn_begin(a->s, true, &a->t, err) < 0)
        return -1;
    if (box_need(&a->t, a->name, &a->b, err) < 0) {
        txn_abort(&a->t);
        return -1;
    }
    a->before = folder_stamp(&a->folder, a->folder.cur_dir);
    a->b.modseq++;
    return 0;
}

static int take_quota(struct adding *a, uint64_t bytes, uint64_t messages,
                      enum store_why *why, struct error *err)
{
    bool taken;

    if (quota_take(a->s->dir, a->s->o.quota, bytes, messages, &taken, err) <
        0)
        return -1;
    if (taken) {
        a->bytes = bytes;
        a->messages = messages;
        return 0;
    }
    *why = STORE_OVER_QUOTA;
    return error_set(err, FAIL_TEMP, "the account %s is full",
                     a->s->o.account);
}

static void unlink_made(struct adding *a)
{
    struct view rest = buf_view(&a->made), name;

    while (rest.len > 0 && view_cut(&rest, '\0', &name))
        unlinkat(a->folder.cur_dir, name.data, 0);
}

/* All or none: what was linked goes again when the end is not reached. */
static int adding_end(struct adding *a, int rc, struct error *err)
{
    if (rc == 0 && io_sync(a->folder.cur_dir) < 0)
        rc = error_sys(err, "cannot sync the mailbox");
    if (rc == 0) {
        folder_changed(&a->folder, &a->b, &a->before);
        rc = box_put(&a->t, a->name, &a->b, err);
    }
    rc = txn_end(&a->t, rc, err);
    if (rc < 0)
        unlink_made(a);
    return rc;
}

/* Ends it; what a failure did not need of the quota is given back. */
static void adding_release(struct adding *a, int rc)
{
    if (rc < 0 && a->messages > 0)
        quota_note(a->s->dir, a->s->o.quota, -(int64_t)a->bytes,
                   -(int64_t)a->messages);
    folder_close(&a->folder);
    box_release(&a->b);
    buf_release(&a->made);
}

static void note_made(struct adding *a, struct view name)
{
    buf_add_view(&a->made, name);
    buf_add_char(&a->made, '\0');
}

/* Note the message, whose file is in cur/ under `name`. */
static int add_record(struct adding *a, struct msg *m, struct view name,
                      uint32_t *uid, struct error *err)
{
    if (box_take_uid(&a->t, &a->b, &m->uid, err) < 0)
        return -1;
    m->modseq = a->b.modseq;
    m->file = name;
    m->in_new = false;
    m->mirrored = file_flags(name);
    box_count(&a->b, m, 1);
    *uid = m->uid;
    return msg_put(&a->t, a->b.id, m, err);
}

/* --- append ------------------------------------------------------------ */

static int write_file(struct adding *a, const struct mailbox_new *n,
                      struct error *err)
{
    struct timespec times[2] = { { .tv_sec = n->date }, { .tv_sec = n->date } };
    int fd = nameless_open(a->folder.cur_dir, 0600, err);

    if (fd < 0)
        return -1;
    if (io_copy(n->fd, 0, n->len, fd, "the mailbox", err) < 0)
        goto failed;
    if (futimens(fd, times) < 0 || io_sync(fd) < 0) {
        error_sys(err, "cannot write the message");
        goto failed;
    }
    return fd;
failed:
    close(fd);
    return -1;
}

static uint64_t keywords_of(struct box *b, const struct mailbox_new *n)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < n->n_keywords; i++)
        bits |= box_keyword(b, n->keywords[i]);
    return bits;
}

/* A new message's file, and its line ends that lack their CR. */
struct written {
    int fd;
    uint64_t bare;
};

static int append_one(struct adding *a, const struct mailbox_new *n,
                      const struct written *w, uint32_t *uid,
                      struct error *err)
{
    struct buf base = BUF_INIT, name = BUF_INIT;
    struct msg m = { .flags = n->flags, .date = n->date,
                     .size = n->len + w->bare, /* as clients are to get it */
                     .bytes = n->len, .keywords = keywords_of(&a->b, n) };
    int rc;

    maildir_new_name(&base, a->s->o.host, m.bytes, w->bare == 0);
    file_rename(&name, buf_view(&base), n->flags);
    if (nameless_link(w->fd, a->folder.cur_dir, buf_text(&name)) < 0) {
        rc = error_sys(err, "cannot link the message");
    } else {
        note_made(a, buf_view(&name));
        rc = add_record(a, &m, buf_view(&name), uid, err);
    }
    buf_release(&base);
    buf_release(&name);
    return rc;
}

int mailbox_append(struct store *s, struct view name,
                   const struct mailbox_new *list, size_t n,
                   uint32_t *uid_validity, uint32_t *uids,
                   enum store_why *why, struct error *err)
{
    struct adding a;
    struct written *w = alloc_zero(n + 1, sizeof *w);
    size_t written = 0;
    uint64_t total = 0;
    int rc = adding_begin(&a, s, name, why, err);

    for (size_t i = 0; i < n; i++)
        total += list[i].len;
    if (rc == 0)
        rc = take_quota(&a, total, n, why, err);
    for (; rc == 0 && written < n; written++) {
        w[written].fd = write_file(&a, &list[written], err);
        if (w[written].fd < 0)
            rc = -1;
        else
            w[written].bare = file_count_bare(list[written].fd,
                                              list[written].len);
    }
    if (rc == 0)
        rc = adding_lock(&a, err);
    if (rc == 0) {
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = append_one(&a, &list[i], &w[i], &uids[i], err);
        rc = adding_end(&a, rc, err);
    }
    if (rc < 0 && err->sys == EDQUOT)
        *why = STORE_OVER_QUOTA;
    *uid_validity = a.b.uid_validity;
    for (size_t i = 0; i < written; i++)
        io_close(&w[i].fd);
    free(w);
    adding_release(&a, rc);
    return rc < 0 ? -1 : 0;
}

/* --- copy and move ----------------------------------------------------- */

struct copying {
    struct adding to;
    struct mailbox *m;
    const size_t *indices; /* of the messages, and of their new UIDs */
    size_t n;
    uint32_t *uids;
    enum store_why *why;
    struct folder from;
    struct box from_box;  /* of a move */
    bool move, same;      /* same: within one mailbox */
    bool *lost;           /* where to tell that a file is not in its place;
                             NULL: then its message is gone */
    struct buf undo;      /* moved files: in_new, old name, new name; each
                             name with a NUL */
};

/* The source's name, with flags that the target's has keywords for. */
static uint64_t translate(struct copying *c, uint64_t bits)
{
    uint64_t out = 0;

    for (size_t i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
        if ((bits & 1ull << i) && c->m->keywords[i] != NULL)
            out |= box_keyword(&c->to.b, view_of(c->m->keywords[i]));
    return out;
}

static int place_file(struct copying *c, const struct msg *m,
                      const struct buf *name, struct error *err)
{
    int from = m->in_new ? c->from.new_dir : c->from.cur_dir;
    char old[256];

    if (!view_copy(m->file, old, sizeof old))
        return error_set(err, FAIL_TEMP, "a file's name is too long");
    if (c->move
            ? renameat2(from, old, c->to.folder.cur_dir, buf_text(name),
                        RENAME_NOREPLACE) < 0
            : linkat(from, old, c->to.folder.cur_dir, buf_text(name), 0) < 0)
        return errno == ENOENT ? 0
                               : error_sys(err, "cannot copy the message");
    if (!c->move) {
        note_made(&c->to, buf_view(name));
        return 1;
    }
    buf_add_char(&c->undo, m->in_new ? 'n' : 'c');
    buf_add_text(&c->undo, old);
    buf_add_char(&c->undo, '\0');
    buf_add_view(&c->undo, buf_view(name));
    buf_add_char(&c->undo, '\0');
    return 1;
}

/* Copy or move one; *uid stays 0 when its file is gone. */
static int copy_one(struct copying *c, size_t index, uint32_t *uid,
                    struct error *err)
{
    struct buf base = BUF_INIT, name = BUF_INIT, old = BUF_INIT;
    struct msg m, moved;
    int rc = mailbox_get(&c->to.t, c->m, index, &m, err);

    *uid = 0;
    if (rc <= 0) {
        c->m->entries[index].is_gone = rc == 0;
        return rc;
    }
    buf_add_view(&old, m.file);
    m.file = buf_view(&old);
    moved = m;
    /* A moved file keeps its name, by which a delivery in doubt is known. */
    if (c->move)
        buf_add_view(&base, file_base(m.file));
    else
        maildir_new_name(&base, c->to.s->o.host, m.bytes, m.size == m.bytes);
    file_rename(&name, buf_view(&base), m.flags);
    rc = place_file(c, &m, &name, err);
    if (rc > 0) {
        m.keywords = translate(c, m.keywords);
        rc = add_record(&c->to, &m, buf_view(&name), uid, err);
        if (rc == 0 && c->move) {
            box_count(&c->from_box, &moved, -1);
            rc = msg_delete(&c->to.t, c->m->p->id, moved.uid, err);
        }
    } else if (rc == 0 && c->lost != NULL) {
        *c->lost = true;
        rc = error_set(err, FAIL_TEMP, "a file is not in its place");
    } else if (rc == 0) {
        c->m->entries[index].is_gone = true;
    }
    buf_release(&base);
    buf_release(&name);
    buf_release(&old);
    return rc;
}

/* A move that did not come to its end: the files go back. */
static void undo(struct copying *c)
{
    struct view rest = buf_view(&c->undo), old, name;

    while (rest.len > 0 && view_cut(&rest, '\0', &old) &&
           view_cut(&rest, '\0', &name))
        renameat(c->to.folder.cur_dir, name.data,
                 old.data[0] == 'n' ? c->from.new_dir : c->from.cur_dir,
                 old.data + 1);
}

/* Bytes of the messages, as far as they are still there. */
static int total_of(struct copying *c, uint64_t *total, struct error *err)
{
    *total = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct msg m;
        int rc = mailbox_get(&c->to.t, c->m, c->indices[i], &m, err);

        if (rc < 0)
            return -1;
        *total += rc > 0 ? m.bytes : 0;
    }
    return 0;
}

static int copy_all(struct copying *c, struct error *err)
{
    struct stamp_of before = folder_stamp(&c->from, c->from.cur_dir);
    int rc = 0;

    if (c->move && box_get(&c->to.t, view_of(c->m->name), &c->from_box,
                           err) <= 0)
        return -1;
    if (c->move)
        c->from_box.modseq++;
    for (size_t i = 0; i < c->n && rc == 0; i++)
        rc = copy_one(c, c->indices[i], &c->uids[i], err);
    if (rc == 0 && c->move) {
        folder_changed(&c->from, &c->from_box, &before);
        if (io_sync(c->from.cur_dir) < 0)
            rc = error_sys(err, "cannot sync the mailbox");
        else
            rc = box_put(&c->to.t, view_of(c->m->name), &c->from_box, err);
    }
    return rc;
}

/* With the lock: copy or move, or leave all as it was. */
static int copy_locked(struct copying *c, bool with_quota, struct error *err)
{
    uint64_t total = 0;
    int rc = 0;

    if (with_quota)
        rc = total_of(c, &total, err);
    if (rc == 0 && total > 0)
        rc = take_quota(&c->to, total, c->n, c->why, err);
    if (rc == 0)
        rc = copy_all(c, err);
    rc = adding_end(&c->to, rc, err);
    if (rc < 0)
        undo(c);
    return rc;
}

/* The other half of a move within a mailbox. */
static int remove_old(struct copying *c, struct error *err)
{
    struct mailbox_change del = { .how = MAILBOX_ADD,
                                  .flags = MAILBOX_DELETED };
    bool *modified = alloc_zero(c->n + 1, sizeof *modified);
    int rc = mailbox_store(c->m, c->indices, c->n, &del, modified, err);

    free(modified);
    return rc == 0 ? mailbox_expunge(c->m, c->indices, c->n, err) : rc;
}

static int copy_once(struct copying *c, struct view to, bool move,
                     uint32_t *uid_validity, struct error *err)
{
    struct mailbox *m = c->m;
    int rc = adding_begin(&c->to, m->store, to, c->why, err);

    /* A move within a mailbox gives new UIDs to the same files: as a copy
     * and an expunge, since a file has but one place. */
    c->same = rc == 0 && view_is(c->to.name, m->name);
    c->move = move && !c->same;
    c->from = (struct folder){ .new_dir = -1, .cur_dir = -1 };
    if (rc == 0)
        rc = open_folder(m->store, view_of(m->name), &c->from, err);
    if (rc == 0)
        rc = adding_lock(&c->to, err);
    /* What is moved within a mailbox is not there twice for long. */
    if (rc == 0)
        rc = copy_locked(c, !move, err);
    *uid_validity = c->to.b.uid_validity;
    if (rc == 0 && move && c->same)
        rc = remove_old(c, err);
    folder_close(&c->from);
    box_release(&c->from_box);
    buf_release(&c->undo);
    adding_release(&c->to, rc);
    return rc < 0 ? -1 : 0;
}

int mailbox_copy(struct mailbox *m, const size_t *indices, size_t n,
                 struct view to, bool move, uint32_t *uid_validity,
                 uint32_t *uids, enum store_why *why, struct error *err)
{
    bool lost = false;
    struct copying c = { .m = m, .indices = indices, .n = n, .uids = uids,
                         .why = why, .lost = &lost };
    int rc = copy_once(&c, to, move, uid_validity, err);

    if (rc == 0 || !lost)
        return rc;
    if (scan_anew(m->store, view_of(m->name), why, err) < 0)
        return -1;
    c.lost = NULL;
    return copy_once(&c, to, move, uid_validity, err);
}
