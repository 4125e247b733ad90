/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saslprep.h - passwords in one form, however they were typed (RFC 4013).
 */
#ifndef SASL_SASLPREP_H
#define SASL_SASLPREP_H

#include "base/buf.h"
#include "base/error.h"

/* Load the tables; before a jail, once. */
int saslprep_open(struct error *err);

/* Append the prepared form of UTF-8 text; -1 when it has characters that are
 * forbidden, or not known to Unicode 3.2. */
int saslprep(struct buf *out, struct view text, struct error *err);

#endif
