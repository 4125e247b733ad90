/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fold.h - keys without regard to case.
 *
 * ASCII is folded byte by byte. Text beyond it is folded by Unicode's full
 * case folding if it is UTF-8, as Postfix does it for SMTPUTF8 (RFC 6531), so
 * that its .db files keep working; other bytes stay as they are.
 */
#ifndef TABLE_FOLD_H
#define TABLE_FOLD_H

#include "base/buf.h"

/* Append `key` folded to `out`; with `bytes` only ASCII letters are. */
void fold_key(struct view key, bool bytes, struct buf *out);

#endif
