/* SPDX-License-Identifier: BSD-2-Clause */
/* Our own files' names, told from those of others. */
#include <string.h>

#include "maildir/maildir.h"
#include "unit.h"

static const struct {
    const char *base;
    uint64_t size;
    bool ours;
} names[] = {
    /* a delivery, and one whose name was taken */
    { "1700000000.Q0123456789ABCDEFR0badcafe.mx.example,S=12", 12, true },
    { "1-1700000000.Q0123456789ABCDEFR0badcafe.mx.example,S=12", 12, true },
    /* appended or copied */
    { "1700000000.M000012P7V0Q.mx.example,S=12", 12, true },
    { "1700000000.M000012P7V0Q.,S=12", 12, true },
    /* whose lines do not all end in CRLF */
    { "1700000000.M000012P7V0.mx.example,S=12", 12, false },
    /* of another size than they say, or of none */
    { "1700000000.M000012P7V0Q.mx.example,S=12", 13, false },
    { "1700000000.M000012P7V0Q.mx.example", 12, false },
    { "1700000000.M000012P7V0Q.mx.example,S=", 0, false },
    /* other programs' */
    { "1700000000.M000012P7Q3.mx.example,S=12", 12, false },
    { "1700000000.M000012P7V0Q3.mx.example,S=12", 12, false },
    { "1700000000.7_0.MAILQ.example,S=12", 12, false },
    { "1700000000.M000012P7V0I0_0.Q.example,S=12", 12, false },
    { "1700000000.M000012P7V0Q.mx.example,S=12,W=14", 12, false },
    { "1700000000.Q0123456789abcdefR0badcafe.mx.example,S=12", 12, false },
    { "1700000000.Q0123456789ABCDER0badcafe.mx.example,S=12", 12, false },
    { "1700000000.Q0123456789ABCDEFR0badcafemx.example,S=12", 12, false },
    { "Q,S=12", 12, false },
    { "", 0, false },
};

static void known_by_their_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (maildir_name_says_crlf(view_of(names[i].base), names[i].size) !=
            names[i].ours)
            fail_msg("%s with %llu bytes", names[i].base,
                     (unsigned long long)names[i].size);
}

static void what_is_made_is_known(void **state)
{
    struct buf name = BUF_INIT;

    (void)state;
    maildir_delivery_name(&name, 1700000000000000, VIEW("0123456789ABCDEF"),
                          VIEW("ann@example.org"), "mx_1,S=9.example", 4321);
    assert_true(maildir_name_says_crlf(buf_view(&name), 4321));
    buf_reset(&name);
    maildir_new_name(&name, "mx:1.example", 0, true);
    assert_true(maildir_name_says_crlf(buf_view(&name), 0));
    buf_reset(&name);
    maildir_new_name(&name, "mx.example", 10, false);
    assert_false(maildir_name_says_crlf(buf_view(&name), 10));
    buf_release(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_by_their_shape),
        cmocka_unit_test(what_is_made_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
