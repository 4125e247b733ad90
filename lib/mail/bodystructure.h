/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bodystructure.h - a parsed message as IMAP shows it: ENVELOPE, BODY and
 * BODYSTRUCTURE (RFC 3501 §7.4.2), and its sections (§6.4.5).
 *
 * Sizes are those the client sees: with each line end counted as CRLF. A part
 * that was not looked into is shown as application/octet-stream.
 *
 * Errors:    none; any tree of mime.h has a well-formed structure.
 * Blocking:  never. Time is linear in the output.
 */
#ifndef MAIL_BODYSTRUCTURE_H
#define MAIL_BODYSTRUCTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/view.h"
#include "mail/mime.h"

/* Append the BODYSTRUCTURE of the message, or, without `extended`, its BODY:
 * the parenthesised list alone. */
void bodystructure_format(struct buf *out, const struct mime *m,
                          bool extended);

/* Append the ENVELOPE of the part `p`, which must have one (envelope >= 0: the
 * message itself, or one inside a message/rfc822). False if a list of more
 * than MAILBOX_LIST_MAX addresses was cut. */
bool bodystructure_envelope(struct buf *out, const struct mime *m,
                            const struct mime_part *p);

/* A piece of the message as it is stored. */
struct bodystructure_range {
    uint64_t offset, len;
    uint64_t bare; /* line ends without CR: add to len for the client's size */
};

enum bodystructure_section {
    SECTION_MALFORMED, /* no section of RFC 3501 at all */
    SECTION_MISSING,   /* the message has no such part */
    SECTION_BYTES,     /* the range is what is asked for */
    SECTION_FIELDS,    /* HEADER.FIELDS or .NOT: the range is the header that
                        * the fields are to be picked from */
};

/* Find what is between "BODY[" and "]", without a list of fields: "" (all),
 * "TEXT", "1.2", "1.2.HEADER", "1.MIME", "HEADER.FIELDS.NOT" ... */
enum bodystructure_section
bodystructure_find(const struct mime *m, struct view section,
                   struct bodystructure_range *range);

#endif
