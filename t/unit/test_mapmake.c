/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/stat.h>

#include "table/dbfile.h"
#include "table/mapmake.h"
#include "table_place.h"

static char *db_spec(const struct place *p, const char *type)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%s:%s", type, p->file);
    return buf_take(&b);
}

static int count_entry(struct view key, struct view value, void *arg)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return 0;
}

static void db_files_are_made_and_read(void **state)
{
    static const char *const types[] = { "hash", "btree" };
    struct place *p = *state;

    for (int i = 0; i < 4; i++) {
        struct mapmake m = { .warn = collect, .arg = p, .no_nul = i >= 2 };
        char *spec = db_spec(p, types[i % 2]);
        struct table *t;
        struct stat st;
        struct error err;
        char db[80];
        int n = 0;

        put_file(p, VIEW("A@b one two\nkey: v\n\xc3\x9c u\n"));
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        t = table_open(NULL, spec, 0, &err);
        assert_non_null(t);
        ask(t, (const struct question[]) {
            { "a@B", "one two" }, { "KEY:", "v" }, { "\xc3\xbc", "u" },
            { "key", NULL }, { "", NULL }, { NULL, NULL },
        });
        assert_int_equal(table_each(t, count_entry, &n, &err), 0);
        assert_int_equal(n, 3);
        table_close(&t);
        snprintf(db, sizeof db, "%s.db", p->file);
        assert_int_equal(stat(db, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_int_equal(unlink(db), 0);
        free(spec);
    }
}

static void keys_with_a_nul_are_nowhere(void **state)
{
    struct place *p = *state;
    struct mapmake m = { 0 };
    char *spec = db_spec(p, "hash");
    struct buf out = BUF_INIT;
    struct error err;
    struct table *t;

    put_file(p, VIEW("a 1\n"));
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    t = table_open(NULL, spec, 0, &err);
    assert_int_equal(table_lookup(t, (struct view){ "a\0", 2 }, &out, &err),
                     0);
    assert_int_equal(table_lookup(t, (struct view){ "a", 1 }, &out, &err), 1);
    table_close(&t);
    buf_release(&out);
    free(spec);
}

static void duplicates_are_treated_as_asked(void **state)
{
    static const struct {
        enum mapmake_duplicates how;
        const char *value;
        bool warns;
    } rows[] = {
        { MAPMAKE_WARN, "1", true },
        { MAPMAKE_IGNORE, "1", false },
        { MAPMAKE_REPLACE, "2", false },
    };
    struct place *p = *state;
    char *spec = db_spec(p, "btree");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mapmake m = { .warn = collect, .arg = p,
                             .duplicates = rows[i].how };
        struct error err;
        struct table *t;

        put_file(p, VIEW("a 1\nA 2\n"));
        buf_reset(&p->warnings);
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        assert_int_equal(strstr(buf_text(&p->warnings),
                                "duplicate entry: \"a\"") != NULL,
                         rows[i].warns);
        t = table_open(NULL, spec, 0, &err);
        ask(t, (const struct question[]) { { "a", rows[i].value },
                                           { NULL, NULL } });
        table_close(&t);
    }
    free(spec);
}

static void db_files_are_changed_whole(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    const struct view gone[] = { VIEW("B"), VIEW("zz"), VIEW("c") };

    for (int nul = 0; nul <= 1; nul++) {
        struct mapmake m = { .warn = collect, .arg = p, .no_nul = !nul };
        struct error err;
        struct table *old, *t;

        put_file(p, VIEW("a 1\nb 2\nc 3\n"));
        assert_int_equal(mapmake_build(&m, spec, &err), 0);
        old = table_open(NULL, spec, 0, &err);
        /* What is added takes the form of what is there. */
        m.no_nul = nul;
        assert_int_equal(mapmake_add(&m, spec, VIEW("d 4\na 9\n"), "more",
                                     &err), 0);
        assert_true(table_changed(old));
        assert_int_equal(mapmake_delete(&m, spec, gone, 3, &err), 2);
        assert_int_equal(mapmake_delete(&m, spec, gone, 3, &err), 0);
        t = table_open(NULL, spec, 0, &err);
        ask(t, (const struct question[]) {
            { "a", "1" }, { "b", NULL }, { "c", NULL }, { "d", "4" },
            { NULL, NULL },
        });
        assert_false(table_changed(t));
        /* Who had it open still sees all of the old one. */
        ask(old, (const struct question[]) {
            { "b", "2" }, { "d", NULL }, { NULL, NULL },
        });
        table_close(&t);
        table_close(&old);
    }
    free(spec);
}

static void a_failed_build_leaves_the_old_table(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    struct mapmake m = { 0 };
    struct error err;
    struct table *t;

    put_file(p, VIEW("a 1\n"));
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    assert_int_equal(unlink(p->file), 0);
    assert_int_equal(mapmake_build(&m, spec, &err), -1);
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(mapmake_build(&m, "texthash:/x", &err), -1);
    assert_non_null(strstr(err.text, "does not support bulk-mode creation"));
    assert_int_equal(mapmake_build(&m, "hash:", &err), -1);
    t = table_open(NULL, spec, 0, &err);
    ask(t, (const struct question[]) { { "a", "1" }, { NULL, NULL } });
    table_close(&t);
    free(spec);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct error err;
    char db[80];
    struct dbfile *d;

    snprintf(db, sizeof db, "%s.db", p->file);
    d = dbfile_create("hash", db, 0, 0600, &err);
    assert_non_null(d);
    assert_int_equal(dbfile_put(d, VIEW("a"), VIEW("1"), DBFILE_OLD_STAYS,
                                &err), 0);
    dbfile_abort(&d);
    assert_null(d);
    assert_int_equal(access(db, F_OK), -1);
    assert_null(dbfile_create("nosuch", db, 0, 0600, &err));
}

static void broken_db_files_are_refused(void **state)
{
    static const struct view contents[] = {
        { "", 0 }, { "x", 1 }, { "not a database at all, but long enough "
        "to hold the place where the magic number stands, and then some more "
        "text so that a whole page might be read from it", 150 },
    };
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    char db[80];

    snprintf(db, sizeof db, "%s.db", p->file);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct error err;

        put_file(p, contents[i]);
        assert_int_equal(rename(p->file, db), 0);
        assert_null(table_open(NULL, spec, 0, &err));
        assert_non_null(strstr(err.text, "run \"postmap hash:"));
    }
    free(spec);
}

static void alias_files_become_tables(void **state)
{
    struct place *p = *state;
    char *spec = db_spec(p, "hash");
    struct mapmake m = { .aliases = true, .warn = collect, .arg = p };
    struct error err;
    struct table *t;

    put_file(p, VIEW("# c\nRoot: me,\n  you\n\"q n\": |x\na@b: c\nno colon\n"));
    buf_reset(&p->warnings);
    assert_int_equal(mapmake_build(&m, spec, &err), 0);
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 5: name must be local"));
    assert_non_null(strstr(buf_text(&p->warnings),
                           "line 6: need name:value pair"));
    t = table_open(NULL, spec, 0, &err);
    ask(t, (const struct question[]) {
        { "root", "me, you" }, { "q n", "|x" }, { "@", "@" },
        { "a@b", NULL }, { NULL, NULL },
    });
    table_close(&t);
    free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(db_files_are_made_and_read),
        PLACED(keys_with_a_nul_are_nowhere),
        PLACED(duplicates_are_treated_as_asked),
        PLACED(db_files_are_changed_whole),
        PLACED(a_failed_build_leaves_the_old_table),
        PLACED(an_abandoned_file_leaves_nothing),
        PLACED(broken_db_files_are_refused),
        PLACED(alias_files_become_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
