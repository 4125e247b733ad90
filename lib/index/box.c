/* SPDX-License-Identifier: BSD-2-Clause */
/* Records, packed little-endian as this machine has them: the index is never
 * carried to another one, it is made anew there. */
#include "index/box.h"

#include <endian.h>

#include "index/internal.h"

struct packed_box {
    uint32_t id, uid_validity, uid_next, first_recent;
    uint32_t count, unseen, deleted, use;
    uint64_t size, modseq;
    struct stamp_of new_dir, cur_dir;
};

struct packed_msg {
    uint64_t keywords, modseq, size, bytes;
    uint32_t flags, date, mirrored, in_new;
};

/* --- mailboxes --------------------------------------------------------- */

int box_get(struct txn *t, struct view name, struct box *b, struct error *err)
{
    struct packed_box p;
    struct view value;
    int rc = txn_get(t, DB_BOX, name, &value, err);

    *b = (struct box){ .id = 0 };
    if (rc <= 0)
        return rc;
    if (value.len < sizeof p)
        return txn_damaged(t, "a mailbox", err);
    memcpy(&p, value.data, sizeof p);
    *b = (struct box){ p.id, p.uid_validity, p.uid_next, p.first_recent,
                       p.count, p.unseen, p.deleted, p.use, p.size, p.modseq,
                       p.new_dir, p.cur_dir, BUF_INIT };
    buf_add_view(&b->keywords, view_sub(value, sizeof p, value.len));
    return 1;
}

int box_put(struct txn *t, struct view name, const struct box *b,
            struct error *err)
{
    struct packed_box p = { b->id, b->uid_validity, b->uid_next,
                            b->first_recent, b->count, b->unseen, b->deleted,
                            b->use, b->size, b->modseq, b->new_dir,
                            b->cur_dir };
    struct buf value = BUF_INIT;
    int rc;

    buf_add(&value, &p, sizeof p);
    buf_add_view(&value, buf_view(&b->keywords));
    rc = txn_put(t, DB_BOX, name, buf_view(&value), err);
    buf_release(&value);
    return rc;
}

void box_release(struct box *b)
{
    buf_release(&b->keywords);
}

void box_count(struct box *b, const struct msg *m, int sign)
{
    uint32_t one = (uint32_t)sign; /* -1 wraps, as it should */

    b->count += one;
    if (!(m->flags & MAILBOX_SEEN))
        b->unseen += one;
    if (m->flags & MAILBOX_DELETED)
        b->deleted += one;
    b->size += sign > 0 ? m->size : -m->size;
}

bool box_same_sums(const struct box *a, const struct box *b)
{
    return a->count == b->count && a->unseen == b->unseen &&
           a->deleted == b->deleted && a->size == b->size;
}

static int highest_id(struct view key, struct view value, void *arg,
                      struct error *err)
{
    struct packed_box p;
    uint32_t *highest = arg;

    (void)key;
    (void)err;
    if (value.len < sizeof p)
        return 0; /* found when that mailbox is opened */
    memcpy(&p, value.data, sizeof p);
    if (p.id > *highest)
        *highest = p.id;
    return 0;
}

int box_need(struct txn *t, struct view name, struct box *b, struct error *err)
{
    uint32_t highest = 0;
    int rc = box_get(t, name, b, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (txn_each(t, DB_BOX, VIEW(""), highest_id, &highest, err) < 0)
        return -1;
    *b = (struct box){ .id = highest + 1, .uid_next = 1, .first_recent = 1,
                       .modseq = 1 };
    b->uid_validity = validity_next(t->s, err);
    if (b->uid_validity == 0)
        return -1;
    return box_put(t, name, b, err);
}

int box_take_uid(struct txn *t, struct box *b, uint32_t *uid,
                 struct error *err)
{
    if (b->uid_next == 0 || b->uid_next == UINT32_MAX)
        return txn_damaged(t, "the next UID of a mailbox", err);
    *uid = b->uid_next++;
    return 0;
}

/* --- messages ---------------------------------------------------------- */

struct view msg_key(struct msg_key *k, uint32_t id, uint32_t uid)
{
    uint32_t be[2] = { htobe32(id), htobe32(uid) };

    memcpy(k->bytes, be, sizeof k->bytes);
    return (struct view){ (const char *)k->bytes, sizeof k->bytes };
}

/* Take a key and a value apart. */
static bool msg_unpack(struct view key, struct view value, struct msg *m)
{
    struct packed_msg p;
    uint32_t uid;

    if (key.len != sizeof(struct msg_key) || value.len <= sizeof p)
        return false;
    memcpy(&uid, key.data + 4, sizeof uid);
    memcpy(&p, value.data, sizeof p);
    *m = (struct msg){ .uid = be32toh(uid), .flags = p.flags, .date = p.date,
                       .keywords = p.keywords, .modseq = p.modseq,
                       .size = p.size, .bytes = p.bytes,
                       .mirrored = p.mirrored, .in_new = p.in_new != 0,
                       .file = view_sub(value, sizeof p, value.len) };
    return true;
}

int msg_put(struct txn *t, uint32_t id, const struct msg *m, struct error *err)
{
    struct packed_msg p = { m->keywords, m->modseq, m->size, m->bytes,
                            m->flags, m->date, m->mirrored, m->in_new };
    struct buf value = BUF_INIT;
    struct msg_key k;
    int rc;

    buf_add(&value, &p, sizeof p);
    buf_add_view(&value, m->file);
    rc = txn_put(t, DB_MSG, msg_key(&k, id, m->uid), buf_view(&value), err);
    buf_release(&value);
    return rc;
}

int msg_get(struct txn *t, uint32_t id, uint32_t uid, struct msg *m,
            struct error *err)
{
    struct msg_key k;
    struct view key = msg_key(&k, id, uid), value;
    int rc = txn_get(t, DB_MSG, key, &value, err);

    if (rc > 0 && !msg_unpack(key, value, m))
        return txn_damaged(t, "a message", err);
    return rc;
}

int msg_delete(struct txn *t, uint32_t id, uint32_t uid, struct error *err)
{
    struct msg_key k;
    struct view key = msg_key(&k, id, uid);

    if (txn_delete(t, DB_MSG, key, err) < 0)
        return -1;
    return txn_clear(t, DB_FACT, key, err);
}

struct visit {
    struct txn *t;
    msg_visitor *each;
    void *arg;
};

static int unpack_one(struct view key, struct view value, void *arg,
                      struct error *err)
{
    struct visit *v = arg;
    struct msg m;

    if (!msg_unpack(key, value, &m))
        return txn_damaged(v->t, "a message", err);
    return v->each(&m, v->arg, err);
}

int msg_each(struct txn *t, uint32_t id, uint32_t from_uid, msg_visitor *each,
             void *arg, struct error *err)
{
    struct visit v = { t, each, arg };
    struct msg_key k;
    struct view from = msg_key(&k, id, from_uid);

    return txn_each_from(t, DB_MSG, view_sub(from, 0, 4), from, unpack_one, &v,
                         err);
}

int msg_all(struct txn *t, msg_visitor *each, void *arg, struct error *err)
{
    struct visit v = { t, each, arg };

    return txn_each(t, DB_MSG, VIEW(""), unpack_one, &v, err);
}
