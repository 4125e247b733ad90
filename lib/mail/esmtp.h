/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * esmtp.h - the parameters of MAIL and RCPT (RFC 5321 §4.1.2) and xtext
 * (RFC 3461 §4).
 *
 * Ownership: views point into the line that was parsed.
 * Errors:    0, or -1 with *err set (always FAIL_PERM); a reply of 501 5.5.4
 *            fits all of them.
 * Blocking:  never. Time is linear in the length read.
 */
#ifndef MAIL_ESMTP_H
#define MAIL_ESMTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

#define ESMTP_PARAMS_MAX  20 /* parameters of one command */
#define ESMTP_KEYWORD_MAX 32 /* bytes */
#define ESMTP_VALUE_MAX   1000

struct esmtp_param {
    struct view keyword; /* as the client wrote it */
    struct view value;   /* behind the first "="; never empty if has_value */
    bool has_value;
};

struct esmtp_params {
    struct esmtp_param list[ESMTP_PARAMS_MAX];
    size_t count;
};

/* Split `rest`, what follows the path, into " KEYWORD" and " KEYWORD=value".
 * Refuses keywords that are given twice, whatever their case, values with
 * controls, and, unless `utf8`, values outside ASCII. */
int esmtp_parse(struct view rest, bool utf8, struct esmtp_params *out,
                struct error *err);

/* The parameter `keyword` (of any case), or NULL. */
const struct esmtp_param *esmtp_find(const struct esmtp_params *params,
                                     const char *keyword);

/* Append `text` as xtext: "+", "=", blanks, controls and bytes outside ASCII
 * become "+" and two upper-case hexadecimal digits. */
void esmtp_xtext_encode(struct buf *out, struct view text);

/* Append what the xtext `text` stands for. Refuses whatever is not xtext and,
 * since the text goes into reports, encoded controls; `out` then stays as it
 * was. The result may have bytes outside ASCII. */
int esmtp_xtext_decode(struct buf *out, struct view text, struct error *err);

#endif
