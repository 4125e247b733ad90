/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mechanism.h - lists of SASL mechanisms, as parameters give them: names with
 * blanks or commas between.
 *
 * A name that ends in -PLUS binds to TLS and is offered inside TLS only
 * (RFC 5802 §6).
 */
#ifndef SASL_MECHANISM_H
#define SASL_MECHANISM_H

#include "base/buf.h"

/* Is the mechanism `name` in the list, and usable with or without TLS? */
bool mechanism_is_offered(const char *list, struct view name, bool is_tls);

/* Append each usable name of the list with `before` and `after` around it. */
void mechanism_add(struct buf *out, const char *list, bool is_tls,
                   const char *before, const char *after);

#endif
