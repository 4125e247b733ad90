/* SPDX-License-Identifier: BSD-2-Clause */
/* What failed logins cost, as transcripts: at this second, this account is
 * tried from this address, and this comes of it. */
#include "authd/delay.h"

#include "unit.h"

static const struct delay_rules rules = { .first = 2, .most = 15,
                                          .failure_memory = 600,
                                          .success_memory = 86400 };

enum how { FAILS, SUCCEEDS, DROPPED, UNDER_WAY, REFUSED };

struct row {
    unsigned second;
    const char *account, *address;
    unsigned waits; /* seconds before it is looked at */
    enum how how;
    unsigned late;  /* seconds that a failure is told later */
};

static struct delay_try try_of(const struct row *r)
{
    return (struct delay_try){ view_of(r->account), view_of(r->address),
                               1000000 + r->second * 1000ULL };
}

static void play(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        struct delay_try t = try_of(r);
        uint64_t ms = 0;
        bool allowed = delay_before(&t, &rules, &ms);

        if (allowed != (r->how != REFUSED) || ms != r->waits * 1000ULL)
            fail_msg("row %zu: %s, waits %llu ms", i,
                     allowed ? "allowed" : "refused", (unsigned long long)ms);
        t.now += ms;
        if (r->how == FAILS)
            assert_int_equal(delay_failed(&t, &rules), r->late * 1000);
        else if (r->how == SUCCEEDS)
            delay_succeeded(&t, &rules);
        else if (r->how == DROPPED)
            delay_dropped(&t, &rules);
    }
}

#define PLAY(rows) play(rows, sizeof rows / sizeof *rows)

static void each_failure_costs_more(void **state)
{
    static const struct row rows[] = {
        { 0, "a1", "192.0.2.1", 0, FAILS, 2 },
        { 2, "a1", "192.0.2.1", 0, FAILS, 4 },
        { 6, "a1", "192.0.2.1", 0, FAILS, 8 },
        { 14, "a1", "192.0.2.1", 0, FAILS, 15 },
        { 29, "a1", "192.0.2.1", 0, FAILS, 15 },
        /* Ten minutes without one, and it is forgotten. */
        { 630, "a1", "192.0.2.1", 0, FAILS, 2 },
    };

    (void)state;
    PLAY(rows);
}

static void many_at_once_are_no_faster(void **state)
{
    static const struct row rows[] = {
        { 0, "b1", "192.0.2.2", 0, FAILS, 2 },
        { 0, "b1", "192.0.2.2", 2, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 4, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 6, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 8, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 10, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 12, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 14, UNDER_WAY, 0 },
        { 0, "b1", "192.0.2.2", 0, REFUSED, 0 },
        /* Nor with the account from elsewhere, or elsewhere from there. */
        { 0, "b1", "192.0.2.3", 0, REFUSED, 0 },
        { 0, "b2", "192.0.2.2", 0, REFUSED, 0 },
        { 0, "b2", "192.0.2.3", 0, SUCCEEDS, 0 },
        { 3, "b1", "192.0.2.3", 13, DROPPED, 0 },
    };

    (void)state;
    PLAY(rows);
}

static void a_burst_is_paced(void **state)
{
    struct row row = { 0, "", "192.0.2.4", 0, UNDER_WAY, 0 };
    char name[8];

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "c%d", i);
        row.account = name;
        play(&row, 1);
    }
    row.account = "c20"; /* the first that could be too many */
    play(&row, 1);
    row.account = "c21";
    row.waits = 2;
    play(&row, 1);
}

static void who_has_logged_in_is_not_kept_waiting(void **state)
{
    static const struct row rows[] = {
        { 0, "d1", "192.0.2.5", 0, SUCCEEDS, 0 },
        { 1, "d1", "192.0.2.6", 0, FAILS, 2 },
        { 1, "d1", "192.0.2.6", 2, FAILS, 4 },
        { 1, "d2", "192.0.2.5", 0, FAILS, 2 },
        { 1, "d1", "192.0.2.5", 0, SUCCEEDS, 0 },
        { 1, "d1", "192.0.2.5", 0, FAILS, 2 }, /* its own failures count */
        { 1, "d1", "192.0.2.5", 2, SUCCEEDS, 0 },
        { 3, "d1", "192.0.2.5", 0, SUCCEEDS, 0 },
        { 86500, "d2", "192.0.2.5", 0, FAILS, 2 },
        { 86500, "d1", "192.0.2.5", 2, DROPPED, 0 }, /* forgotten */
    };

    (void)state;
    PLAY(rows);
}

static void an_ipv6_client_has_one_network(void **state)
{
    static const struct row rows[] = {
        { 0, "e1", "2001:db8:0:1::1", 0, FAILS, 2 },
        { 0, "e2", "2001:db8:0:1:ffff::", 2, FAILS, 4 },
        { 0, "e3", "2001:db8:0:2::1", 0, FAILS, 2 },
    };

    (void)state;
    PLAY(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_costs_more),
        cmocka_unit_test(many_at_once_are_no_faster),
        cmocka_unit_test(a_burst_is_paced),
        cmocka_unit_test(who_has_logged_in_is_not_kept_waiting),
        cmocka_unit_test(an_ipv6_client_has_one_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
