/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/date.h"

#include <time.h>

#include "base/ascii.h"
#include "mail/lex.h"

#define DAY      86400
#define MIN_TIME (-62135596800LL) /* 0001-01-01 00:00:00 */
#define MAX_TIME 253402300799LL   /* 9999-12-31 23:59:59 */
#define ZONE_MAX (99 * 60 + 59)   /* what four digits can say */

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed",
                                     "Thu", "Fri", "Sat" };

/* A moment as people write it. month is 1..12, weekday 0 for Sunday. */
struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday;
};

/* --- days and dates -------------------------------------------------------
 *
 * The Gregorian calendar repeats every 400 years, 146,097 days. Counting
 * years from March puts the leap day last, so that a month's first day is a
 * linear function of the month. */

#define ERA_DAYS     146097
#define ERA_TO_EPOCH 719468 /* days from 0000-03-01 to 1970-01-01 */

static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
                      day - 1;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
           of_year - ERA_TO_EPOCH;
}

static void date_of(int64_t days, struct civil *c)
{
    int64_t z = days + ERA_TO_EPOCH;
    int64_t era = (z >= 0 ? z : z - ERA_DAYS + 1) / ERA_DAYS;
    int64_t of_era = z - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
                    of_era / (ERA_DAYS - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    c->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    c->month = (int)(month < 10 ? month + 3 : month - 9);
    c->year = year + era * 400 + (c->month <= 2);
    c->weekday = (int)(((days % 7) + 7 + 4) % 7); /* day 0 was a Thursday */
}

static int64_t day_of_time(int64_t time)
{
    return (time >= 0 ? time : time - (DAY - 1)) / DAY;
}

static int64_t shown(struct date d)
{
    int64_t t = d.time < MIN_TIME ? MIN_TIME : d.time;

    t = (t > MAX_TIME ? MAX_TIME : t) + (int64_t)d.zone * 60;
    return t < MIN_TIME ? MIN_TIME : t > MAX_TIME ? MAX_TIME : t;
}

static struct civil civil_of(struct date d)
{
    int64_t t = shown(d);
    struct civil c;
    int left;

    date_of(day_of_time(t), &c);
    left = (int)(t - day_of_time(t) * DAY);
    c.hour = left / 3600;
    c.minute = left / 60 % 60;
    c.second = left % 60;
    return c;
}

static bool is_date(const struct civil *c)
{
    static const int lengths[12] = { 31, 29, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31 };
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

    if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12)
        return false;
    if (c->month == 2 && c->day == 29)
        return leap;
    return c->day >= 1 && c->day <= lengths[c->month - 1];
}

/* Second 60 is a leap second and counts as the next minute's first. */
static int to_date(const struct civil *c, int zone, struct date *out)
{
    if (!is_date(c) || c->hour > 23 || c->minute > 59 || c->second > 60)
        return -1;
    out->time = days_of(c->year, c->month, c->day) * DAY + c->hour * 3600 +
                c->minute * 60 + c->second - (int64_t)zone * 60;
    out->zone = zone;
    return 0;
}

int64_t date_day(struct date d)
{
    return day_of_time(shown(d));
}

struct date date_local(int64_t time)
{
    struct tm tm;
    time_t t = (time_t)time;

    if (localtime_r(&t, &tm) == NULL)
        return (struct date){ time, 0 };
    return (struct date){ time, (int)(tm.tm_gmtoff / 60) };
}

/* --- writing ----------------------------------------------------------- */

/* Append "+hhmm". */
static void add_zone(struct buf *out, int zone)
{
    int minutes = zone < 0 ? -zone : zone;

    if (minutes > ZONE_MAX)
        minutes = ZONE_MAX;
    buf_addf(out, "%c%02d%02d", zone < 0 ? '-' : '+', minutes / 60,
             minutes % 60);
}

void date_format(struct buf *out, struct date d)
{
    struct civil c = civil_of(d);

    buf_addf(out, "%s, %d %s %04d %02d:%02d:%02d ", weekdays[c.weekday], c.day,
             months[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
    add_zone(out, d.zone);
}

void date_format_imap(struct buf *out, struct date d)
{
    struct civil c = civil_of(d);

    buf_addf(out, "%2d-%s-%04d %02d:%02d:%02d ", c.day, months[c.month - 1],
             (int)c.year, c.hour, c.minute, c.second);
    add_zone(out, d.zone);
}

void date_format_short(struct buf *out, struct date d)
{
    struct civil c = civil_of(d);

    buf_addf(out, "%s %s %2d %02d:%02d:%02d", weekdays[c.weekday],
             months[c.month - 1], c.day, c.hour, c.minute, c.second);
}

/* --- reading ----------------------------------------------------------- */

/* 1..12 for a month's name of which three letters count, else 0. */
static int month_of(struct view word)
{
    for (int i = 0; i < 12; i++)
        if (view_starts_nocase(word, months[i]))
            return i + 1;
    return 0;
}

/* Take a number of `min` to `max` digits off the front; -1 if there is none
 * or it goes on. */
static int take_number(struct view *rest, size_t min, size_t max)
{
    size_t len = 0;
    int n = 0;

    while (len < rest->len && len <= max && ascii_is_digit(rest->data[len]))
        n = n * 10 + (rest->data[len++] - '0');
    if (len < min || len > max)
        return -1;
    *rest = view_sub(*rest, len, rest->len);
    return n;
}

static bool take_char(struct view *rest, const char *set)
{
    if (rest->len == 0 || rest->data[0] == '\0' ||
        strchr(set, rest->data[0]) == NULL)
        return false;
    *rest = view_sub(*rest, 1, rest->len);
    return true;
}

static void skip_blank(struct view *rest)
{
    lex_skip(rest, NULL);
}

/* Take a run of letters. */
static struct view take_name(struct view *rest)
{
    size_t len = 0;
    struct view name;

    while (len < rest->len && ascii_is_alpha(rest->data[len]))
        len++;
    name = view_sub(*rest, 0, len);
    *rest = view_sub(*rest, len, rest->len);
    return name;
}

static int parse_year(struct view *rest, struct civil *c)
{
    size_t before = rest->len;
    int year = take_number(rest, 2, 4);

    if (year < 0)
        return -1;
    if (before - rest->len == 2) /* RFC 5322 §4.3 */
        year += year < 50 ? 2000 : 1900;
    else if (before - rest->len == 3)
        year += 1900;
    c->year = year;
    return 0;
}

/* "20:49:01", "20:49", with blanks anywhere, or dots as some write it. */
static int parse_clock(struct view *rest, struct civil *c)
{
    c->hour = take_number(rest, 1, 2);
    skip_blank(rest);
    if (c->hour < 0 || !take_char(rest, ":."))
        return -1;
    skip_blank(rest);
    c->minute = take_number(rest, 1, 2);
    c->second = 0;
    skip_blank(rest);
    if (c->minute >= 0 && take_char(rest, ":.")) {
        skip_blank(rest);
        c->second = take_number(rest, 1, 2);
        skip_blank(rest);
    }
    return c->minute < 0 || c->second < 0 ? -1 : 0;
}

static int parse_sign(struct view *rest)
{
    if (take_char(rest, "+"))
        return 1;
    return take_char(rest, "-") ? -1 : 0;
}

/* A zone as a number or an obsolete name; whatever else stands there says no
 * more than "-0000" does (RFC 5322 §4.3). */
static int parse_zone(struct view *rest)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {
        { "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
        { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
    };
    int sign = parse_sign(rest), n;
    struct view name;

    if (sign != 0) {
        n = take_number(rest, 4, 4);
        return n < 0 || n % 100 > 59 ? 0 : sign * (n / 100 * 60 + n % 100);
    }
    name = take_name(rest);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (view_is_nocase(name, zones[i].name))
            return zones[i].hours * 60;
    return 0;
}

/* asctime's order, the weekday taken: "Nov 22 20:49:01 2026". */
static int parse_asctime(struct view *rest, struct civil *c)
{
    c->month = month_of(take_name(rest));
    skip_blank(rest);
    c->day = take_number(rest, 1, 2);
    skip_blank(rest);
    if (c->month == 0 || c->day < 0 || parse_clock(rest, c) < 0)
        return -1;
    if (parse_year(rest, c) == 0)
        return 0;
    take_name(rest); /* date(1) puts the zone in between */
    skip_blank(rest);
    return parse_year(rest, c);
}

static int parse_usual(struct view *rest, struct civil *c)
{
    c->day = take_number(rest, 1, 2);
    skip_blank(rest);
    take_char(rest, "-");
    c->month = month_of(take_name(rest));
    skip_blank(rest);
    take_char(rest, "-");
    if (c->day < 0 || c->month == 0 || parse_year(rest, c) < 0)
        return -1;
    skip_blank(rest);
    return parse_clock(rest, c);
}

int date_parse(struct view text, struct date *out)
{
    struct view rest = text, before;
    struct civil c = { 0 };
    int rc;

    skip_blank(&rest);
    before = rest;
    if (month_of(take_name(&rest)) != 0)
        rest = before;
    skip_blank(&rest);
    take_char(&rest, ",");
    skip_blank(&rest);
    rc = rest.len > 0 && ascii_is_alpha(rest.data[0])
             ? parse_asctime(&rest, &c)
             : parse_usual(&rest, &c);
    if (rc < 0)
        return -1;
    skip_blank(&rest);
    return to_date(&c, parse_zone(&rest), out);
}

/* "22-Nov-2026" with a day of `min` to `max` digits. */
static int parse_imap_day(struct view *rest, size_t min, size_t max,
                          struct civil *c)
{
    struct view name;

    c->day = take_number(rest, min, max);
    if (c->day < 0 || !take_char(rest, "-"))
        return -1;
    name = take_name(rest);
    c->month = name.len == 3 ? month_of(name) : 0;
    if (c->month == 0 || !take_char(rest, "-"))
        return -1;
    c->year = take_number(rest, 4, 4);
    return is_date(c) ? 0 : -1;
}

int date_parse_imap_day(struct view text, int64_t *day)
{
    struct civil c = { 0 };

    if (parse_imap_day(&text, 1, 2, &c) < 0 || text.len > 0)
        return -1;
    *day = days_of(c.year, c.month, c.day);
    return 0;
}

int date_parse_imap(struct view text, struct date *out)
{
    struct civil c = { 0 };
    /* date-day-fixed: one digit has a blank in front of it. */
    size_t digits = take_char(&text, " ") ? 1 : 2;
    int sign, zone;

    if (parse_imap_day(&text, digits, digits, &c) < 0 ||
        !take_char(&text, " "))
        return -1;
    c.hour = take_number(&text, 2, 2);
    if (c.hour < 0 || !take_char(&text, ":"))
        return -1;
    c.minute = take_number(&text, 2, 2);
    if (c.minute < 0 || !take_char(&text, ":"))
        return -1;
    c.second = take_number(&text, 2, 2);
    if (c.second < 0 || !take_char(&text, " "))
        return -1;
    sign = parse_sign(&text);
    zone = take_number(&text, 4, 4);
    if (sign == 0 || zone < 0 || zone % 100 > 59 || text.len > 0)
        return -1;
    return to_date(&c, sign * (zone / 100 * 60 + zone % 100), out);
}
