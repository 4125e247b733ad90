/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - text as a JSON string (RFC 8259 section 7), for what commands print.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* Append `v` in quotes. What is not UTF-8 becomes U+FFFD. */
void json_add_text(struct buf *out, struct view v);

#endif
