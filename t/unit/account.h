/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.h - one account in a directory of its own, with its store, for the
 * tests of lib/index.
 *
 * Life:    begin, then end. In between a test may close the store and open it
 *          again, as another session.
 * Errors:  fail the test.
 */
#ifndef T_ACCOUNT_H
#define T_ACCOUNT_H

#include <stdio.h>

#include "index/mailbox.h"
#include "scratch.h"
#include "unit.h"

struct account {
    struct scratch home;
    struct store_options o;
    struct store *s; /* NULL: closed */
};

/* Open its store, as a session does. */
static inline void open_store(struct account *a)
{
    struct error err;

    a->s = store_open(a->home.dir, &a->o, &err);
    if (a->s == NULL)
        fail_msg("%s", err.text);
}

/* An account without messages, its store open. */
static inline void begin(struct account *a)
{
    scratch_make(&a->home);
    a->o = (struct store_options){ .account = "ann@one.example",
                                   .path = a->home.path, .host = "host",
                                   .lock_ms = 2000 };
    store_prepare();
    open_store(a);
}

/* Close its store, and remove it. */
static inline void end(struct account *a)
{
    store_close(&a->s);
    scratch_remove(&a->home);
}

/* Append a message with this text; its UID. */
static inline uint32_t append(struct account *a, const char *box,
                              const char *text, uint32_t flags)
{
    struct mailbox_new n = { .len = strlen(text), .flags = flags,
                             .date = 1000000000 };
    uint32_t validity, uid;
    enum store_why why;
    struct error err;
    FILE *f = tmpfile();

    fputs(text, f);
    fflush(f);
    n.fd = fileno(f);
    if (mailbox_append(a->s, view_of(box), &n, 1, &validity, &uid, &why,
                       &err) < 0)
        fail_msg("%s", err.text);
    fclose(f);
    return uid;
}

/* A view of this mailbox, which must be there. */
static inline struct mailbox *open_box(struct account *a, const char *name)
{
    enum store_why why;
    struct error err;
    struct mailbox *m = mailbox_open(a->s, view_of(name), false, &why, &err);

    if (m == NULL)
        fail_msg("%s: %s", name, err.text);
    return m;
}

/* Make a file in its directory, as a delivery or another tool does. */
static inline void make_file(struct account *a, const char *name,
                             const char *text)
{
    char path[400];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", a->home.path, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Change the flags of one message. */
static inline void set_flags(struct mailbox *m, size_t index,
                             enum mailbox_how how, uint32_t flags)
{
    struct mailbox_change c = { .how = how, .flags = flags };
    bool modified = true;
    struct error err;

    if (mailbox_store(m, &index, 1, &c, &modified, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(modified);
}

#endif
