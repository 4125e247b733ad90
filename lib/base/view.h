/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - a pointer and a length: text that somebody else owns.
 *
 * Everything that comes from outside is parsed through views, never as C
 * strings, and never edited in place. Taking from the front moves the view;
 * the bytes stay. A view is passed by value and owns nothing; it is valid as
 * long as what it points into. No function here allocates or blocks.
 */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const char *data; /* may be NULL when len is 0; no final NUL */
    size_t len;
};

/* For printf: printf("%.*s", VIEW_ARG(v)). */
#define VIEW_ARG(v) (int)(v).len, ((v).data ? (v).data : "")

/* A view of a string literal, usable in initialisers. */
#define VIEW(literal) ((struct view){ (literal), sizeof(literal) - 1 })

/* The C string `text` without its NUL; NULL gives an empty view. */
struct view view_of(const char *text);

/* Same bytes; same bytes but for ASCII case; the same against a C string. */
bool view_eq(struct view a, struct view b);
bool view_eq_nocase(struct view a, struct view b);
bool view_is(struct view v, const char *text);
bool view_is_nocase(struct view v, const char *text);

/* Order by bytes, as memcmp does, shorter first: <0, 0, >0. */
int view_cmp(struct view a, struct view b);

/* Does `v` begin (end) with `text`? The _nocase form folds ASCII only. */
bool view_starts(struct view v, const char *text);
bool view_starts_nocase(struct view v, const char *text);
bool view_ends(struct view v, const char *text);

/* Where `c` first (last) stands in `v`, or v.len when it does not. */
size_t view_index(struct view v, char c);
size_t view_rindex(struct view v, char c);

/* Bytes `from` up to and without `to`; both are cut to the view's length. */
struct view view_sub(struct view v, size_t from, size_t to);

/* Without white space (space, tab, CR, LF) at both ends. */
struct view view_trim(struct view v);

/* Take the text up to `sep` off the front of `*rest`, which moves behind the
 * separator. False, and an empty `*part`, when `*rest` was used up. A text
 * without `sep` is one part; "a:" is the parts "a" and "". */
bool view_cut(struct view *rest, char sep, struct view *part);

/* Take the next word off `*rest`: a run of bytes not in `seps`, after any
 * that are. False when there is none left. */
bool view_word(struct view *rest, const char *seps, struct view *word);

/* The whole of `v` as a decimal number of at most `max`: digits only, no
 * sign, no space. False (and *out untouched) for anything else. */
bool view_number(struct view v, uint64_t max, uint64_t *out);

/* Copy into `out` of `size` bytes with a NUL; false when it does not fit or
 * holds a NUL itself. */
bool view_copy(struct view v, char *out, size_t size);

#endif
