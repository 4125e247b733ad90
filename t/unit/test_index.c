/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailbox store: real directories, real index. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "account.h"

/* Everything that a sync tells, as text. */
static void on_expunged(struct mailbox *m, size_t number, uint32_t uid,
                        void *arg)
{
    (void)m;
    buf_addf(arg, "-%zu(%u) ", number, uid);
}

static void on_flags(struct mailbox *m, size_t index, void *arg)
{
    buf_addf(arg, "~%u=%x ", m->entries[index].uid,
             m->entries[index].flags & ~(uint32_t)MAILBOX_RECENT);
}

static void on_exists(struct mailbox *m, size_t n, void *arg)
{
    (void)m;
    buf_addf(arg, "+%zu ", n);
}

static void sync_says(struct mailbox *m, bool look, bool keep,
                      const char *expected)
{
    struct buf said = BUF_INIT;
    struct mailbox_changes c = { on_expunged, on_flags, on_exists, &said };
    struct error err = { .text = "" };
    enum mailbox_sync_result r = mailbox_sync(m, look, keep, &c, &err);

    if (r == MAILBOX_FAILED || r == MAILBOX_LOST)
        fail_msg("sync: %d %s", r, err.text);
    assert_string_equal(buf_text(&said), expected);
    buf_release(&said);
}

/* --- tests ------------------------------------------------------------- */

static void add_name(const struct store_entry *e, void *arg)
{
    buf_addf(arg, "%.*s%s%s%s ", VIEW_ARG(e->name), e->exists ? "" : "!",
             e->subscribed ? "*" : "", e->has_children ? "+" : "");
}

static void tree_is(struct account *a, const char *expected)
{
    struct buf said = BUF_INIT;
    struct error err;

    assert_int_equal(store_each(a->s, add_name, &said, &err), 0);
    assert_string_equal(buf_text(&said), expected);
    buf_release(&said);
}

static enum store_why create(struct account *a, const char *name)
{
    enum store_why why = STORE_OK;
    struct error err;

    store_create(a->s, view_of(name), STORE_USE_NONE, &why, &err);
    return why;
}

static void the_tree_of_mailboxes(void **state)
{
    struct account a;
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    tree_is(&a, "INBOX ");
    assert_int_equal(create(&a, "A.B.C"), STORE_LATER); /* no refusal */
    create(&a, "A-x");
    create(&a, "Sent");
    tree_is(&a, "INBOX A!+ A.B!+ A.B.C A-x Sent ");
    assert_int_equal(create(&a, "Sent"), STORE_EXISTS);
    assert_int_equal(create(&a, "inbox"), STORE_EXISTS);
    assert_int_equal(create(&a, "a/b"), STORE_BAD_NAME);
    assert_int_equal(create(&a, "a..b"), STORE_BAD_NAME);
    assert_int_equal(create(&a, ".."), STORE_BAD_NAME);
    assert_int_equal(create(&a, ""), STORE_BAD_NAME);
    assert_int_equal(create(&a, "a\nb"), STORE_BAD_NAME);
    assert_int_equal(store_subscribe(a.s, VIEW("Gone"), true, &why, &err), 0);
    assert_int_equal(store_subscribe(a.s, VIEW("inbox"), true, &why, &err),
                     0);
    tree_is(&a, "INBOX* A!+ A.B!+ A.B.C A-x Gone!* Sent ");
    assert_int_equal(store_rename(a.s, VIEW("A"), VIEW("Z"), &why, &err), 0);
    tree_is(&a, "INBOX* A-x Gone!* Sent Z!+ Z.B!+ Z.B.C ");
    assert_int_equal(store_rename(a.s, VIEW("Z.B.C"), VIEW("Z.B.C.D"), &why,
                                  &err), -1);
    assert_int_equal(why, STORE_BAD_NAME);
    assert_int_equal(store_delete(a.s, VIEW("Z.B.C"), &why, &err), 0);
    assert_int_equal(store_delete(a.s, VIEW("Z.B.C"), &why, &err), -1);
    assert_int_equal(why, STORE_MISSING);
    assert_int_equal(store_delete(a.s, VIEW("INBOX"), &why, &err), -1);
    tree_is(&a, "INBOX* A-x Gone!* Sent ");
    end(&a);
}

static void append_and_read(void **state)
{
    static const char text[] = "Subject: x\r\nFrom: a@b\r\n\r\nhello\r\n";
    struct account a;
    struct mailbox *m;
    struct error err;
    struct buf fact = BUF_INIT;
    uint64_t len, bare;
    int fd;

    (void)state;
    begin(&a);
    assert_int_equal(append(&a, "INBOX", text, MAILBOX_SEEN), 1);
    assert_int_equal(append(&a, "INBOX", text, 0), 2);
    m = open_box(&a, "inbox");
    assert_int_equal(m->n, 2);
    assert_int_equal(m->uid_next, 3);
    assert_int_equal(m->entries[0].flags, MAILBOX_SEEN | MAILBOX_RECENT);
    assert_int_equal(m->entries[0].size, sizeof text - 1);
    assert_int_equal(m->entries[0].date, 1000000000);
    fd = mailbox_file(m, 1, &len, &bare, &err);
    assert_true(fd >= 0);
    assert_int_equal(len, sizeof text - 1);
    assert_int_equal(bare, 0);
    close(fd);
    for (int again = 0; again < 2; again++) {
        buf_reset(&fact);
        assert_int_equal(mailbox_fact(m, 0, MAILBOX_ENVELOPE, &fact, &err),
                         1);
        assert_non_null(strstr(fact.data, "\"x\""));
        mailbox_close(&m); /* which writes them */
        m = open_box(&a, "INBOX");
    }
    buf_reset(&fact);
    assert_int_equal(mailbox_fact(m, 0, MAILBOX_HEADER, &fact, &err), 1);
    assert_string_equal(fact.data, "Subject: x\r\nFrom: a@b\r\n\r\n");
    assert_int_equal(m->n_recent, 0); /* the first view had them */
    buf_release(&fact);
    mailbox_close(&m);
    end(&a);
}

static void flags_and_two_views(void **state)
{
    struct account a;
    struct mailbox *one, *two;
    struct mailbox_change c = { .how = MAILBOX_ADD, .flags = MAILBOX_FLAGGED,
                                .has_unchanged = true };
    size_t index = 0;
    bool modified = false;
    struct error err;

    (void)state;
    begin(&a);
    for (int i = 0; i < 3; i++)
        append(&a, "INBOX", "x\r\n", 0);
    one = open_box(&a, "INBOX");
    two = open_box(&a, "INBOX");
    assert_int_equal(one->n_recent, 3);
    assert_int_equal(two->n_recent, 0);
    set_flags(one, 0, MAILBOX_ADD, MAILBOX_SEEN);
    set_flags(one, 2, MAILBOX_SET, MAILBOX_DELETED | MAILBOX_ANSWERED);
    sync_says(one, true, false, ""); /* its own changes are no news */
    sync_says(two, false, false, "~1=1 ~3=a ");
    sync_says(two, true, false, "");
    c.unchanged_since = two->entries[0].modseq - 1;
    assert_int_equal(mailbox_store(two, &index, 1, &c, &modified, &err), 0);
    assert_true(modified);
    assert_int_equal(mailbox_expunge(two, NULL, 0, &err), 0);
    append(&a, "INBOX", "y\r\n", 0);
    sync_says(one, false, true, "+4 ");
    assert_true(one->entries[2].is_gone);
    sync_says(one, false, false, "-3(3) ");
    sync_says(two, true, false, "-3(3) +3 ");
    assert_int_equal(one->n, 3);
    assert_int_equal(one->entries[2].uid, 4);
    mailbox_close(&one);
    mailbox_close(&two);
    one = open_box(&a, "INBOX"); /* and all that is durable */
    assert_int_equal(one->n, 3);
    assert_int_equal(one->entries[0].flags, MAILBOX_SEEN);
    mailbox_close(&one);
    end(&a);
}

static void keywords(void **state)
{
    struct account a;
    struct mailbox *m;
    struct mailbox_change c = { .how = MAILBOX_ADD };
    size_t index = 0;
    bool modified;
    char name[20];
    struct error err;

    (void)state;
    begin(&a);
    append(&a, "INBOX", "x\r\n", 0);
    m = open_box(&a, "INBOX");
    assert_int_equal(mailbox_keyword(m, VIEW("$Junk"), false, &err), 0);
    c.keywords = mailbox_keyword(m, VIEW("$Junk"), true, &err);
    assert_int_equal(c.keywords, 1);
    assert_int_equal(mailbox_keyword(m, VIEW("$jUNK"), true, &err), 1);
    assert_int_equal(mailbox_keyword(m, VIEW("a b"), true, &err), 0);
    assert_int_equal(mailbox_keyword(m, VIEW("\\Foo"), true, &err), 0);
    assert_int_equal(mailbox_store(m, &index, 1, &c, &modified, &err), 0);
    for (int i = 1; i < MAILBOX_KEYWORDS_MAX; i++) {
        snprintf(name, sizeof name, "k%d", i);
        assert_int_equal(mailbox_keyword(m, view_of(name), true, &err),
                         1ull << i);
    }
    assert_int_equal(mailbox_keyword(m, VIEW("one-more"), true, &err), 0);
    mailbox_close(&m);
    m = open_box(&a, "INBOX");
    assert_string_equal(m->keywords[0], "$Junk");
    assert_int_equal(m->entries[0].keywords, 1);
    mailbox_close(&m);
    end(&a);
}

static void what_others_do(void **state)
{
    struct account a;
    struct mailbox *m;
    struct timespec step = { 0, 50000000 };
    char from[200], to[200];
    struct error err;
    uint64_t len, bare;
    int fd;

    (void)state;
    begin(&a);
    make_file(&a, "new/1.a.host", "Subject: lf\n\nbody\n");
    make_file(&a, "cur/2.b.host:2,FS", "x\r\n");
    m = open_box(&a, "INBOX");
    assert_int_equal(m->n, 2);
    assert_int_equal(m->entries[0].size, 18 + 3);
    assert_int_equal(m->entries[1].flags & 0x1f,
                     MAILBOX_FLAGGED | MAILBOX_SEEN);
    fd = mailbox_file(m, 0, &len, &bare, &err);
    assert_true(fd >= 0 && bare == 3);
    close(fd);
    nanosleep(&step, NULL); /* directory times move in steps */
    sync_says(m, true, false, "");
    make_file(&a, "new/3.c.host", "y\n");
    sync_says(m, true, false, "+3 ");
    snprintf(from, sizeof from, "%s/cur/2.b.host:2,FS", a.home.path);
    snprintf(to, sizeof to, "%s/cur/2.b.host:2,RST", a.home.path);
    assert_int_equal(rename(from, to), 0);
    nanosleep(&step, NULL);
    sync_says(m, true, false, "~2=b ");
    assert_int_equal(unlink(to), 0);
    nanosleep(&step, NULL);
    sync_says(m, true, false, "-2(2) ");
    assert_int_equal(m->n, 2);
    mailbox_close(&m);
    end(&a);
}

static void number_is(struct account *a, size_t expected)
{
    struct mailbox *m = open_box(a, "INBOX");

    assert_int_equal(m->n, expected);
    mailbox_close(&m);
}

/* As a crash may leave it on btrfs: the next life of the suite finds it. */
static void a_name_without_its_time(void **state)
{
    struct account a;
    struct timespec times[2], step = { 0, 50000000 };
    char cur[200];
    struct stat st;

    (void)state;
    begin(&a);
    make_file(&a, "cur/1.a.host:2,S", "x\r\n");
    nanosleep(&step, NULL);
    number_is(&a, 1);
    snprintf(cur, sizeof cur, "%s/cur", a.home.path);
    assert_int_equal(stat(cur, &st), 0);
    make_file(&a, "cur/2.b.host:2,S", "y\r\n");
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, cur, times, 0), 0);
    number_is(&a, 1);
    store_close(&a.s);
    a.o.life = 1;
    open_store(&a);
    number_is(&a, 2);
    end(&a);
}

static void copy_and_move(void **state)
{
    struct account a;
    struct mailbox *m, *to;
    size_t all[3] = { 0, 1, 2 };
    uint32_t validity, uids[3];
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    for (int i = 0; i < 3; i++)
        append(&a, "INBOX", "x\r\n", i == 1 ? MAILBOX_FLAGGED : 0);
    m = open_box(&a, "INBOX");
    assert_int_equal(mailbox_copy(m, all, 3, VIEW("No"), false, &validity,
                                  uids, &why, &err), -1);
    assert_int_equal(why, STORE_MISSING);
    create(&a, "To");
    assert_int_equal(mailbox_copy(m, all, 3, VIEW("To"), false, &validity,
                                  uids, &why, &err), 0);
    assert_int_equal(uids[2], 3);
    sync_says(m, true, false, "");
    assert_int_equal(mailbox_copy(m, all + 1, 2, VIEW("To"), true, &validity,
                                  uids, &why, &err), 0);
    assert_int_equal(uids[0], 4);
    sync_says(m, true, false, "-2(2) -2(3) ");
    to = open_box(&a, "To");
    assert_int_equal(to->n, 5);
    assert_int_equal(to->uid_validity, validity);
    assert_int_equal(to->entries[3].flags & 0x1f, MAILBOX_FLAGGED);
    mailbox_close(&to);
    assert_int_equal(mailbox_copy(m, all, 1, VIEW("INBOX"), true, &validity,
                                  uids, &why, &err), 0);
    sync_says(m, true, false, "-1(1) +1 ");
    assert_int_equal(m->entries[0].uid, 4);
    assert_int_equal(store_rename(a.s, VIEW("INBOX"), VIEW("Old"), &why,
                                  &err), 0);
    sync_says(m, true, false, "-1(4) ");
    mailbox_close(&m);
    end(&a);
}

/* --- damage ------------------------------------------------------------ */

/* The size for clients of the only message in a mailbox. */
static uint64_t only_size(struct account *a, const char *name)
{
    struct mailbox *m = open_box(a, name);
    uint64_t size;

    assert_int_equal(m->n, 1);
    size = m->entries[0].size;
    mailbox_close(&m);
    return size;
}

/* Clients get CRLF and are told the size of that, whatever the file is called
 * and however it came; and the same from an index that was built anew. */
static void lines_that_end_in_lf(void **state)
{
    const size_t first = 0;
    struct account a;
    struct mailbox *m;
    uint32_t validity, uid;
    enum store_why why;
    struct error err;
    char path[100];

    (void)state;
    begin(&a);
    make_file(&a, "cur/1.M2P3Q4.host,S=9:2,S", "A: b\n\nc\n\n");
    assert_int_equal(only_size(&a, "INBOX"), 13);
    assert_int_equal(store_create(a.s, VIEW("copy"), STORE_USE_NONE, &why,
                                  &err), 0);
    m = open_box(&a, "INBOX");
    assert_int_equal(mailbox_copy(m, &first, 1, VIEW("copy"), false, &validity,
                                  &uid, &why, &err), 0);
    mailbox_close(&m);
    assert_int_equal(store_create(a.s, VIEW("new"), STORE_USE_NONE, &why, &err),
                     0);
    append(&a, "new", "A: b\n\nc\n\n", 0);
    assert_int_equal(only_size(&a, "copy"), 13);
    assert_int_equal(only_size(&a, "new"), 13);
    store_close(&a.s);
    snprintf(path, sizeof path, "%s/index/data.mdb", a.home.path);
    assert_int_equal(unlink(path), 0);
    open_store(&a);
    assert_int_equal(only_size(&a, "INBOX"), 13);
    assert_int_equal(only_size(&a, "copy"), 13);
    assert_int_equal(only_size(&a, "new"), 13);
    end(&a);
}

static void a_large_mailbox_opens_fast(void **state)
{
    struct account a;
    struct mailbox *m;
    char name[100];
    uint64_t first, second;

    (void)state;
    begin(&a);
    for (int i = 0; i < 100000; i++) {
        int fd;

        snprintf(name, sizeof name, "cur/%d.M%dP1V0Q.host,S=0:2,S", i, i);
        fd = openat(a.home.dir, name, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    first = clock_mono_us();
    m = open_box(&a, "INBOX");
    first = clock_mono_us() - first;
    assert_int_equal(m->n, 100000);
    mailbox_close(&m);
    m = open_box(&a, "INBOX"); /* the directory is at rest now */
    mailbox_close(&m);
    second = clock_mono_us();
    m = open_box(&a, "INBOX");
    second = clock_mono_us() - second;
    print_message("100,000 messages: taken in %llu ms, opened in %llu ms\n",
                  (unsigned long long)first / 1000,
                  (unsigned long long)second / 1000);
    assert_int_equal(m->n, 100000);
    mailbox_close(&m);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_of_mailboxes),
        cmocka_unit_test(append_and_read),
        cmocka_unit_test(flags_and_two_views),
        cmocka_unit_test(keywords),
        cmocka_unit_test(what_others_do),
        cmocka_unit_test(a_name_without_its_time),
        cmocka_unit_test(copy_and_move),
        cmocka_unit_test(lines_that_end_in_lf),
        cmocka_unit_test(a_large_mailbox_opens_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
