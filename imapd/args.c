/* SPDX-License-Identifier: BSD-2-Clause */
#include "imapd/args.h"

#include "base/ascii.h"

void imap_args_init(struct imap_args *a, struct view command,
                    struct buf *pool)
{
    buf_reset(pool);
    buf_room(pool, command.len + 1);
    *a = (struct imap_args){ command, pool, NULL };
}

bool imap_args_fail(struct imap_args *a, const char *why)
{
    if (a->bad == NULL)
        a->bad = why;
    return false;
}

static void skip(struct imap_args *a, size_t n)
{
    a->rest = view_sub(a->rest, n, a->rest.len);
}

static struct view take(struct imap_args *a, size_t n)
{
    struct view v = view_sub(a->rest, 0, n);

    skip(a, n);
    return v;
}

bool imap_args_next_is(const struct imap_args *a, char c)
{
    return a->rest.len > 0 && a->rest.data[0] == c;
}

bool imap_args_char(struct imap_args *a, char c)
{
    if (!imap_args_next_is(a, c))
        return imap_args_fail(a, c == '(' ? "A parenthesis is missing."
                                          : "A closing character is missing.");
    skip(a, 1);
    return true;
}

bool imap_args_space(struct imap_args *a)
{
    if (!imap_args_next_is(a, ' '))
        return imap_args_fail(a, a->rest.len == 0
                                     ? "An argument is missing."
                                     : "A blank is missing.");
    skip(a, 1);
    return true;
}

bool imap_args_end(struct imap_args *a)
{
    if (a->rest.len > 0)
        return imap_args_fail(a, "Too many arguments.");
    return a->bad == NULL;
}

/* --- atoms ------------------------------------------------------------- */

bool imap_is_atom_char(char c)
{
    return ascii_is_visible(c) && strchr("(){%*\"\\]", c) == NULL;
}

static bool is_astring_char(char c)
{
    return imap_is_atom_char(c) || c == ']';
}

/* "+" would make a tag look like our prompts. */
static bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

static bool is_pattern_char(char c)
{
    return is_astring_char(c) || c == '%' || c == '*';
}

static bool take_run(struct imap_args *a, bool (*is)(char), const char *why,
                     struct view *v)
{
    size_t n = 0;

    while (n < a->rest.len && is(a->rest.data[n]))
        n++;
    if (n == 0)
        return imap_args_fail(a, why);
    *v = take(a, n);
    return true;
}

bool imap_args_tag(struct imap_args *a, struct view *v)
{
    static const char why[] = "A command begins with a tag.";

    if (take_run(a, is_tag_char, why, v) &&
        (a->rest.len == 0 || imap_args_next_is(a, ' ')))
        return true;
    *v = VIEW("*");
    return imap_args_fail(a, why);
}

bool imap_args_atom(struct imap_args *a, struct view *v)
{
    return take_run(a, imap_is_atom_char, "An atom is missing.", v);
}

bool imap_args_word(struct imap_args *a, const char *word)
{
    size_t n = strlen(word);

    if (!view_starts_nocase(a->rest, word) ||
        (a->rest.len > n && imap_is_atom_char(a->rest.data[n])))
        return false;
    skip(a, n);
    return true;
}

bool imap_args_number(struct imap_args *a, uint64_t max, uint64_t *n)
{
    size_t len = 0;

    while (len < a->rest.len && ascii_is_digit(a->rest.data[len]))
        len++;
    if (!view_number(view_sub(a->rest, 0, len), max, n))
        return imap_args_fail(a, len == 0 ? "A number is missing."
                                          : "A number is too large.");
    skip(a, len);
    return true;
}

bool imap_args_flag(struct imap_args *a, struct view *v)
{
    struct view start = a->rest;

    if (imap_args_next_is(a, '\\'))
        skip(a, 1);
    if (!imap_args_atom(a, v))
        return false;
    *v = view_sub(start, 0, start.len - a->rest.len);
    return true;
}

/* --- strings ----------------------------------------------------------- */

bool imap_ends_in_literal(struct view line, uint64_t *size, bool *sync)
{
    size_t open = view_rindex(line, '{');
    struct view number = view_sub(line, open + 1, line.len - 1);

    if (!view_ends(line, "}") || open == line.len)
        return false;
    *sync = !view_ends(number, "+");
    if (!*sync)
        number.len--;
    return view_number(number, UINT64_MAX / 2, size);
}

static bool take_literal(struct imap_args *a, struct view *v)
{
    size_t eol = view_index(a->rest, '\n');
    struct view head = view_sub(a->rest, 0, eol);
    uint64_t size;
    bool sync;

    if (view_ends(head, "\r"))
        head.len--;
    if (eol == a->rest.len || view_rindex(head, '{') != 0 ||
        !imap_ends_in_literal(head, &size, &sync) ||
        size > a->rest.len - eol - 1)
        return imap_args_fail(a, "A literal is malformed.");
    skip(a, eol + 1);
    *v = take(a, (size_t)size);
    if (memchr(v->data, '\0', v->len) != NULL)
        return imap_args_fail(a, "A literal has a NUL byte.");
    return true;
}

static bool take_quoted(struct imap_args *a, struct view *v)
{
    size_t start = a->pool->len, i;

    for (i = 1; i < a->rest.len && a->rest.data[i] != '"'; i++) {
        char c = a->rest.data[i];

        if (c == '\\' && ++i < a->rest.len) {
            c = a->rest.data[i];
            if (c != '"' && c != '\\')
                return imap_args_fail(a, "A backslash is out of place.");
        }
        if (c == '\r' || c == '\n' || c == '\0')
            break;
        buf_add_char(a->pool, c);
    }
    if (!(i < a->rest.len && a->rest.data[i] == '"'))
        return imap_args_fail(a, "A quoted string does not end.");
    skip(a, i + 1);
    *v = view_sub(buf_view(a->pool), start, a->pool->len);
    return true;
}

bool imap_args_string(struct imap_args *a, struct view *v)
{
    if (imap_args_next_is(a, '"'))
        return take_quoted(a, v);
    if (imap_args_next_is(a, '{'))
        return take_literal(a, v);
    return imap_args_fail(a, "A string is missing.");
}

static bool is_string_next(const struct imap_args *a)
{
    return imap_args_next_is(a, '"') || imap_args_next_is(a, '{');
}

bool imap_args_astring(struct imap_args *a, struct view *v)
{
    if (is_string_next(a))
        return imap_args_string(a, v);
    return take_run(a, is_astring_char, "A string is missing.", v);
}

bool imap_args_pattern(struct imap_args *a, struct view *v)
{
    if (is_string_next(a))
        return imap_args_string(a, v);
    return take_run(a, is_pattern_char, "A pattern is missing.", v);
}

bool imap_args_mailbox(struct imap_args *a, struct view *v)
{
    if (!imap_args_astring(a, v))
        return false;
    if (view_is_nocase(*v, "INBOX"))
        *v = VIEW("INBOX");
    return true;
}
