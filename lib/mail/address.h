/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.h - the one parser of mail addresses (RFC 5321 §4.1.2, RFC 6531).
 *
 * Every program that reads an address from outside, be it in a command, a
 * table or a command line, reads it here, so that all of them see the same
 * user at the same domain.
 *
 * Canonical form: the local part without quotes and backslashes, its case
 * kept; the domain with ASCII letters in lower case; source routes dropped.
 * Quotes come back when address_format() finds that the local part needs
 * them, so "joe"@X.ORG and joe@x.org are one address.
 *
 * Refused in any form: NUL, CR, LF and all other controls, empty local parts,
 * text that is not UTF-8, and characters that only turn or hide text (bidi
 * controls, C1). Text outside ASCII is refused without ADDRESS_SMTPUTF8.
 *
 * Life:      a struct address is a plain value; it owns nothing.
 * Errors:    0, or -1 with *err set (always FAIL_PERM) and out->fault telling
 *            which reply fits. The sentence never repeats the client's text.
 * Blocking:  never. Time is linear in the length read.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

/* Limits in bytes (RFC 5321 §4.5.3.1). The long local part is for the
 * senders that VERP and SRS make. */
#define ADDRESS_LOCAL_MAX      64
#define ADDRESS_LOCAL_LONG_MAX 255
#define ADDRESS_DOMAIN_MAX     255
#define ADDRESS_LABEL_MAX      63
#define ADDRESS_PATH_MAX       1000 /* as written, with route and quotes */

enum address_flag {
    ADDRESS_SMTPUTF8 = 1 << 0,   /* UTF-8 is welcome (RFC 6531) */
    ADDRESS_NULL = 1 << 1,       /* so is the null path "<>" */
    ADDRESS_LONG = 1 << 2,       /* local parts up to ADDRESS_LOCAL_LONG_MAX */
    ADDRESS_LOCAL_ONLY = 1 << 3, /* any user without a domain, not only
                                  * postmaster (command lines, aliases) */
    ADDRESS_LENIENT = 1 << 4,    /* a path without angle brackets, and dots
                                  * anywhere in the local part */
};

/* Why an address was refused, as the reply that fits. */
enum address_fault {
    ADDRESS_OK,
    ADDRESS_SYNTAX,    /* 501 5.1.3 (recipient) or 5.1.7 (sender) */
    ADDRESS_TOO_LONG,  /* 501, the same codes */
    ADDRESS_NOT_ASCII, /* 553 5.6.7: SMTPUTF8 was not asked for */
};

struct address {
    char local[ADDRESS_LOCAL_LONG_MAX + 1]; /* unquoted, with a NUL */
    char domain[ADDRESS_DOMAIN_MAX + 1];    /* "" if none, with a NUL */
    size_t local_len, domain_len;
    bool null;    /* the null path: no local part and no domain */
    bool literal; /* the domain is [1.2.3.4] or [IPv6:2001:db8::1] */
    bool utf8;    /* something in it is not ASCII */
    enum address_fault fault;
};

/* Take a path ("<user@example.org>", RFC 5321 §4.1.2) off the front of
 * `*line`, which is what follows "FROM:" or "TO:". Blanks in front of it are
 * skipped; a source route is checked and dropped. `*line` moves to what is
 * behind the path: nothing, or the blank before the parameters (esmtp.h). On
 * error `*line` stays. `flags` are of enum address_flag. */
int address_parse_path(struct view *line, unsigned flags, struct address *out,
                       struct error *err);

/* Parse all of `text` as "user@example.org", as tables and command lines
 * have it. "" is the null address where ADDRESS_NULL allows it. */
int address_parse(struct view text, unsigned flags, struct address *out,
                  struct error *err);

/* Append the address, quoted as needed, without angle brackets; nothing for
 * the null address. What it writes is parsed back to the same address. */
void address_format(struct buf *out, const struct address *a);

/* Append `local` as it is written in an address: in quotes if it needs them. */
void address_format_local(struct buf *out, struct view local);

/* The parts as views, valid as long as `a` stays. */
struct view address_local(const struct address *a);
struct view address_domain(const struct address *a);

/* Are these the same address? The local part counts by its bytes. */
bool address_eq(const struct address *a, const struct address *b);

/* Split a local part at the first character of `delimiters` (the parameter
 * recipient_delimiter): "joe+lists" is "joe" and "lists". False, with all of
 * it in `*user`, if there is nothing to split: no delimiter, none before it,
 * one of postmaster, mailer-daemon and double-bounce, or, with "-" among the
 * delimiters, a list's owner-x and x-request. Views are into `local`. */
bool address_split(struct view local, const char *delimiters,
                   struct view *user, struct view *extension);

/* Is `domain` a host or domain name: labels of letters, digits and inner
 * hyphens (and UTF-8 with ADDRESS_SMTPUTF8), within the limits, no final dot?
 * Address literals are not. */
bool address_is_domain(struct view domain, unsigned flags);

#endif
