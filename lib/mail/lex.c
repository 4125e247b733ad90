/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/lex.h"

#include "base/ascii.h"

/* Add a character of a comment or quoted string; those that cannot be shown
 * or sent in one line are dropped. */
static void add(struct buf *out, char c)
{
    if (out != NULL && c != '\0' && c != '\r' && c != '\n')
        buf_add_char(out, c);
}

static void trim_end(struct buf *b)
{
    while (b->len > 0 && ascii_is_space(b->data[b->len - 1]))
        buf_cut(b, b->len - 1);
}

/* A comment, at its "(". An inner one is part of the text. */
static void skip_comment(struct view *rest, struct buf *comment)
{
    size_t depth = 1, i = 1;

    if (comment != NULL)
        buf_reset(comment);
    for (; i < rest->len; i++) {
        char c = rest->data[i];

        if (c == ')' && --depth == 0)
            break;
        if (c == '(')
            depth++;
        if (c == '\\' && i + 1 < rest->len)
            c = rest->data[++i];
        if (comment == NULL || comment->len > 0 || !ascii_is_space(c))
            add(comment, c);
    }
    if (comment != NULL)
        trim_end(comment);
    *rest = view_sub(*rest, i + 1, rest->len);
}

void lex_skip(struct view *rest, struct buf *comment)
{
    while (rest->len > 0) {
        if (rest->data[0] == '(')
            skip_comment(rest, comment);
        else if (ascii_is_space(rest->data[0]))
            *rest = view_sub(*rest, 1, rest->len);
        else
            break;
    }
}

bool lex_char(struct view *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = view_sub(*rest, 1, rest->len);
    return true;
}

struct view lex_run(struct view *rest, const char *specials)
{
    struct view run;
    size_t i = 0;

    while (i < rest->len && rest->data[i] != ' ' &&
           !ascii_is_control(rest->data[i]) &&
           strchr(specials, rest->data[i]) == NULL)
        i++;
    run = view_sub(*rest, 0, i);
    *rest = view_sub(*rest, i, rest->len);
    return run;
}

struct view lex_token(struct view *rest)
{
    return lex_run(rest, "()<>@,;:\\\"/[]?=");
}

void lex_quoted(struct view *rest, struct buf *out)
{
    size_t i = 0;

    for (; i < rest->len && rest->data[i] != '"'; i++) {
        if (rest->data[i] == '\\' && i + 1 < rest->len)
            i++;
        add(out, rest->data[i]);
    }
    *rest = view_sub(*rest, i + 1, rest->len);
}
