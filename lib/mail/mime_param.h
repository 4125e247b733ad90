/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime_param.h - the parameters of Content-Type and Content-Disposition for
 * mime.c (RFC 2045 §5.1, RFC 2231). Not for others.
 */
#ifndef MAIL_MIME_PARAM_H
#define MAIL_MIME_PARAM_H

#include "mail/mime.h"

/* Add the parameters in `rest`, what follows a field's first words, to
 * m->params. At most `limit` are read; *cut is set if there are more. Names
 * are unique: of two the first is taken. */
struct mime_params mime_param_parse(struct mime *m, struct view rest,
                                    unsigned limit, bool *cut);

#endif
