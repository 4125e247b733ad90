/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates: what is read can be written and read again. */
#include "mail/date.h"
#include "t/fuzz/fuzz.h"

static void check(struct date d)
{
    struct buf b = BUF_INIT;
    struct date again;
    int64_t day;

    date_format(&b, d);
    MUST(date_parse(buf_view(&b), &again) == 0);
    MUST(again.zone == d.zone);
    buf_reset(&b);
    date_format_imap(&b, d);
    MUST(b.len == 26);
    MUST(date_parse_imap(buf_view(&b), &again) == 0);
    MUST(date_parse_imap_day(view_trim(view_sub(buf_view(&b), 0, 11)), &day)
         == 0);
    MUST(day == date_day(d));
    date_format_short(&b, d);
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = { (const char *)data, len };
    struct date d;
    int64_t day;

    if (date_parse(text, &d) == 0)
        check(d);
    if (date_parse_imap(text, &d) == 0)
        check(d);
    date_parse_imap_day(text, &day);
    return 0;
}
