/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailbox store when its files are damaged, its writers killed or stopped,
 * or the disk full. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "base/clock.h"
#include "index/file.h"
#include "index/internal.h"

/* --- damage -------------------------------------------------------------- */

static void corrupt(struct account *a, off_t at, bool cut)
{
    char path[100], byte;
    int fd;

    snprintf(path, sizeof path, "%s/index/data.mdb", a->home.path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    if (cut) {
        assert_int_equal(ftruncate(fd, at), 0);
    } else if (pread(fd, &byte, 1, at) == 1) {
        byte ^= 0x55;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

#define NOT_CALLED_DAMAGE 3

/* In a process of its own: damage may end it by a signal, nothing worse. What
 * cannot be opened then is damaged, and nothing less. */
static int look(struct account *a, uint32_t *validity)
{
    int pipes[2], status = 0;
    pid_t pid;
    struct { uint32_t validity; size_t n; } seen = { 0, 0 };

    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        enum store_why why;
        struct error err;
        struct store *s = store_open(a->home.dir, &a->o, &err);
        struct mailbox *m = s ? mailbox_open(s, VIEW("INBOX"), false, &why,
                                             &err) : NULL;

        if (m == NULL)
            print_message("%s\n", err.text);
        if (s != NULL && m == NULL && why != STORE_DAMAGED)
            _exit(NOT_CALLED_DAMAGE);
        if (m != NULL) {
            seen.validity = m->uid_validity;
            seen.n = m->n;
        }
        _exit(write(pipes[1], &seen, sizeof seen) != sizeof seen);
    }
    close(pipes[1]);
    if (read(pipes[0], &seen, sizeof seen) != sizeof seen)
        seen.n = 0;
    close(pipes[0]);
    waitpid(pid, &status, 0);
    assert_false(WIFEXITED(status) &&
                 WEXITSTATUS(status) == NOT_CALLED_DAMAGE);
    *validity = seen.validity;
    return (int)seen.n;
}

static void damage_is_mended(void **state)
{
    struct account a;
    uint32_t first, now, last;
    struct stat st;
    char path[100];

    (void)state;
    begin(&a);
    for (int i = 0; i < 5; i++)
        append(&a, "INBOX", "x\r\n", 0);
    store_close(&a.s);
    assert_int_equal(look(&a, &first), 5);
    last = first;
    snprintf(path, sizeof path, "%s/index/data.mdb", a.home.path);
    assert_int_equal(stat(path, &st), 0);
    for (off_t at = 0; at < st.st_size; at += 499) {
        int n = 0;

        corrupt(&a, at, false);
        for (int again = 0; again < 3 && n != 5; again++)
            n = look(&a, &now);
        if (n != 5)
            fail_msg("a flipped byte at %lld: %d messages", (long long)at, n);
        assert_true(now >= last);
        last = now;
    }
    for (int pages = 0; pages < 6; pages++) {
        int n = 0;

        corrupt(&a, pages * 4096 + 100, true);
        for (int again = 0; again < 3 && n != 5; again++)
            n = look(&a, &now);
        if (n != 5)
            fail_msg("cut after %d pages: %d messages", pages, n);
        assert_true(now >= last);
        last = now;
    }
    open_store(&a);
    end(&a);
}

/* One bit makes LMDB leave a page out when it commits (P_KEEP, by which it
 * means one that it may not write yet): set it in page `n`. False when there
 * is no such page. */
static bool keep_page(struct account *a, off_t n)
{
    char path[100], flags;
    bool is_there;
    int fd;

    snprintf(path, sizeof path, "%s/index/data.mdb", a->home.path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    is_there = pread(fd, &flags, 1, n * 4096 + 11) == 1;
    flags |= (char)0x80;
    if (is_there)
        assert_int_equal(pwrite(fd, &flags, 1, n * 4096 + 11), 1);
    close(fd);
    return is_there;
}

static void a_page_that_is_not_written(void **state)
{
    bool is_there = true;

    (void)state;
    for (off_t page = 2; is_there; page++) {
        struct account a;
        uint32_t validity;
        int n = 0;

        begin(&a);
        append(&a, "INBOX", "one\r\n", 0);
        store_close(&a.s);
        is_there = keep_page(&a, page);
        for (int again = 0; again < 3 && n != 1; again++)
            n = look(&a, &validity);
        assert_int_equal(n, 1);
        open_store(&a);
        end(&a);
    }
}

/* --- what was expunged and is back ---------------------------------------- */

/* Let the account's only message have been expunged `ago` seconds ago; the
 * name that its file had. */
static void expunge_the_one(struct account *a, int64_t ago, char name[256])
{
    struct mailbox *m = open_box(a, "INBOX");
    uint64_t when = clock_real_us() / 1000000 - (uint64_t)ago;
    struct error err;
    struct msg msg;
    struct txn t;

    assert_int_equal(m->n, 1);
    assert_int_equal(txn_begin(a->s, false, &t, &err), 0);
    assert_int_equal(mailbox_get(&t, m, 0, &msg, &err), 1);
    assert_true(view_copy(file_base(msg.file), name, 256));
    txn_abort(&t);
    set_flags(m, 0, MAILBOX_ADD, MAILBOX_DELETED);
    assert_int_equal(mailbox_expunge(m, NULL, 0, &err), 0);
    mailbox_close(&m);
    assert_int_equal(txn_begin(a->s, true, &t, &err), 0);
    assert_int_equal(txn_put(&t, DB_GONE, view_of(name),
                             (struct view){ (char *)&when, sizeof when },
                             &err), 0);
    assert_int_equal(txn_end(&t, 0, &err), 0);
}

/* As a crash does that takes the file's removal away, which is older than the
 * expunge; and as whoever restores a message from a backup. */
static void what_was_expunged_is_back(void **state)
{
    static const struct {
        int64_t ago;
        const char *dir;
        size_t n;
    } rows[] = {
        { -10, "cur", 0 }, { 10, "cur", 1 },
        { -10, "new", 0 }, { 10, "new", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[256], path[300];
        struct account a;
        struct mailbox *m;

        begin(&a);
        append(&a, "INBOX", "x\r\n", 0);
        expunge_the_one(&a, rows[i].ago, name);
        snprintf(path, sizeof path, "%s/%s", rows[i].dir, name);
        make_file(&a, path, "x\r\n");
        m = open_box(&a, "INBOX");
        assert_int_equal(m->n, rows[i].n);
        if (m->n > 0)
            assert_true(m->entries[0].uid > 1);
        mailbox_close(&m);
        if (rows[i].n == 0)
            assert_true(faccessat(a.home.dir, path, F_OK, 0) < 0);
        end(&a);
    }
}

/* --- writers that stop --------------------------------------------------- */

static void a_stopped_writer_blocks_nobody_for_long(void **state)
{
    struct account a;
    struct timespec step = { 0, 1000000 };
    uint32_t uid;
    uint64_t before;
    pid_t pid;

    (void)state;
    begin(&a);
    append(&a, "INBOX", "x\r\n", 0);
    pid = fork();
    if (pid == 0) {
        struct error err;

        store_close(&a.s);
        a.s = store_open(a.home.dir, &a.o, &err);
        for (;;)
            append(&a, "INBOX", "y\r\n", 0);
    }
    a.o.lock_ms = 300;
    store_close(&a.s);
    open_store(&a);
    for (int i = 0; i < 20; i++) {
        struct mailbox_new n = { .fd = open("/dev/null", O_RDONLY) };
        uint32_t validity;
        enum store_why why;
        struct error err;

        kill(pid, SIGSTOP);
        nanosleep(&step, NULL);
        before = clock_mono_ms();
        mailbox_append(a.s, VIEW("INBOX"), &n, 1, &validity, &uid, &why,
                       &err);
        assert_true(clock_mono_ms() - before < 2000);
        close(n.fd);
        kill(pid, SIGCONT);
        nanosleep(&step, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    end(&a);
}

/* Killed anywhere, no UID ever stands for two messages. */
static void killed_writers_leave_no_lie(void **state)
{
    struct account a;

    (void)state;
    begin(&a);
    store_close(&a.s);
    for (int round = 0; round < 30; round++) {
        struct timespec step = { 0, (round * 7919 % 40) * 250000 };
        pid_t pid = fork();

        if (pid == 0) {
            open_store(&a);
            for (int i = 0;; i++) {
                struct mailbox *m;
                struct error err;

                append(&a, "INBOX", "y\r\n", 0);
                m = open_box(&a, "INBOX");
                if (m->n > 3) {
                    set_flags(m, (size_t)i % m->n, MAILBOX_ADD,
                              MAILBOX_DELETED);
                    mailbox_expunge(m, NULL, 0, &err);
                }
                mailbox_close(&m);
            }
        }
        nanosleep(&step, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        open_store(&a);
        {
            struct mailbox *m = open_box(&a, "INBOX");

            for (size_t i = 1; i < m->n; i++)
                assert_true(m->entries[i - 1].uid < m->entries[i].uid);
            mailbox_close(&m);
        }
        store_close(&a.s);
    }
    open_store(&a);
    end(&a);
}

/* --- a full disk --------------------------------------------------------- */

/* No file grows any more, nor is any written: as on a disk that is full. */
static void disk_is_full(bool full)
{
    struct rlimit limit = { 0, RLIM_INFINITY };

    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = full ? 0 : RLIM_INFINITY;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    store_prepare(); /* which knows it then */
}

/* The flags and the text of the only message in a mailbox. */
static void only_is(struct account *a, const char *name, uint32_t uid,
                    uint32_t flags, const char *expected)
{
    struct mailbox *m = open_box(a, name);
    uint64_t len, bare;
    char text[100];
    struct error err;
    int fd;

    assert_int_equal(m->n, 1);
    fd = mailbox_file(m, 0, &len, &bare, &err);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof text), len);
    assert_memory_equal(text, expected, len);
    close(fd);
    mailbox_close(&m);
    m = open_box(a, name);
    assert_int_equal(m->n, 1);
    assert_int_equal(m->entries[0].uid, uid);
    assert_int_equal(m->entries[0].flags & ~(uint32_t)MAILBOX_RECENT, flags);
    mailbox_close(&m);
}

static void is_empty(struct account *a, const char *name)
{
    struct mailbox *m = open_box(a, name);

    assert_int_equal(m->n, 0);
    mailbox_close(&m);
}

static void create(struct account *a, const char *name)
{
    enum store_why why;
    struct error err;

    if (store_create(a->s, view_of(name), STORE_USE_NONE, &why, &err) < 0)
        fail_msg("%s", err.text);
}

static void a_move_that_fails_moves_nothing(void **state)
{
    const size_t first = 0;
    struct account a;
    struct mailbox *m;
    uint32_t validity, uid;
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    create(&a, "To");
    append(&a, "INBOX", "one\r\n", 0);
    m = open_box(&a, "INBOX");
    disk_is_full(true);
    for (int move = 0; move < 2; move++)
        assert_int_equal(mailbox_copy(m, &first, 1, VIEW("To"), move,
                                      &validity, &uid, &why, &err), -1);
    disk_is_full(false);
    mailbox_close(&m);
    only_is(&a, "INBOX", 1, 0, "one\r\n");
    is_empty(&a, "To");
    m = open_box(&a, "INBOX");
    assert_int_equal(mailbox_copy(m, &first, 1, VIEW("To"), true, &validity,
                                  &uid, &why, &err), 0);
    mailbox_close(&m);
    is_empty(&a, "INBOX");
    only_is(&a, "To", 1, 0, "one\r\n");
    assert_true(faccessat(a.home.dir, "index.damaged", F_OK, 0) < 0);
    end(&a);
}

/* A file has its new name, and the index, which knows the directory's time,
 * the old one: found by who reads, copies or moves. */
static void a_name_that_no_index_has(void **state)
{
    static const char *const how[] = { "read", "copy", "move" };
    struct account a;
    struct mailbox *m;
    uint32_t validity, uid;
    enum store_why why;
    struct error err;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct timespec times[2];
        struct stat st;
        const size_t first = 0;
        char cur[100];

        print_message("%s\n", how[i]);
        begin(&a);
        create(&a, "To");
        append(&a, "INBOX", "one\r\n", 0);
        m = open_box(&a, "INBOX");
        snprintf(cur, sizeof cur, "%s/cur", a.home.path);
        assert_int_equal(stat(cur, &st), 0);
        disk_is_full(true);
        {
            struct mailbox_change c = { .how = MAILBOX_ADD,
                                        .flags = MAILBOX_FLAGGED };
            bool modified;

            assert_int_equal(mailbox_store(m, &first, 1, &c, &modified, &err),
                             -1);
        }
        disk_is_full(false);
        times[0] = st.st_atim;
        times[1] = st.st_mtim; /* within one step of the clock */
        assert_int_equal(utimensat(AT_FDCWD, cur, times, 0), 0);
        if (i > 0)
            assert_int_equal(mailbox_copy(m, &first, 1, VIEW("To"), i == 2,
                                          &validity, &uid, &why, &err), 0);
        mailbox_close(&m);
        if (i > 0)
            only_is(&a, "To", 1, MAILBOX_FLAGGED, "one\r\n");
        if (i < 2)
            only_is(&a, "INBOX", 1, MAILBOX_FLAGGED, "one\r\n");
        else
            is_empty(&a, "INBOX");
        end(&a);
    }
}

static void a_mailbox_that_cannot_go_stays(void **state)
{
    struct account a;
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    create(&a, "old");
    create(&a, "old.child");
    append(&a, "old", "one\r\n", 0);
    append(&a, "old.child", "two\r\n", 0);
    disk_is_full(true);
    assert_int_equal(store_delete(a.s, VIEW("old"), &why, &err), -1);
    assert_int_equal(why, STORE_LATER);
    assert_int_equal(store_rename(a.s, VIEW("old"), VIEW("new"), &why, &err),
                     -1);
    disk_is_full(false);
    only_is(&a, "old", 1, 0, "one\r\n");
    only_is(&a, "old.child", 1, 0, "two\r\n");
    assert_int_equal(store_rename(a.s, VIEW("old"), VIEW("new"), &why, &err),
                     0);
    only_is(&a, "new", 1, 0, "one\r\n");
    only_is(&a, "new.child", 1, 0, "two\r\n");
    end(&a);
}

static void note_move(struct account *a, const char *from, const char *to)
{
    struct txn t;
    struct error err;

    assert_int_equal(txn_begin(a->s, true, &t, &err), 0);
    assert_int_equal(txn_put(&t, DB_MOVE, view_of(from), view_of(to), &err),
                     0);
    assert_int_equal(txn_commit(&t, &err), 0);
}

/* A RENAME that was killed had renamed one directory and not the other, and
 * told the index of neither: each record goes where its directory is. */
static void a_rename_that_is_cut_off_loses_nothing(void **state)
{
    struct account a;
    struct mailbox *m;
    struct txn t;
    struct error err;
    struct view to;
    uint32_t validity;

    (void)state;
    begin(&a);
    create(&a, "old");
    create(&a, "old.child");
    append(&a, "old", "one\r\n", 0);
    append(&a, "old.child", "two\r\n", 0);
    m = open_box(&a, "old");
    validity = m->uid_validity;
    assert_true(mailbox_keyword(m, VIEW("$kept"), true, &err) != 0);
    mailbox_close(&m);
    note_move(&a, "old", "new");
    note_move(&a, "old.child", "new.child");
    assert_int_equal(renameat(a.home.dir, ".old", a.home.dir, ".new"), 0);
    store_close(&a.s);
    open_store(&a);
    m = open_box(&a, "new");
    assert_int_equal(m->uid_validity, validity);
    assert_string_equal(m->keywords[0], "$kept");
    mailbox_close(&m);
    only_is(&a, "new", 1, 0, "one\r\n");
    only_is(&a, "old.child", 1, 0, "two\r\n");
    assert_int_equal(txn_begin(a.s, false, &t, &err), 0);
    assert_int_equal(txn_get(&t, DB_MOVE, VIEW("old"), &to, &err), 0);
    assert_int_equal(txn_get(&t, DB_MOVE, VIEW("old.child"), &to, &err), 0);
    txn_abort(&t);
    end(&a);
}

/* What another tool left in its directory goes with a mailbox. */
static void a_mailbox_goes_with_all_that_is_in_it(void **state)
{
    static const char *const names[] = { "one", "two", "three" };
    struct account a;
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    for (size_t i = 0; i < 3; i++) {
        char path[40];

        create(&a, names[i]);
        append(&a, names[i], "one\r\n", 0);
        snprintf(path, sizeof path, ".%s/maildirfolder", names[i]);
        make_file(&a, path, "");
        snprintf(path, sizeof path, ".%s/extra", names[i]);
        assert_int_equal(mkdirat(a.home.dir, path, 0700), 0);
        snprintf(path, sizeof path, ".%s/extra/file", names[i]);
        make_file(&a, path, "");
        assert_int_equal(store_delete(a.s, view_of(names[i]), &why, &err), 0);
        snprintf(path, sizeof path, ".%s", names[i]);
        assert_true(faccessat(a.home.dir, path, F_OK, 0) < 0);
        assert_true(faccessat(a.home.dir, "index/deleted", F_OK, 0) < 0);
    }
    end(&a);
}

static void a_file_in_the_place_of_the_index(void **state)
{
    struct account a;

    (void)state;
    begin(&a);
    append(&a, "INBOX", "one\r\n", 0);
    store_close(&a.s);
    assert_int_equal(renameat(a.home.dir, "index", a.home.dir, "was"), 0);
    make_file(&a, "index", "");
    open_store(&a);
    only_is(&a, "INBOX", 1, 0, "one\r\n");
    end(&a);
}

/* LMDB maps as much as its first pages say that there is. */
static void an_index_that_wants_all_memory(void **state)
{
    const uint64_t last = 1ull << 40; /* page of the file */
    struct account a;
    char path[100];
    int fd;

    (void)state;
    begin(&a);
    append(&a, "INBOX", "one\r\n", 0);
    store_close(&a.s);
    snprintf(path, sizeof path, "%s/index/data.mdb", a.home.path);
    fd = open(path, O_WRONLY);
    for (off_t page = 0; page < 2; page++)
        assert_int_equal(pwrite(fd, &last, sizeof last, page * 4096 + 136),
                         sizeof last);
    close(fd);
    open_store(&a);
    only_is(&a, "INBOX", 1, 0, "one\r\n");
    end(&a);
}

/* How many descriptors are open, and that 0 to 2 are. */
static unsigned open_descriptors(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 100; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    for (int fd = 0; fd < 3; fd++)
        assert_true(fcntl(fd, F_GETFD) >= 0);
    return n;
}

static void what_cannot_be_added_closes_its_own(void **state)
{
    static const char *const names[] = { "No", "..", "" };
    const size_t first = 0;
    struct account a;
    struct mailbox *m;
    unsigned before;
    uint32_t validity, uid;
    enum store_why why;
    struct error err;

    (void)state;
    begin(&a);
    append(&a, "INBOX", "one\r\n", 0);
    m = open_box(&a, "INBOX");
    before = open_descriptors();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct mailbox_new n = { .fd = open("/dev/null", O_RDONLY) };

        assert_int_equal(mailbox_append(a.s, view_of(names[i]), &n, 1,
                                        &validity, &uid, &why, &err), -1);
        close(n.fd);
        assert_int_equal(why, STORE_MISSING);
        for (int move = 0; move < 2; move++)
            assert_int_equal(mailbox_copy(m, &first, 1, view_of(names[i]),
                                          move, &validity, &uid, &why, &err),
                             -1);
        assert_int_equal(open_descriptors(), before);
    }
    mailbox_close(&m);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_mended),
        cmocka_unit_test(a_page_that_is_not_written),
        cmocka_unit_test(what_was_expunged_is_back),
        cmocka_unit_test(a_stopped_writer_blocks_nobody_for_long),
        cmocka_unit_test(killed_writers_leave_no_lie),
        cmocka_unit_test(a_move_that_fails_moves_nothing),
        cmocka_unit_test(a_name_that_no_index_has),
        cmocka_unit_test(a_mailbox_that_cannot_go_stays),
        cmocka_unit_test(a_rename_that_is_cut_off_loses_nothing),
        cmocka_unit_test(a_file_in_the_place_of_the_index),
        cmocka_unit_test(an_index_that_wants_all_memory),
        cmocka_unit_test(a_mailbox_goes_with_all_that_is_in_it),
        cmocka_unit_test(what_cannot_be_added_closes_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
