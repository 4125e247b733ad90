/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index whose values make no sense, though their checksums fit. The input
 * is a list of changes: which table, which of its values, how, how long; then
 * so many bytes, which take the place of the value's, or of its key's.
 *
 * What must hold: whatever a session then does, it ends, and the one after the
 * index was given up finds a mailbox that can be read.
 */
#include <stdio.h>
#include <unistd.h>

#include "index/internal.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/mail.h"

#define SESSIONS 4  /* that the index may need to be well again */
#define CHANGES  8

/* --- damage ------------------------------------------------------------ */

/* The key and value at `place` of a table. */
struct pick {
    size_t place, at;
    struct buf key, value;
};

static int pick_one(struct view key, struct view value, void *arg,
                    struct error *err)
{
    struct pick *p = arg;

    (void)err;
    if (p->at++ != p->place)
        return 0;
    buf_add_view(&p->key, key);
    buf_add_view(&p->value, value);
    return 1;
}

static size_t count(struct txn *t, enum db db)
{
    struct pick p = { .place = SIZE_MAX };
    struct error err;

    MUST(txn_each(t, db, VIEW(""), pick_one, &p, &err) == 0);
    return p.at;
}

enum { PATCH, REPLACE, RENAME, ADD, N_HOW };

static void patch(struct buf *b, struct view bytes, size_t at)
{
    for (size_t i = 0; i < bytes.len && b->len > 0; i++)
        b->data[(at + i) % b->len] = bytes.data[i];
}

static void change_one(struct txn *t, const uint8_t *d, struct view bytes)
{
    enum db db = d[0] % DB_COUNT;
    size_t n = count(t, db);
    struct pick p = { .place = n ? d[1] % n : 0 };
    struct error err;

    if (n > 0)
        MUST(txn_each(t, db, VIEW(""), pick_one, &p, &err) == 1);
    switch (d[2] % N_HOW) {
    case PATCH:
        patch(&p.value, bytes, d[2] / N_HOW);
        break;
    case REPLACE:
        buf_reset(&p.value);
        buf_add_view(&p.value, bytes);
        break;
    case RENAME:
        MUST(p.key.len == 0 || txn_delete(t, db, buf_view(&p.key), &err) == 0);
        patch(&p.key, bytes, d[2] / N_HOW);
        break;
    default:
        patch(&p.key, bytes, d[2] / N_HOW);
        break;
    }
    if (p.key.len > 0)
        MUST(txn_put(t, db, buf_view(&p.key), buf_view(&p.value), &err) == 0);
    buf_release(&p.key);
    buf_release(&p.value);
}

static void damage(const uint8_t *data, size_t len)
{
    struct store *s = mail_open();
    struct error err;
    struct txn t;

    MUST(s != NULL && txn_begin(s, true, &t, &err) == 0);
    for (int i = 0; i < CHANGES && len >= 4; i++) {
        struct view bytes = view_sub(fuzz_text(data, len), 4, 4 + data[3]);

        change_one(&t, data, bytes);
        data += 4 + bytes.len;
        len -= 4 + bytes.len;
    }
    MUST(txn_commit(&t, &err) == 0);
    store_close(&s);
}

/* --- a session --------------------------------------------------------- */

/* All that asks the index; what it says is of no interest. */
static void use(struct store *s, struct mailbox *m)
{
    static const enum mailbox_fact facts[] = {
        MAILBOX_ENVELOPE, MAILBOX_BODY, MAILBOX_BODYSTRUCTURE, MAILBOX_HEADER,
    };
    struct mailbox_change add = { .how = MAILBOX_ADD, .keywords = 3,
                                  .flags = MAILBOX_DELETED };
    size_t last = m->n > 0 ? m->n - 1 : 0;
    bool modified[1] = { false };
    uint32_t validity, uids[1];
    enum store_why why;
    struct error err;
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < m->n && i < 5; i++)
        for (size_t k = 0; k < 4; k++)
            mailbox_fact(m, i, facts[k], &out, &err);
    mailbox_keyword(m, VIEW("$Junk"), true, &err);
    if (m->n > 0) {
        mailbox_store(m, &last, 1, &add, modified, &err);
        mailbox_copy(m, &last, 1, VIEW("Work"), false, &validity, uids, &why,
                     &err);
        mailbox_expunge(m, &last, 1, &err);
    }
    mailbox_sync(m, true, false, NULL, &err);
    store_rename(s, VIEW("Work"), VIEW("Other"), &why, &err);
    buf_release(&out);
}

static void each(const struct store_entry *e, void *arg)
{
    *(size_t *)arg += e->name.len;
}

static struct error last; /* why the mailbox could not be opened */

static bool session(void)
{
    struct store *s = mail_open();
    struct store_status st;
    struct mailbox *m = NULL;
    enum store_why why;
    struct error err;
    size_t n = 0;
    uint64_t bytes, messages;
    bool good;

    if (s == NULL)
        return false;
    store_each(s, each, &n, &err);
    store_status(s, VIEW("Work"), &st, &why, &err);
    store_usage(s, &bytes, &messages, &err);
    m = mailbox_open(s, VIEW("INBOX"), false, &why, &err);
    good = m != NULL;
    if (m == NULL)
        last = err;
    if (m != NULL) {
        use(s, m);
        mailbox_close(&m);
    }
    store_close(&s);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    bool good = false;

    fuzz_directory();
    fuzz_quiet();
    store_prepare();
    mail_make();
    MUST(session());
    damage(data, len);
    for (int i = 0; !good && i < SESSIONS; i++)
        good = session();
    if (!good)
        fprintf(stderr, "%s\n", last.text);
    MUST(good);
    return 0;
}
