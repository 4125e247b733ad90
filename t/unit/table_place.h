/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_place.h - a directory and a file for the tests of tables, and the
 * questions that are asked of them.
 */
#ifndef T_TABLE_PLACE_H
#define T_TABLE_PLACE_H

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "table/table.h"
#include "unit.h"

/* A private directory, the file every test writes, and what was warned of. */
struct place {
    char dir[40], file[60];
    struct buf warnings;
};

static inline void collect(const char *sentence, void *arg)
{
    struct place *p = arg;

    buf_addf(&p->warnings, "%s\n", sentence);
}

static inline int make_place(void **state)
{
    struct place *p = alloc_zero(1, sizeof *p);

    snprintf(p->dir, sizeof p->dir, "/tmp/test_table.XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    snprintf(p->file, sizeof p->file, "%s/map", p->dir);
    *state = p;
    return 0;
}

static inline int drop_place(void **state)
{
    struct place *p = *state;
    char db[80];

    snprintf(db, sizeof db, "%s.db", p->file);
    unlink(db);
    unlink(p->file);
    buf_release(&p->warnings);
    /* Fails, and the test with it, when a temporary file was left behind. */
    if (rmdir(p->dir) < 0)
        return -1;
    free(p);
    return 0;
}

static inline void put_file(const struct place *p, struct view text)
{
    int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    struct error err;

    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text.data, text.len, "file", &err), 0);
    close(fd);
}

/* Open `type`:file; the file holds `text`. */
static inline struct table *open_text(struct place *p, const char *type,
                                      struct view text, unsigned flags)
{
    struct table_env env = { .warn = collect, .arg = p };
    struct buf spec = BUF_INIT;
    struct table *t;
    struct error err;

    put_file(p, text);
    buf_reset(&p->warnings);
    buf_addf(&spec, "%s:%s", type, p->file);
    t = table_open(&env, buf_text(&spec), flags, &err);
    if (t == NULL)
        print_error("%s\n", err.text);
    assert_non_null(t);
    buf_release(&spec);
    return t;
}

struct question {
    const char *key;
    const char *value; /* NULL: not there */
};

static inline void ask(struct table *t, const struct question *q)
{
    for (; q->key != NULL; q++) {
        struct buf out = BUF_INIT;
        struct error err;
        int found = table_lookup(t, view_of(q->key), &out, &err);

        if (found < 0)
            print_error("%s\n", err.text);
        if (found != (q->value != NULL))
            print_error("key \"%s\" of %s\n", q->key, table_name(t));
        assert_int_equal(found, q->value != NULL);
        assert_buf(&out, q->value ? q->value : "");
        buf_release(&out);
    }
}

static inline void ask_spec(const char *spec, unsigned flags,
                            const struct question *q)
{
    struct error err;
    struct table *t = table_open(NULL, spec, flags, &err);

    if (t == NULL)
        print_error("%s\n", err.text);
    assert_non_null(t);
    ask(t, q);
    table_close(&t);
    assert_null(t);
}

/* A test that gets a place of its own, which must be empty at its end. */
#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, \
                                                     drop_place)

#endif
