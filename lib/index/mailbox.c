/* SPDX-License-Identifier: BSD-2-Clause */
/* Views: what one session knows of a mailbox. */
#include "index/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "index/internal.h"

/* Records in which SELECT looks for the first unseen message. */
#define UNSEEN_NEAR 1000

/* --- taking over records ----------------------------------------------- */

static struct mailbox_entry entry_of(const struct msg *m, uint32_t recent_from)
{
    return (struct mailbox_entry){
        .uid = m->uid, .flags = m->flags | (m->uid >= recent_from
                                                ? MAILBOX_RECENT : 0u),
        .keywords = m->keywords, .modseq = m->modseq, .size = m->size,
        .date = m->date,
    };
}

static void free_keywords(struct mailbox *m)
{
    for (size_t i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
        free(m->keywords[i]);
        m->keywords[i] = NULL;
    }
}

static void take_keywords(struct mailbox *m, const struct box *b)
{
    struct view rest = buf_view(&b->keywords), name;

    free_keywords(m);
    for (size_t i = 0; i < MAILBOX_KEYWORDS_MAX && rest.len > 0 &&
                       view_cut(&rest, '\0', &name); i++)
        if (name.len > 0)
            m->keywords[i] = alloc_copy(name.data, name.len);
}

/* A walk over the records, as a merge with the entries there were: both are
 * ordered by UID. */
struct taking {
    struct mailbox *m;
    const struct mailbox_changes *changes;
    struct mailbox_entry *fresh;
    size_t n, cap;
    size_t old;          /* the next old entry */
    size_t number;       /* of it, as the client counts now */
    size_t gone;         /* entries that stay until they may be told */
    uint32_t recent_from;
    bool keep_numbers;
    bool any;
};

static void add(struct taking *k, struct mailbox_entry e)
{
    if (k->n == k->cap) {
        k->cap = k->cap ? k->cap * 2 : 64;
        k->fresh = alloc_resize(k->fresh, k->cap, sizeof *k->fresh);
    }
    k->fresh[k->n++] = e;
}

/* An old entry that has no record any more. */
static void lose(struct taking *k)
{
    struct mailbox_entry *e = &k->m->entries[k->old++];

    if (k->keep_numbers) {
        e->is_gone = true;
        add(k, *e);
        k->gone++;
        k->number++;
        return;
    }
    k->any = true;
    k->m->n_recent -= (e->flags & MAILBOX_RECENT) != 0;
    if (k->changes != NULL && k->changes->expunged != NULL)
        k->changes->expunged(k->m, k->number + 1, e->uid, k->changes->arg);
}

static int take(const struct msg *msg, void *arg, struct error *err)
{
    struct taking *k = arg;
    struct mailbox *m = k->m;

    (void)err;
    while (k->old < m->n && m->entries[k->old].uid < msg->uid)
        lose(k);
    if (k->old < m->n && m->entries[k->old].uid == msg->uid) {
        uint32_t recent = m->entries[k->old].flags & MAILBOX_RECENT;

        add(k, entry_of(msg, UINT32_MAX));
        k->fresh[k->n - 1].flags |= recent;
        k->old++;
        k->number++;
        return 0;
    }
    add(k, entry_of(msg, k->recent_from));
    m->n_recent += msg->uid >= k->recent_from;
    return 0;
}

/* --- opening ----------------------------------------------------------- */

/* Nobody else gets \Recent for what this view has seen (RFC 3501 §2.3.2). */
static int claim_recent(struct mailbox *m, struct box *b, struct error *err)
{
    struct txn t;
    int rc;

    if (m->read_only || b->first_recent >= b->uid_next)
        return 0;
    if (txn_begin(m->store, true, &t, err) < 0)
        return -1;
    box_release(b);
    rc = box_get(&t, view_of(m->name), b, err);
    if (rc > 0) {
        uint32_t from = b->first_recent;

        b->first_recent = b->uid_next;
        rc = box_put(&t, view_of(m->name), b, err);
        b->first_recent = from;
    }
    if (rc < 0) {
        txn_abort(&t);
        return -1;
    }
    return txn_commit(&t, err);
}

static void take_box(struct mailbox *m, const struct box *b)
{
    m->uid_validity = b->uid_validity;
    m->uid_next = b->uid_next;
    m->highest_modseq = b->modseq;
    m->p->id = b->id;
    m->p->seen_modseq = b->modseq;
    take_keywords(m, b);
}

static int count_recent(const struct msg *m, void *arg, struct error *err)
{
    (void)m, (void)err;
    ++*(size_t *)arg;
    return 0;
}

struct unseen {
    size_t number;
    bool found;
};

static int find_unseen(const struct msg *msg, void *arg, struct error *err)
{
    struct unseen *u = arg;

    (void)err;
    u->number++;
    u->found = !(msg->flags & MAILBOX_SEEN);
    return u->found || u->number == UNSEEN_NEAR;
}

/* What SELECT tells, from the first records alone. */
static int look_over(struct mailbox *m, const struct box *b,
                     struct error *err)
{
    struct unseen u = { 0, false };

    m->n = m->p->count = b->count;
    if (m->p->recent_from < b->uid_next &&
        msg_each(&m->p->t, b->id, m->p->recent_from, count_recent,
                 &m->n_recent, err) < 0)
        return -1;
    if (msg_each(&m->p->t, b->id, 0, find_unseen, &u, err) < 0)
        return -1;
    m->first_unseen = u.found ? u.number : 0;
    return 0;
}

static int begin(struct mailbox *m, struct error *err)
{
    struct box b = { .id = 0 };
    struct txn *t = &m->p->t;
    int rc = txn_begin(m->store, false, t, err);

    if (rc < 0)
        return -1;
    rc = box_get(t, view_of(m->name), &b, err);
    txn_abort(t);
    if (rc > 0)
        rc = claim_recent(m, &b, err);
    if (rc < 0 || txn_begin(m->store, false, t, err) < 0) {
        box_release(&b);
        return -1;
    }
    m->p->loading = true;
    m->p->recent_from = b.first_recent;
    box_release(&b);
    rc = box_get(t, view_of(m->name), &b, err);
    if (rc == 0 && view_is(view_of(m->name), "INBOX"))
        rc = txn_damaged(t, "an index without INBOX", err); /* scan() put it */
    else if (rc == 0)
        rc = error_set(err, FAIL_TEMP, "the mailbox is gone");
    if (rc > 0) {
        take_box(m, &b);
        rc = look_over(m, &b, err);
    }
    box_release(&b);
    return rc;
}

static void end_loading(struct mailbox *m)
{
    if (m->p->loading)
        txn_abort(&m->p->t);
    m->p->loading = false;
}

int mailbox_load(struct mailbox *m, enum store_why *why, struct error *err)
{
    struct taking k = { .m = m, .recent_from = m->p->recent_from };
    int rc;

    m->n = m->n_recent = 0;
    rc = msg_each(&m->p->t, m->p->id, 0, take, &k, err);
    if (rc == 0 && k.n != m->p->count)
        rc = txn_damaged(&m->p->t, "the count of a mailbox", err);
    end_loading(m);
    m->entries = k.fresh;
    m->n = k.n;
    if (rc < 0)
        *why = m->store->damaged ? STORE_DAMAGED : STORE_LATER;
    return rc;
}

bool mailbox_is_loaded(const struct mailbox *m)
{
    return !m->p->loading;
}

struct mailbox *mailbox_begin(struct store *s, struct view name,
                              bool read_only, enum store_why *why,
                              struct error *err)
{
    struct mailbox *m;
    bool changed;

    name = store_canonical(name);
    if (!store_is_name(name)) {
        *why = STORE_MISSING;
        error_set(err, FAIL_PERM, "there is no mailbox \"%.*s\"",
                  VIEW_ARG(name));
        return NULL;
    }
    if (scan(s, name, !read_only, &changed, why, err) < 0)
        return NULL;
    m = alloc_zero(1, sizeof *m);
    m->p = alloc_zero(1, sizeof *m->p);
    m->store = s;
    m->read_only = read_only;
    view_copy(name, m->name, sizeof m->name);
    if (begin(m, err) < 0) {
        *why = s->damaged ? STORE_DAMAGED : STORE_LATER;
        mailbox_close(&m);
    }
    return m;
}

struct mailbox *mailbox_open(struct store *s, struct view name,
                             bool read_only, enum store_why *why,
                             struct error *err)
{
    struct mailbox *m = mailbox_begin(s, name, read_only, why, err);

    if (m != NULL && mailbox_load(m, why, err) < 0)
        mailbox_close(&m);
    return m;
}

void mailbox_close(struct mailbox **mp)
{
    struct mailbox *m = *mp;

    *mp = NULL;
    if (m == NULL)
        return;
    end_loading(m);
    facts_flush(m);
    free_keywords(m);
    free(m->entries);
    free(m->p);
    free(m);
}

size_t mailbox_find(const struct mailbox *m, uint32_t uid)
{
    size_t low = 0, high = m->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (m->entries[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- changes of others ------------------------------------------------- */

static void tell_flags(struct mailbox *m, uint64_t since, size_t old_n,
                       const struct mailbox_changes *c, bool *any)
{
    for (size_t i = 0; i < old_n && i < m->n; i++) {
        if (m->entries[i].modseq <= since)
            continue;
        *any = true;
        if (c != NULL && c->flags != NULL)
            c->flags(m, i, c->arg);
    }
}

/* Take the new state over; the box's record is `b`. */
static int refresh(struct mailbox *m, struct txn *t, const struct box *b,
                   bool keep_numbers, const struct mailbox_changes *changes,
                   bool *any, struct error *err)
{
    struct taking k = { .m = m, .changes = changes,
                        .keep_numbers = keep_numbers,
                        .recent_from = b->first_recent };
    uint64_t since = m->p->seen_modseq;
    uint32_t highest = m->n > 0 ? m->entries[m->n - 1].uid : 0;
    size_t kept;

    if (msg_each(t, b->id, 0, take, &k, err) < 0) {
        free(k.fresh);
        return -1;
    }
    while (k.old < m->n)
        lose(&k);
    free(m->entries);
    m->entries = k.fresh;
    m->n = k.n;
    m->p->has_gone = k.gone > 0;
    take_box(m, b);
    *any |= k.any;
    kept = mailbox_find(m, highest + 1);
    tell_flags(m, since, kept, changes, any);
    if (m->n > kept) {
        *any = true;
        if (changes != NULL && changes->exists != NULL)
            changes->exists(m, m->n, changes->arg);
    }
    return 0;
}

enum mailbox_sync_result
mailbox_sync(struct mailbox *m, bool look, bool keep_numbers,
             const struct mailbox_changes *changes, struct error *err)
{
    struct box b = { .id = 0 };
    enum mailbox_sync_result result = MAILBOX_SAME;
    enum store_why why;
    struct txn t;
    bool changed = false, any = false;
    int rc;

    if (look && scan(m->store, view_of(m->name), !m->read_only, &changed,
                     &why, err) < 0)
        return why == STORE_MISSING || why == STORE_DAMAGED ? MAILBOX_LOST
                                                             : MAILBOX_FAILED;
    if (txn_begin(m->store, false, &t, err) < 0)
        return m->store->damaged ? MAILBOX_LOST : MAILBOX_FAILED;
    rc = box_get(&t, view_of(m->name), &b, err);
    if (rc < 0) {
        result = m->store->damaged ? MAILBOX_LOST : MAILBOX_FAILED;
    } else if (rc == 0 || b.id != m->p->id ||
               b.uid_validity != m->uid_validity) {
        result = MAILBOX_LOST;
    } else if (b.modseq != m->p->seen_modseq || b.uid_next != m->uid_next ||
               (m->p->has_gone && !keep_numbers)) {
        if (refresh(m, &t, &b, keep_numbers, changes, &any, err) < 0)
            result = m->store->damaged ? MAILBOX_LOST : MAILBOX_FAILED;
        else if (any)
            result = MAILBOX_CHANGED;
    }
    txn_abort(&t);
    if (result == MAILBOX_CHANGED && claim_recent(m, &b, err) < 0)
        result = MAILBOX_CHANGED; /* another view may call them recent too */
    box_release(&b);
    return result;
}

/* --- reading ----------------------------------------------------------- */

/* Whatever takes a message away gives the mailbox a new MODSEQ. */
int mailbox_get(struct txn *t, const struct mailbox *m, size_t index,
                struct msg *msg, struct error *err)
{
    struct box b = { .id = 0 };
    int rc = msg_get(t, m->p->id, m->entries[index].uid, msg, err);

    if (rc != 0)
        return rc;
    rc = box_get(t, view_of(m->name), &b, err);
    if (rc > 0 && b.id == m->p->id && b.modseq == m->p->seen_modseq)
        rc = txn_damaged(t, "a message that is not found", err);
    box_release(&b);
    return rc < 0 ? -1 : 0;
}

/* Copy the record of an entry; m->file then points into `name`. 1, 0, -1. */
int mailbox_record(struct mailbox *m, size_t index, struct msg *msg,
                   struct buf *name, struct error *err)
{
    struct txn t;
    int rc;

    if (txn_begin(m->store, false, &t, err) < 0)
        return -1;
    rc = mailbox_get(&t, m, index, msg, err);
    if (rc > 0) {
        buf_reset(name);
        buf_add_view(name, msg->file);
        msg->file = buf_view(name);
    }
    txn_abort(&t);
    return rc;
}

static bool has_size(int fd, uint64_t bytes)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (uint64_t)st.st_size == bytes;
}

/* Another session may have given the file another name just now: then the
 * index says which. Somebody may have changed the file itself: that is another
 * message, which needs another UID. */
int mailbox_file(struct mailbox *m, size_t index, uint64_t *len,
                 uint64_t *bare, struct error *err)
{
    struct buf name = BUF_INIT;
    int fd = -1;

    for (int i = 0; i < 3 && fd < 0 && !m->entries[index].is_gone; i++) {
        char path[STORE_NAME_MAX + 300], folder[STORE_NAME_MAX + 2];
        struct msg msg;
        enum store_why why;
        int rc = mailbox_record(m, index, &msg, &name, err);

        if (rc <= 0) {
            m->entries[index].is_gone = rc == 0;
            break;
        }
        store_path(view_of(m->name), folder);
        snprintf(path, sizeof path, "%s/%s/%s", folder,
                 msg.in_new ? "new" : "cur", buf_text(&name));
        fd = openat(m->store->dir, path,
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        *len = msg.bytes;
        *bare = msg.size - msg.bytes;
        if (fd < 0 && errno != ENOENT)
            error_sys(err, "cannot open the message %s", path);
        if (fd >= 0 && !has_size(fd, msg.bytes)) {
            io_close(&fd);
            m->entries[index].is_gone = mailbox_disown(m, index, err) == 0;
            break;
        }
        if (fd >= 0 || errno != ENOENT ||
            scan_anew(m->store, view_of(m->name), &why, err) < 0)
            break;
    }
    buf_release(&name);
    return fd;
}
