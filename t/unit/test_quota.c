/* SPDX-License-Identifier: BSD-2-Clause */
/* maildirsize, and the sums that it stands for. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir/quota.h"
#include "scratch.h"
#include "unit.h"

/* An empty Maildir. */
static void begin(struct scratch *p)
{
    scratch_make(p);
    assert_int_equal(mkdirat(p->dir, "new", 0700), 0);
    assert_int_equal(mkdirat(p->dir, "cur", 0700), 0);
}

static void put(const struct scratch *p, const char *name, const char *text)
{
    int fd = openat(p->dir, name, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static bool take(const struct scratch *p, uint64_t limit, uint64_t bytes)
{
    struct error err;
    bool taken;

    assert_int_equal(quota_take(p->dir, limit, bytes, 1, &taken, &err), 0);
    return taken;
}

static void names_say_sizes(void **state)
{
    struct scratch p;

    (void)state;
    begin(&p);
    put(&p, "cur/1.a,S=600:2,S", "");
    put(&p, "new/2.b", "its own 12 b");
    assert_false(take(&p, 1000, 389));
    quota_forget(p.dir);
    assert_true(take(&p, 1000, 388));
    scratch_remove(&p);
}

/* The names are the account's: two that claim the most add up to no less. */
static void no_sum_is_more_than_full(void **state)
{
    struct scratch p;

    (void)state;
    begin(&p);
    put(&p, "cur/1.a,S=9223372036854775807:2,S", "");
    put(&p, "cur/2.b,S=9223372036854775807:2,S", "");
    assert_false(take(&p, 1000, 10));
    scratch_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_sizes),
        cmocka_unit_test(no_sum_is_more_than_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
