/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/view.h"

#include "base/ascii.h"

struct view view_of(const char *text)
{
    return (struct view){ text, text ? strlen(text) : 0 };
}

bool view_eq(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_folded(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

bool view_eq_nocase(struct view a, struct view b)
{
    return a.len == b.len && same_folded(a.data, b.data, a.len);
}

bool view_is(struct view v, const char *text)
{
    return view_eq(v, view_of(text));
}

bool view_is_nocase(struct view v, const char *text)
{
    return view_eq_nocase(v, view_of(text));
}

int view_cmp(struct view a, struct view b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool view_starts(struct view v, const char *text)
{
    size_t len = strlen(text);

    return v.len >= len && (len == 0 || memcmp(v.data, text, len) == 0);
}

bool view_starts_nocase(struct view v, const char *text)
{
    size_t len = strlen(text);

    return v.len >= len && same_folded(v.data, text, len);
}

bool view_ends(struct view v, const char *text)
{
    size_t len = strlen(text);

    return v.len >= len &&
           (len == 0 || memcmp(v.data + v.len - len, text, len) == 0);
}

size_t view_index(struct view v, char c)
{
    const char *at = v.len ? memchr(v.data, c, v.len) : NULL;

    return at ? (size_t)(at - v.data) : v.len;
}

size_t view_rindex(struct view v, char c)
{
    const char *at = v.len ? memrchr(v.data, c, v.len) : NULL;

    return at ? (size_t)(at - v.data) : v.len;
}

struct view view_sub(struct view v, size_t from, size_t to)
{
    if (to > v.len)
        to = v.len;
    if (from > to)
        from = to;
    return (struct view){ v.data ? v.data + from : NULL, to - from };
}

struct view view_trim(struct view v)
{
    while (v.len > 0 && ascii_is_space(v.data[0]))
        v = view_sub(v, 1, v.len);
    while (v.len > 0 && ascii_is_space(v.data[v.len - 1]))
        v.len--;
    return v;
}

bool view_cut(struct view *rest, char sep, struct view *part)
{
    size_t at;

    if (rest->data == NULL) {
        *part = (struct view){ NULL, 0 };
        return false;
    }
    at = view_index(*rest, sep);
    *part = view_sub(*rest, 0, at);
    if (at == rest->len)
        *rest = (struct view){ NULL, 0 };
    else
        *rest = view_sub(*rest, at + 1, rest->len);
    return true;
}

bool view_word(struct view *rest, const char *seps, struct view *word)
{
    size_t from = 0, to;

    while (from < rest->len && strchr(seps, rest->data[from]) != NULL &&
           rest->data[from] != '\0')
        from++;
    to = from;
    while (to < rest->len &&
           (rest->data[to] == '\0' || strchr(seps, rest->data[to]) == NULL))
        to++;
    *word = view_sub(*rest, from, to);
    *rest = view_sub(*rest, to, rest->len);
    return word->len > 0;
}

bool view_number(struct view v, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (v.len == 0)
        return false;
    for (size_t i = 0; i < v.len; i++) {
        unsigned digit = (unsigned)(v.data[i] - '0');

        if (digit > 9 || n > (max - digit) / 10 || digit > max)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

bool view_copy(struct view v, char *out, size_t size)
{
    if (v.len >= size || (v.len > 0 && memchr(v.data, '\0', v.len) != NULL))
        return false;
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    out[v.len] = '\0';
    return true;
}
