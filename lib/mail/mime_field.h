/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime_field.h - what a part's header says about it, for mime.c. Not for
 * others.
 */
#ifndef MAIL_MIME_FIELD_H
#define MAIL_MIME_FIELD_H

#include "mail/mime.h"

/* Set what the fields of `header` say of the part `p` of `m`: its type (by
 * default `type`/`subtype`), encoding, and the rest; with `message` also the
 * envelope. */
void mime_field_apply(struct mime *m, struct mime_part *p, struct view header,
                      const char *type, const char *subtype, bool message,
                      unsigned params_max);

#endif
