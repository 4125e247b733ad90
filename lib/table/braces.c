/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/braces.h"

#include "base/ascii.h"

/* Where the brace that opens at 0 is closed; v.len when it is not. */
static size_t closing(struct view v)
{
    size_t depth = 0;

    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] == '{')
            depth++;
        else if (v.data[i] == '}' && --depth == 0)
            return i;
    }
    return v.len;
}

bool braces_take(struct view *rest, struct view *inside)
{
    size_t end;

    if (rest->len == 0 || rest->data[0] != '{')
        return false;
    end = closing(*rest);
    if (end == rest->len)
        return false;
    *inside = view_trim(view_sub(*rest, 1, end));
    *rest = view_sub(*rest, end + 1, rest->len);
    return true;
}

static bool is_separator(char c)
{
    return ascii_is_space(c) || c == ',';
}

bool braces_word(struct view *rest, struct view *word)
{
    size_t from = 0, to, depth = 0;

    while (from < rest->len && is_separator(rest->data[from]))
        from++;
    for (to = from; to < rest->len; to++) {
        char c = rest->data[to];

        if (c == '{')
            depth++;
        else if (c == '}' && depth > 0)
            depth--;
        else if (depth == 0 && is_separator(c))
            break;
    }
    *word = view_sub(*rest, from, to);
    *rest = view_sub(*rest, to, rest->len);
    return word->len > 0;
}
