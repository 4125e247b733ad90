/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aliases.h - the words of alias(5): "name: value, value".
 *
 * Used for the source of alias_database (postalias), for values from
 * alias_maps, and for .forward and :include: files, whose lines are values.
 * Everything is parsed; what a site lets happen with commands and files is
 * decided by whoever asks.
 *
 * A value is one of
 *
 *     user@domain, user      an address; "quoted local part"@domain;
 *                            Name <user@domain>; (comments) are dropped
 *     "|command with words"  a command, also without quotes up to a comma
 *     /file/name             a file
 *     :include:/file/name    a file with more values
 *
 * Blocking: nothing does.
 */
#ifndef TABLE_ALIASES_H
#define TABLE_ALIASES_H

#include "base/buf.h"
#include "base/error.h"

enum alias_kind { ALIAS_ADDRESS, ALIAS_COMMAND, ALIAS_FILE, ALIAS_INCLUDE };

/* One value: an address in its canonical form (mail/address.h), quoted where
 * it must be, without a domain if it had none; else the command behind the |,
 * or the path. */
struct alias_value {
    enum alias_kind kind;
    struct view text; /* valid until the next call */
};

struct aliases {
    struct view rest;
    struct buf text;
};

/* Walk the values of a right-hand side, which must outlive the walk. */
void aliases_begin(struct aliases *a, struct view values);

/* The next value: 1; 0 when there is none left; -1 when it makes no sense
 * (FAIL_PERM): the walk may then go on behind it. Empty values are passed
 * over. */
int aliases_next(struct aliases *a, struct alias_value *value,
                 struct error *err);

/* Free what the walk used. */
void aliases_end(struct aliases *a);

/* Split a line "name: values": append the name, its quotes taken off, and
 * the values, parted by ", ", as they are stored in a table. */
int aliases_line(struct view line, struct buf *name, struct buf *values,
                 struct error *err);

#endif
