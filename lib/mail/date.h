/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * date.h - dates as mail writes them: RFC 5322 §3.3 and §4.3, IMAP's
 * (RFC 3501 §9), and the short form of mailq.
 *
 * Units:     time in seconds since 1970-01-01 00:00 UTC, zones in minutes
 *            east of UTC, days in days since 1970-01-01.
 * Range:     years 1 to 9999 are parsed and formatted; a time outside is
 *            formatted as the nearest one inside.
 * Errors:    parsers return 0, or -1 for text that is no such date and leave
 *            *out alone. No sentence: the caller knows what it parsed.
 * Blocking:  never; date_local() needs the zone file to have been read
 *            (tzset) before the jail.
 */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/view.h"

struct date {
    int64_t time;
    int zone;
};

/* `time` with the zone that this host had then. */
struct date date_local(int64_t time);

/* Append "Sun, 22 Nov 2026 20:49:01 +0100" (RFC 5322 §3.3). */
void date_format(struct buf *out, struct date d);

/* Parse a Date field's value leniently (RFC 5322 §4.3): the day's name may be
 * missing or wrong, comments and blanks may stand anywhere, seconds and zone
 * may be missing (UTC then), years may have two or three digits, zones may
 * have obsolete or unknown names, and asctime's order is taken too. */
int date_parse(struct view text, struct date *out);

/* Append "22-Nov-2026 20:49:01 +0100", IMAP's date-time without its quotes;
 * a day of one digit has a blank before it: always 26 bytes (RFC 3501 §9). */
void date_format_imap(struct buf *out, struct date d);

/* Parse IMAP's date-time without its quotes, strictly. */
int date_parse_imap(struct view text, struct date *out);

/* Parse IMAP's date, "1-Feb-1994" without quotes (SEARCH SINCE and the like)
 * as the number of its day. */
int date_parse_imap_day(struct view text, int64_t *day);

/* The number of the day that `d` falls on in its own zone (the zone is
 * disregarded, as SEARCH SENTON asks). */
int64_t date_day(struct date d);

/* Append "Sun Nov 22 20:49:01", local time of `d`, as mailq shows it. */
void date_format_short(struct buf *out, struct date d);

#endif
