/* SPDX-License-Identifier: BSD-2-Clause */
/* An index whose values make no sense, though their checksums fit. */
#include <fcntl.h>
#include <unistd.h>

#include "account.h"
#include "index/internal.h"

static uint32_t first_validity; /* of the INBOX that an account begins with */

static struct mailbox *try_box(struct account *a)
{
    enum store_why why;
    struct error err;

    return mailbox_open(a->s, VIEW("INBOX"), false, &why, &err);
}

/* An account with one message. */
static void begin_with_one(struct account *a)
{
    struct mailbox *m;

    begin(a);
    make_file(a, "cur/1.a:2,", "");
    m = open_box(a, "INBOX");
    assert_int_equal(m->n, 1);
    first_validity = m->uid_validity;
    mailbox_close(&m);
}

/* The next session has a mailbox again, under a higher UIDVALIDITY. */
static void is_mended(struct account *a, size_t n)
{
    struct mailbox *m;

    store_close(&a->s);
    open_store(a);
    m = try_box(a);
    assert_non_null(m);
    assert_true(m->uid_validity > first_validity);
    assert_int_equal(m->n, n);
    assert_int_equal(m->entries[0].uid, 1);
    mailbox_close(&m);
}

static void put(struct account *a, enum db db, struct view key,
                struct view value)
{
    struct error err;
    struct txn t;

    assert_int_equal(txn_begin(a->s, true, &t, &err), 0);
    assert_int_equal(txn_put(&t, db, key, value, &err), 0);
    assert_int_equal(txn_commit(&t, &err), 0);
}

static struct box get_box(struct account *a)
{
    struct error err;
    struct txn t;
    struct box b;

    assert_int_equal(txn_begin(a->s, false, &t, &err), 0);
    assert_int_equal(box_get(&t, VIEW("INBOX"), &b, &err), 1);
    txn_abort(&t);
    return b;
}

/* Leave something on the stack for those who read what they did not write. */
static void litter(void)
{
    volatile char junk[32768];

    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = 0x55;
}

/* A session that has met damage in one call makes other calls. */
static void all_calls_fail_after_damage(void **state)
{
    struct account a;
    struct store_status st;
    enum store_why why;
    struct error err;

    (void)state;
    begin_with_one(&a);
    put(&a, DB_BOX, VIEW("INBOX"), VIEW("short"));
    assert_int_equal(store_status(a.s, VIEW("INBOX"), &st, &why, &err), -1);
    litter();
    assert_null(try_box(&a));
    is_mended(&a, 1);
    end(&a);
}

static void a_message_that_cannot_be_read_is_damage(void **state)
{
    struct account a;
    struct msg_key k;
    struct box b;

    (void)state;
    begin_with_one(&a);
    b = get_box(&a);
    put(&a, DB_MSG, msg_key(&k, b.id, 1), VIEW("short"));
    box_release(&b);
    assert_null(try_box(&a));
    is_mended(&a, 1);
    end(&a);
}

/* Set the mailbox's next UID. */
static void set_uid_next(struct account *a, uint32_t uid)
{
    struct box b = get_box(a);
    struct error err;
    struct txn t;

    b.uid_next = uid;
    assert_int_equal(txn_begin(a->s, true, &t, &err), 0);
    assert_int_equal(box_put(&t, VIEW("INBOX"), &b, &err), 0);
    assert_int_equal(txn_commit(&t, &err), 0);
    box_release(&b);
}

static int append_empty(struct account *a, uint32_t *uid)
{
    struct mailbox_new n = { .fd = open("/dev/null", O_RDONLY), .len = 0 };
    uint32_t validity;
    enum store_why why;
    struct error err;
    int rc = mailbox_append(a->s, VIEW("INBOX"), &n, 1, &validity, uid, &why,
                            &err);

    close(n.fd);
    return rc;
}

/* UIDs end at 2^32 - 1, which is never given: UIDNEXT could not be told. No
 * UID is given twice under one UIDVALIDITY. */
static void uids_begin_anew_at_their_end(void **state)
{
    struct account a;
    uint32_t uid = 0;
    int fd;

    (void)state;
    begin_with_one(&a);
    set_uid_next(&a, UINT32_MAX - 1);
    assert_int_equal(append_empty(&a, &uid), 0);
    assert_true(uid == UINT32_MAX - 1);
    assert_int_equal(append_empty(&a, &uid), -1);
    is_mended(&a, 2);
    end(&a);

    begin_with_one(&a);
    set_uid_next(&a, UINT32_MAX);
    fd = openat(a.home.dir, "new/2.b", O_WRONLY | O_CREAT, 0600);
    close(fd);
    assert_null(try_box(&a));
    is_mended(&a, 2);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_calls_fail_after_damage),
        cmocka_unit_test(a_message_that_cannot_be_read_is_damage),
        cmocka_unit_test(uids_begin_anew_at_their_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
