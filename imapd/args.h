/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.h - the parts of one command, taken from the front (RFC 3501 §9).
 *
 * A command is one text: its lines and, behind each "{n}" CRLF, the literal's
 * bytes. Every function takes one part off; at the first that is not there it
 * returns false and notes what is wrong, which becomes the client's BAD.
 *
 * Ownership: views point into the command or into `pool`, and live as long.
 * Errors:    false; `bad` says what was expected, in words without the
 *            client's text.
 * Blocking:  never. Time is linear in the command's length.
 */
#ifndef IMAPD_ARGS_H
#define IMAPD_ARGS_H

#include "base/buf.h"
#include "base/view.h"

struct imap_args {
    struct view rest;
    struct buf *pool; /* for what has to be unescaped */
    const char *bad;  /* NULL: all is well so far */
};

/* Read `command`. `pool` is borrowed and emptied; it gets room for all that
 * the command can need, so that views into it stay valid. */
void imap_args_init(struct imap_args *a, struct view command,
                    struct buf *pool);

/* Note what is wrong, unless something was before; false. */
bool imap_args_fail(struct imap_args *a, const char *why);

/* One blank; the command's end; this character. */
bool imap_args_space(struct imap_args *a);
bool imap_args_end(struct imap_args *a);
bool imap_args_char(struct imap_args *a, char c);

/* Is `c` next? Takes nothing and fails never. */
bool imap_args_next_is(const struct imap_args *a, char c);

/* Take `word` (of any case) if it is next, and not the beginning of a longer
 * atom. Fails never. */
bool imap_args_word(struct imap_args *a, const char *word);

/* What a command begins with; if that is none, *v is "*". */
bool imap_args_tag(struct imap_args *a, struct view *v);

/* An atom. */
bool imap_args_atom(struct imap_args *a, struct view *v);

/* A quoted string or literal; the same or an atom with "]" (astring); the same
 * with wildcards (list-mailbox). A literal has no NUL. */
bool imap_args_string(struct imap_args *a, struct view *v);
bool imap_args_astring(struct imap_args *a, struct view *v);
bool imap_args_pattern(struct imap_args *a, struct view *v);

/* A mailbox name: an astring; INBOX in any case becomes "INBOX". */
bool imap_args_mailbox(struct imap_args *a, struct view *v);

/* A flag: an atom, or a backslash and an atom. */
bool imap_args_flag(struct imap_args *a, struct view *v);

/* A number of at most `max`. */
bool imap_args_number(struct imap_args *a, uint64_t max, uint64_t *n);

/* May `c` be in an atom? */
bool imap_is_atom_char(char c);

/* Does `line` end in "{n}" or "{n+}" (RFC 7888), so that a literal of n bytes
 * follows? `sync`: the client waits for our word. */
bool imap_ends_in_literal(struct view line, uint64_t *size, bool *sync);

#endif
