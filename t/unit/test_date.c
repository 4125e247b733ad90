/* SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <time.h>

#include "mail/date.h"
#include "unit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void dates_are_written(void **state)
{
    static const struct {
        int64_t time;
        int zone;
        const char *header, *imap, *brief;
    } t[] = {
        { 0, 0, "Thu, 1 Jan 1970 00:00:00 +0000",
          " 1-Jan-1970 00:00:00 +0000", "Thu Jan  1 00:00:00" },
        { 837596665, -420, "Wed, 17 Jul 1996 02:44:25 -0700",
          "17-Jul-1996 02:44:25 -0700", "Wed Jul 17 02:44:25" },
        { 951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000",
          "29-Feb-2000 00:00:00 +0000", "Tue Feb 29 00:00:00" },
        { 1795376941, 60, "Sun, 22 Nov 2026 20:49:01 +0100",
          "22-Nov-2026 20:49:01 +0100", "Sun Nov 22 20:49:01" },
        { -1, 0, "Wed, 31 Dec 1969 23:59:59 +0000",
          "31-Dec-1969 23:59:59 +0000", "Wed Dec 31 23:59:59" },
        { 4294967296, 330, "Sun, 7 Feb 2106 11:58:16 +0530",
          " 7-Feb-2106 11:58:16 +0530", "Sun Feb  7 11:58:16" },
        { INT64_MAX, 60, "Fri, 31 Dec 9999 23:59:59 +0100",
          "31-Dec-9999 23:59:59 +0100", "Fri Dec 31 23:59:59" },
        { INT64_MIN, -60, "Mon, 1 Jan 0001 00:00:00 -0100",
          " 1-Jan-0001 00:00:00 -0100", "Mon Jan  1 00:00:00" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct date d = { t[i].time, t[i].zone };
        struct buf b = BUF_INIT;

        date_format(&b, d);
        assert_buf(&b, t[i].header);
        buf_reset(&b);
        date_format_imap(&b, d);
        assert_buf(&b, t[i].imap);
        buf_reset(&b);
        date_format_short(&b, d);
        assert_buf(&b, t[i].brief);
        buf_release(&b);
    }
}

/* Every day of 1600 to 2399, against the C library. */
static void the_calendar_is_the_c_librarys(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (int64_t day = -135140; day < 157000; day++) {
        time_t time = day * 86400 + day % 86400;
        struct date d = { time, 0 }, back;
        char want[64];
        struct tm tm;

        gmtime_r(&time, &tm);
        strftime(want, sizeof want, "%a, %-d %b %Y %H:%M:%S +0000", &tm);
        buf_reset(&b);
        date_format(&b, d);
        assert_buf(&b, want);
        assert_int_equal(date_parse(buf_view(&b), &back), 0);
        assert_int_equal(back.time, time);
    }
    buf_release(&b);
}

static void header_dates_are_read_leniently(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
        int zone;
    } t[] = {
        /* RFC 5322 appendix A */
        { "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
        { "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120 },
        { "Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland "
          "Time)", -27723480, -210 },
        { "21 Nov 97 09:55:06 GMT", 880106106, 0 },
        { "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360 },
        /* zones */
        { "Fri, 21 Nov 1997 09:55:06 EST", 880124106, -300 },
        { "Fri, 21 Nov 1997 09:55:06 pdt", 880131306, -420 },
        { "Fri, 21 Nov 1997 09:55:06 Z", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 A", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 UT", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 Mars/Olympus", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 +0160", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 +12345", 880106106, 0 },
        { "Fri, 21 Nov 1997 09:55:06 (a (b\\) c) d) +0100", 880102506, 60 },
        /* years */
        { "1 Jan 00 0:0:0 +0000", 946684800, 0 },
        { "1 Jan 49 00:00 +0000", 2493072000, 0 },
        { "1 Jan 50 00:00 +0000", -631152000, 0 },
        { "1 Jan 103 00:00 +0000", 1041379200, 0 },
        /* seen in the wild */
        { "fri , 21 nov 1997 9:55:06 -0600", 880127706, -360 },
        { "Friday, 21 November 1997 09:55:06 -0600", 880127706, -360 },
        { "Mon, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
        { "Fri Nov 21 09:55:06 1997", 880106106, 0 },
        { "Fri Nov 21 09:55:06 EST 1997", 880106106, 0 },
        { "Nov 21 09:55:06 1997 -0600", 880127706, -360 },
        { "21-Nov-1997 09.55.06 -0600", 880127706, -360 },
        { "Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 0 },
        { "(c) Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct date d;

        if (date_parse(view_of(t[i].text), &d) < 0)
            fail_msg("refused: %s", t[i].text);
        if (d.time != t[i].time || d.zone != t[i].zone)
            fail_msg("%s: %lld %d", t[i].text, (long long)d.time, d.zone);
    }
}

static void header_dates_that_are_none(void **state)
{
    static const struct view t[] = {
        VIEW(""),
        VIEW("now"),
        VIEW("Fri,"),
        VIEW("Fri, 21"),
        VIEW("Fri, 21 Nov"),
        VIEW("Fri, 21 Nov 1997"),
        VIEW("Fri, 21 Foo 1997 09:55:06"),
        VIEW("32 Nov 1997 09:55:06"),
        VIEW("31 Nov 1997 09:55:06"),
        VIEW("29 Feb 1900 00:00:00"),
        VIEW("0 Nov 1997 09:55:06"),
        VIEW("21 Nov 1997 24:00:00"),
        VIEW("21 Nov 1997 23:60:00"),
        VIEW("21 Nov 1997 23:00:61"),
        VIEW("21 Nov 19970 09:55:06"),
        VIEW("21 Nov 7 09:55:06"),
        VIEW("21 Nov 0000 09:55:06"),
        VIEW("999999999999999999999 Nov 1997 09:55:06"),
        VIEW("21 Nov 1997 :55:06"),
        VIEW("21\0Nov 1997 09:55:06"),
        VIEW("(unclosed 21 Nov 1997 09:55:06"),
        VIEW("(\\"),
        VIEW("-21 Nov 1997 09:55:06"),
    };
    struct date d = { 42, 7 };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        if (date_parse(t[i], &d) == 0)
            fail_msg("accepted: %.*s", VIEW_ARG(t[i]));
    assert_int_equal(d.time, 42);
    assert_int_equal(d.zone, 7);
}

static void imap_dates_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int64_t time;
    } t[] = {
        { "17-Jul-1996 02:44:25 -0700", 0, 837596665 },
        { " 7-jul-1996 02:44:25 +0000", 0, 836707465 },
        { "07-Jul-1996 02:44:25 +0000", 0, 836707465 },
        { "7-Jul-1996 02:44:25 +0000", -1, 0 },
        { " 17-Jul-1996 02:44:25 +0000", -1, 0 },
        { "17-Jul-96 02:44:25 +0000", -1, 0 },
        { "17-July-1996 02:44:25 +0000", -1, 0 },
        { "17-Jul-1996 2:44:25 +0000", -1, 0 },
        { "17-Jul-1996 02:44:25", -1, 0 },
        { "17-Jul-1996 02:44:25 GMT", -1, 0 },
        { "17-Jul-1996 02:44:25 +000", -1, 0 },
        { "17-Jul-1996 02:44:25 +00000", -1, 0 },
        { "17-Jul-1996 02:44:25 +0099", -1, 0 },
        { "17-Jul-1996 02:44:25 +0000 ", -1, 0 },
        { "17-Jul-1996  02:44:25 +0000", -1, 0 },
        { "31-Feb-1996 02:44:25 +0000", -1, 0 },
        { "17-Jul-1996 25:44:25 +0000", -1, 0 },
        { "", -1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct date d = { 0, 0 };

        if (date_parse_imap(view_of(t[i].text), &d) != t[i].rc)
            fail_msg("wrong about: %s", t[i].text);
        assert_int_equal(d.time, t[i].time);
    }
}

static void imap_days_are_numbered(void **state)
{
    static const struct {
        const char *text;
        int64_t day; /* INT64_MIN: refused */
    } t[] = {
        { "1-Jan-1970", 0 },
        { "01-Jan-1970", 0 },
        { "31-Dec-1969", -1 },
        { "1-Feb-1994", 8797 },
        { "29-Feb-2000", 11016 },
        { "29-Feb-2001", INT64_MIN },
        { " 1-Feb-1994", INT64_MIN },
        { "1-Feb-94", INT64_MIN },
        { "001-Feb-1994", INT64_MIN },
        { "1-Feb-1994 ", INT64_MIN },
        { "1 Feb 1994", INT64_MIN },
        { "\"1-Feb-1994\"", INT64_MIN },
    };
    struct date evening = { 82800, 120 }; /* 23:00 UTC is 01:00 there */

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        int64_t day = INT64_MIN;

        date_parse_imap_day(view_of(t[i].text), &day);
        assert_int_equal(day, t[i].day);
    }
    assert_int_equal(date_day(evening), 1);
}

static void local_dates_have_the_zone_of_their_time(void **state)
{
    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_int_equal(date_local(1768471200).zone, 60);  /* January 2026 */
    assert_int_equal(date_local(1784109600).zone, 120); /* July 2026 */
    assert_int_equal(date_local(1784109600).time, 1784109600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written),
        cmocka_unit_test(the_calendar_is_the_c_librarys),
        cmocka_unit_test(header_dates_are_read_leniently),
        cmocka_unit_test(header_dates_that_are_none),
        cmocka_unit_test(imap_dates_are_read_strictly),
        cmocka_unit_test(imap_days_are_numbered),
        cmocka_unit_test(local_dates_have_the_zone_of_their_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
