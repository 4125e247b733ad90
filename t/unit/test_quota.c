/* SPDX-License-Identifier: BSD-2-Clause */
/* maildirsize, and the sums that it stands for. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir/quota.h"
#include "unit.h"

struct place {
    char path[64];
    int dir;
};

static void begin(struct place *p)
{
    snprintf(p->path, sizeof p->path, "/tmp/test-quota-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    p->dir = open(p->path, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(p->dir, "new", 0700), 0);
    assert_int_equal(mkdirat(p->dir, "cur", 0700), 0);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void end(struct place *p)
{
    close(p->dir);
    assert_int_equal(nftw(p->path, remove_one, 20, FTW_DEPTH | FTW_PHYS), 0);
}

static void put(const struct place *p, const char *name, const char *text)
{
    int fd = openat(p->dir, name, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static bool take(const struct place *p, uint64_t limit, uint64_t bytes)
{
    struct error err;
    bool taken;

    assert_int_equal(quota_take(p->dir, limit, bytes, 1, &taken, &err), 0);
    return taken;
}

static void names_say_sizes(void **state)
{
    struct place p;

    (void)state;
    begin(&p);
    put(&p, "cur/1.a,S=600:2,S", "");
    put(&p, "new/2.b", "its own 12 b");
    assert_false(take(&p, 1000, 389));
    quota_forget(p.dir);
    assert_true(take(&p, 1000, 388));
    end(&p);
}

/* The names are the account's: two that claim the most add up to no less. */
static void no_sum_is_more_than_full(void **state)
{
    struct place p;

    (void)state;
    begin(&p);
    put(&p, "cur/1.a,S=9223372036854775807:2,S", "");
    put(&p, "cur/2.b,S=9223372036854775807:2,S", "");
    assert_false(take(&p, 1000, 10));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_sizes),
        cmocka_unit_test(no_sum_is_more_than_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
