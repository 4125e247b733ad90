/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags, keywords, expunge. */
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "index/file.h"
#include "index/internal.h"
#include "maildir/quota.h"

#define GONE_DAYS 5 /* maximal_queue_lifetime: so long a delivery may come
                     * again that was in doubt */

void mailbox_note(struct mailbox *m, size_t index, const struct msg *msg)
{
    struct mailbox_entry *e = &m->entries[index];

    e->flags = msg->flags | (e->flags & MAILBOX_RECENT);
    e->keywords = msg->keywords;
    e->modseq = msg->modseq;
}

/* Begin to change a mailbox: its record, and its directories. */
struct changing {
    struct txn t;
    struct box b;
    struct folder folder;
    struct stamp_of before;
    int64_t bytes, messages; /* expunged */
    bool renamed;            /* files, in cur/ */
};

static int changing_begin(struct changing *c, struct mailbox *m,
                          struct error *err)
{
    int rc;

    c->b = (struct box){ .id = 0 };
    c->bytes = c->messages = 0;
    c->renamed = false;
    rc = folder_open(m->store, view_of(m->name), &c->folder, err);
    if (rc == 0)
        return error_set(err, FAIL_PERM, "the mailbox was deleted");
    if (rc < 0)
        return -1;
    if (txn_begin(m->store, true, &c->t, err) < 0) {
        folder_close(&c->folder);
        return -1;
    }
    rc = box_get(&c->t, view_of(m->name), &c->b, err);
    if (rc > 0 && c->b.id == m->p->id) {
        c->before = folder_stamp(&c->folder, c->folder.cur_dir);
        return 0;
    }
    if (rc >= 0)
        error_set(err, FAIL_PERM, "the mailbox was deleted");
    txn_abort(&c->t);
    folder_close(&c->folder);
    box_release(&c->b);
    return -1;
}

static int changing_end(struct changing *c, struct mailbox *m, int rc,
                        struct error *err)
{
    if (rc == 0 && c->renamed && io_sync(c->folder.cur_dir) < 0)
        rc = error_sys(err, "cannot sync the mailbox");
    if (rc == 0) {
        folder_changed(&c->folder, &c->b, &c->before);
        rc = box_put(&c->t, view_of(m->name), &c->b, err);
    }
    rc = txn_end(&c->t, rc, err);
    folder_close(&c->folder);
    box_release(&c->b);
    return rc;
}

/* --- keywords ---------------------------------------------------------- */

/* A flag-keyword is an atom (RFC 3501 §9), without the backslash that system
 * flags have. */
static bool is_keyword(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] <= ' ' || v.data[i] > '~' ||
            strchr("(){%*\"\\]", v.data[i]) != NULL)
            return false;
    return v.len > 0 && v.len <= MAILBOX_KEYWORD_MAX;
}

/* The place of `name` among the names, or, if it is not there, an unused one
 * (*is_new); 64 when there is none. */
static size_t place_of(const struct box *b, struct view name, bool *is_new)
{
    struct view rest = buf_view(&b->keywords), one;
    size_t i = 0, unused = MAILBOX_KEYWORDS_MAX;

    for (; rest.len > 0 && view_cut(&rest, '\0', &one); i++) {
        if (view_eq_nocase(one, name)) {
            *is_new = false;
            return i;
        }
        if (one.len == 0 && unused == MAILBOX_KEYWORDS_MAX)
            unused = i;
    }
    *is_new = true;
    return unused < MAILBOX_KEYWORDS_MAX ? unused : i;
}

static void set_name(struct box *b, size_t place, struct view name)
{
    struct buf out = BUF_INIT;
    struct view rest = buf_view(&b->keywords), one;
    size_t i = 0;

    for (; rest.len > 0 && view_cut(&rest, '\0', &one); i++) {
        buf_add_view(&out, i == place ? name : one);
        buf_add_char(&out, '\0');
    }
    if (place >= i) {
        buf_add_view(&out, name);
        buf_add_char(&out, '\0');
    }
    buf_release(&b->keywords);
    b->keywords = out;
}

uint64_t box_keyword(struct box *b, struct view name)
{
    bool is_new;
    size_t place;

    if (!is_keyword(name))
        return 0;
    place = place_of(b, name, &is_new);
    if (place >= MAILBOX_KEYWORDS_MAX)
        return 0;
    if (is_new)
        set_name(b, place, name);
    return 1ull << place;
}

uint64_t mailbox_keyword(struct mailbox *m, struct view name, bool create,
                         struct error *err)
{
    struct changing c;
    uint64_t bit;

    for (size_t i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
        if (m->keywords[i] != NULL &&
            view_eq_nocase(view_of(m->keywords[i]), name))
            return 1ull << i;
    if (!create || m->read_only || !is_keyword(name) ||
        changing_begin(&c, m, err) < 0)
        return 0;
    bit = box_keyword(&c.b, name);
    if (changing_end(&c, m, bit != 0 ? 0 : -1, err) < 0 || bit == 0)
        return 0;
    for (size_t i = 0; i < MAILBOX_KEYWORDS_MAX; i++)
        if (bit == 1ull << i && m->keywords[i] == NULL)
            m->keywords[i] = alloc_copy(name.data, name.len);
    return bit;
}

/* --- flags ------------------------------------------------------------- */

static void change_one(struct msg *msg, const struct mailbox_change *c)
{
    switch (c->how) {
    case MAILBOX_SET:
        msg->flags = c->flags;
        msg->keywords = c->keywords;
        return;
    case MAILBOX_ADD:
        msg->flags |= c->flags;
        msg->keywords |= c->keywords;
        return;
    case MAILBOX_REMOVE:
        msg->flags &= ~c->flags;
        msg->keywords &= ~c->keywords;
        return;
    }
}

static int store_one(struct changing *g, struct mailbox *m, size_t index,
                     const struct mailbox_change *c, bool *skipped,
                     struct error *err)
{
    struct buf name = BUF_INIT;
    struct msg msg, was;
    int rc = mailbox_get(&g->t, m, index, &msg, err);

    *skipped = rc <= 0 ||
               (c->has_unchanged && msg.modseq > c->unchanged_since);
    m->entries[index].is_gone |= rc == 0;
    if (rc < 0 || *skipped)
        return rc < 0 ? -1 : 0;
    was = msg;
    change_one(&msg, c);
    if (was.flags == msg.flags && was.keywords == msg.keywords) {
        mailbox_note(m, index, &msg);
        return 0;
    }
    box_count(&g->b, &was, -1);
    box_count(&g->b, &msg, 1);
    msg.modseq = g->b.modseq;
    if ((msg.flags & ~(uint32_t)MAILBOX_RECENT) != msg.mirrored)
        g->renamed |= file_mirror(&g->folder, &msg, &name);
    rc = msg_put(&g->t, g->b.id, &msg, err);
    mailbox_note(m, index, &msg);
    buf_release(&name);
    return rc;
}

/* All that one STORE changes has one MODSEQ (RFC 7162 §3.1.3). What this view
 * has not seen yet of others stays unseen: seen_modseq moves on only if there
 * was nothing between. */
int mailbox_store(struct mailbox *m, const size_t *indices, size_t n,
                  const struct mailbox_change *change, bool *modified,
                  struct error *err)
{
    struct changing c;
    bool was_current;
    int rc = 0;

    if (changing_begin(&c, m, err) < 0)
        return -1;
    was_current = c.b.modseq == m->p->seen_modseq;
    c.b.modseq++;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = store_one(&c, m, indices[i], change, &modified[i], err);
    if (changing_end(&c, m, rc, err) < 0)
        return -1;
    if (was_current) {
        m->p->seen_modseq++;
        m->highest_modseq = m->p->seen_modseq;
    }
    return 0;
}

int mailbox_disown(struct mailbox *m, size_t index, struct error *err)
{
    struct changing c;
    struct msg msg;
    int rc;

    if (changing_begin(&c, m, err) < 0)
        return -1;
    rc = mailbox_get(&c.t, m, index, &msg, err);
    if (rc > 0) {
        log_warning("%s: the message with UID %u in %s was changed behind "
                    "our back; it gets another UID", m->store->o.account,
                    msg.uid, m->name);
        box_count(&c.b, &msg, -1);
        c.b.modseq++;
        c.b.new_dir = c.b.cur_dir = (struct stamp_of){ 0, 0 };
        rc = msg_delete(&c.t, c.b.id, msg.uid, err);
    }
    return changing_end(&c, m, rc < 0 ? -1 : 0, err);
}

/* --- expunge ----------------------------------------------------------- */

struct pruning {
    struct buf old;
    uint64_t before;
};

static int find_old(struct view key, struct view value, void *arg,
                    struct error *err)
{
    struct pruning *p = arg;
    uint64_t when;

    (void)err;
    if (value.len != sizeof when || p->old.len > 100000)
        return 0;
    memcpy(&when, value.data, sizeof when);
    if (when < p->before) {
        buf_add_view(&p->old, key);
        buf_add_char(&p->old, '\0');
    }
    return 0;
}

static int prune(struct txn *t, uint64_t now, struct error *err)
{
    struct pruning p = { BUF_INIT, now - GONE_DAYS * 86400ull };
    int rc = txn_each(t, DB_GONE, VIEW(""), find_old, &p, err);
    struct view rest = buf_view(&p.old), key;

    while (rc == 0 && rest.len > 0 && view_cut(&rest, '\0', &key))
        rc = txn_delete(t, DB_GONE, key, err);
    buf_release(&p.old);
    return rc;
}

int expunged_at(struct txn *t, struct view base, uint64_t *when,
                struct error *err)
{
    struct view value;
    int rc = txn_get(t, DB_GONE, base, &value, err);

    if (rc <= 0)
        return rc;
    if (value.len != sizeof *when)
        return txn_damaged(t, "the time of an expunge", err);
    memcpy(when, value.data, sizeof *when);
    return 1;
}

static int expunge_note(struct txn *t, const struct msg *msg, struct error *err)
{
    uint64_t now = clock_real_us() / 1000000;

    return txn_put(t, DB_GONE, file_base(msg->file),
                   (struct view){ (const char *)&now, sizeof now }, err);
}

/* The index first: from then on the message is gone for everybody, and its
 * name is known as expunged, so that a file that a power cut leaves is not
 * taken for a new message, and a delivery in doubt not made again. */
static int expunge_one(struct changing *c, struct mailbox *m, size_t index,
                       struct buf *files, struct error *err)
{
    struct msg msg;
    int rc = mailbox_get(&c->t, m, index, &msg, err);

    if (rc <= 0 || !(msg.flags & MAILBOX_DELETED))
        return rc < 0 ? -1 : 0;
    buf_add_text(files, msg.in_new ? "n" : "c");
    buf_add_view(files, msg.file);
    buf_add_char(files, '\0');
    if (expunge_note(&c->t, &msg, err) < 0)
        return -1;
    box_count(&c->b, &msg, -1);
    c->bytes += (int64_t)msg.bytes;
    c->messages++;
    return msg_delete(&c->t, c->b.id, msg.uid, err);
}

int mailbox_expunge(struct mailbox *m, const size_t *indices, size_t n,
                    struct error *err)
{
    struct buf files = BUF_INIT;
    struct changing c;
    int rc = 0, new_dir, cur_dir;

    if (changing_begin(&c, m, err) < 0)
        return -1;
    n = indices != NULL ? n : m->n;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = expunge_one(&c, m, indices != NULL ? indices[i] : i, &files,
                         err);
    if (files.len > 0)
        c.b.modseq++;
    if (rc == 0 && files.len > 0)
        rc = prune(&c.t, clock_real_us() / 1000000, err);
    new_dir = fcntl(c.folder.new_dir, F_DUPFD_CLOEXEC, 0);
    cur_dir = fcntl(c.folder.cur_dir, F_DUPFD_CLOEXEC, 0);
    rc = changing_end(&c, m, rc, err);
    for (const char *at = files.data; rc == 0 && files.len > 0 &&
                                      at < files.data + files.len;
         at += strlen(at) + 1)
        unlinkat(at[0] == 'n' ? new_dir : cur_dir, at + 1, 0);
    if (rc == 0 && c.messages > 0)
        quota_note(m->store->dir, m->store->o.quota, -c.bytes, -c.messages);
    close(new_dir);
    close(cur_dir);
    buf_release(&files);
    return rc;
}
