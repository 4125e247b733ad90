/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts: what was learned from messages. They are kept in memory first and
 * written many at a time, when nobody else writes: losing them costs a second
 * look at the message, no more.
 */
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "index/internal.h"
#include "mail/bodystructure.h"
#include "mail/mime.h"

#define FACTS_HELD  256
#define FACT_MAX    (64u << 10) /* bytes of one that is kept */
#define HEADER_MAX  (64u << 10)

struct fact {
    uint32_t uid;
    unsigned char kind;
    struct buf text;
};

struct facts {
    struct fact list[FACTS_HELD];
    size_t n;
};

static struct view fact_key(struct msg_key *k, unsigned char space[9],
                            uint32_t id, uint32_t uid, unsigned char kind)
{
    struct view v = msg_key(k, id, uid);

    memcpy(space, v.data, v.len);
    space[v.len] = kind;
    return (struct view){ (const char *)space, v.len + 1 };
}

static void drop(struct facts *f)
{
    for (size_t i = 0; i < f->n; i++)
        buf_release(&f->list[i].text);
    f->n = 0;
}

static int write_all(struct mailbox *m, struct txn *t, struct error *err)
{
    struct facts *f = m->p->facts;

    for (size_t i = 0; i < f->n; i++) {
        const struct fact *one = &f->list[i];
        unsigned char space[9];
        struct msg_key k;
        struct msg msg;

        if (msg_get(t, m->p->id, one->uid, &msg, err) <= 0)
            continue; /* of a message that is gone nothing is kept */
        if (txn_put(t, DB_FACT,
                    fact_key(&k, space, m->p->id, one->uid, one->kind),
                    buf_view(&one->text), err) < 0)
            return -1;
    }
    return 0;
}

static void flush(struct mailbox *m)
{
    unsigned lock_ms = m->store->o.lock_ms;
    struct error err;
    struct txn t;

    if (m->p->facts == NULL || m->p->facts->n == 0)
        return;
    m->store->o.lock_ms = 0;
    if (txn_begin(m->store, true, &t, &err) == 0) {
        if (write_all(m, &t, &err) < 0)
            txn_abort(&t);
        else
            txn_commit(&t, &err);
    }
    m->store->o.lock_ms = lock_ms;
    drop(m->p->facts);
}

void facts_flush(struct mailbox *m)
{
    flush(m);
    free(m->p->facts);
    m->p->facts = NULL;
}

static void keep(struct mailbox *m, uint32_t uid, enum mailbox_fact kind,
                 struct view text)
{
    struct fact *f;

    if (text.len > FACT_MAX)
        return;
    if (m->p->facts == NULL)
        m->p->facts = alloc_zero(1, sizeof *m->p->facts);
    if (m->p->facts->n == FACTS_HELD)
        flush(m);
    f = &m->p->facts->list[m->p->facts->n++];
    *f = (struct fact){ .uid = uid, .kind = (unsigned char)kind };
    buf_add_view(&f->text, text);
}

/* --- finding ----------------------------------------------------------- */

static bool find_held(const struct mailbox *m, uint32_t uid,
                      enum mailbox_fact kind, struct buf *out)
{
    const struct facts *f = m->p->facts;

    for (size_t i = f != NULL ? f->n : 0; i-- > 0;) {
        if (f->list[i].uid == uid && f->list[i].kind == kind) {
            buf_add_view(out, buf_view(&f->list[i].text));
            return true;
        }
    }
    return false;
}

static int find_kept(struct mailbox *m, uint32_t uid, enum mailbox_fact kind,
                     struct buf *out, struct error *err)
{
    unsigned char space[9];
    struct msg_key k;
    struct view value;
    struct txn t;
    int rc;

    if (txn_begin(m->store, false, &t, err) < 0)
        return -1;
    rc = txn_get(&t, DB_FACT,
                 fact_key(&k, space, m->p->id, uid, (unsigned char)kind),
                 &value, err);
    if (rc > 0)
        buf_add_view(out, value);
    txn_abort(&t);
    return rc;
}

/* --- learning ---------------------------------------------------------- */

/* Parsing tells all facts at once; whoever wants one soon wants the others. */
static int learn(struct mailbox *m, uint32_t uid, int fd, uint64_t len,
                 enum mailbox_fact wanted, struct buf *out, struct error *err)
{
    struct mime_source src = mime_source_file(fd, 0, len, "a message");
    struct buf text = BUF_INIT;
    struct mime mime;

    if (mime_parse(&mime, &src, MIME_LIMITS_DEFAULT, err) < 0)
        return -1;
    for (int kind = MAILBOX_ENVELOPE; kind <= MAILBOX_BODYSTRUCTURE; kind++) {
        buf_reset(&text);
        if (kind == MAILBOX_ENVELOPE)
            bodystructure_envelope(&text, &mime, &mime.parts[0]);
        else
            bodystructure_format(&text, &mime, kind == MAILBOX_BODYSTRUCTURE);
        keep(m, uid, (enum mailbox_fact)kind, buf_view(&text));
        if (kind == (int)wanted)
            buf_add_view(out, buf_view(&text));
    }
    buf_release(&text);
    mime_release(&mime);
    return 1;
}

/* The header: up to its empty line, and no more than is kept. */
static int read_header(struct mailbox *m, uint32_t uid, int fd, uint64_t len,
                       struct buf *out, struct error *err)
{
    size_t part = len < HEADER_MAX ? (size_t)len : HEADER_MAX;
    size_t start = out->len, end = 0;
    const char *at;

    if (io_pread_all(fd, buf_room(out, part), part, 0, "a message", err) < 0)
        return -1;
    at = out->data + start;
    while (end < part) {
        const char *nl = memchr(at + end, '\n', part - end);
        size_t line = nl != NULL ? (size_t)(nl - at) - end : part - end;

        end += nl != NULL ? line + 1 : line;
        if (line == 0 || (line == 1 && nl != NULL && nl[-1] == '\r'))
            break;
    }
    out->len = start + part;
    buf_cut(out, start + end);
    keep(m, uid, MAILBOX_HEADER, view_sub(buf_view(out), start, out->len));
    return 1;
}

int mailbox_fact(struct mailbox *m, size_t index, enum mailbox_fact fact,
                 struct buf *out, struct error *err)
{
    uint32_t uid = m->entries[index].uid;
    uint64_t len, bare;
    int fd, rc;

    if (find_held(m, uid, fact, out))
        return 1;
    rc = find_kept(m, uid, fact, out, err);
    if (rc != 0)
        return rc;
    fd = mailbox_file(m, index, &len, &bare, err);
    if (fd < 0)
        return m->entries[index].is_gone ? 0 : -1;
    if (fact == MAILBOX_HEADER)
        rc = read_header(m, uid, fd, len, out, err);
    else
        rc = learn(m, uid, fd, len, fact, out, err);
    close(fd);
    return rc;
}
