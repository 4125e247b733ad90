/* SPDX-License-Identifier: BSD-2-Clause */
/* SEARCH in headers. */
#include "imapd/search.h"
#include "unit.h"

static void words_are_found_in_fields(void **state)
{
    static const struct {
        const char *header, *name, *needle;
        bool found;
    } rows[] = {
        { "Subject: a Word\r\n", "subject", "word", true },
        { "Subject: a Word\r\n", "From", "word", false },
        { "Subject: a Word\r\n", "", "subject: a", true },
        { "Subject: =?utf-8?q?a_b?=\r\n", "Subject", "a b", true },
        { "Subject:\r\n", "Subject", "", true },
        { "Subject:\r\n", "Subject", "x", false }, /* no text at all */
        { "", "", "x", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(search_header(view_of(rows[i].header),
                                       view_of(rows[i].name),
                                       view_of(rows[i].needle)),
                         rows[i].found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_in_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
