/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/aliases.h"

#include "mail/address.h"

/* Where the first `stop` stands that is in no quotes, comment or angle
 * brackets; v.len when it does not. A backslash takes the next character. */
static size_t index_outside(struct view v, char stop)
{
    bool quoted = false, angle = false;
    size_t comment = 0;

    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (c == stop && !quoted && comment == 0 && !angle)
            return i;
        if (c == '\\')
            i++;
        else if (c == '"' && comment == 0)
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '(')
            comment++;
        else if (c == ')' && comment > 0)
            comment--;
        else if ((c == '<' || c == '>') && comment == 0)
            angle = c == '<';
    }
    return v.len;
}

/* Take the text up to the next comma. */
static bool take_item(struct view *rest, struct view *item)
{
    size_t comma;

    if (rest->len == 0)
        return false;
    comma = index_outside(*rest, ',');
    *item = view_trim(view_sub(*rest, 0, comma));
    *rest = view_sub(*rest, comma + 1, rest->len);
    return true;
}

void aliases_begin(struct aliases *a, struct view values)
{
    *a = (struct aliases){ .rest = values };
}

void aliases_end(struct aliases *a)
{
    buf_release(&a->text);
}

/* Is all of `item` one quoted string? Then take the quotes and backslashes
 * off into `out`. */
static bool unquote(struct view item, struct buf *out)
{
    size_t i;

    if (item.len < 2 || item.data[0] != '"')
        return false;
    for (i = 1; i < item.len && item.data[i] != '"'; i++) {
        if (item.data[i] == '\\' && i + 1 < item.len)
            i++;
        buf_add_char(out, item.data[i]);
    }
    if (i == item.len - 1)
        return true;
    buf_reset(out);
    return false;
}

/* Copy without comments; false when one, or a quote, is never closed. */
static bool drop_comments(struct view item, struct buf *out)
{
    bool quoted = false;
    size_t depth = 0;

    for (size_t i = 0; i < item.len; i++) {
        char c = item.data[i];

        if (c == '"' && depth == 0)
            quoted = !quoted;
        else if (c == '(' && !quoted)
            depth++;
        if (depth == 0)
            buf_add_char(out, c);
        if (c == '\\' && i + 1 < item.len) {
            i++;
            if (depth == 0)
                buf_add_char(out, item.data[i]);
        } else if (c == ')' && !quoted && depth > 0) {
            depth--;
        }
    }
    return !quoted && depth == 0;
}

/* Reduce "Name <address>" to the address. */
static bool inside_angle(struct view *v)
{
    size_t from = index_outside(*v, '<'), to;

    if (from == v->len)
        return true;
    to = view_rindex(*v, '>');
    if (to < from || to + 1 != v->len)
        return false;
    *v = view_trim(view_sub(*v, from + 1, to));
    return true;
}

static int bad(struct view item, const char *why, struct error *err)
{
    return error_set(err, FAIL_PERM, "bad alias value \"%.*s\": %s",
                     VIEW_ARG(item), why);
}

/* Find what a text that is no address means. */
static bool take_special(struct view text, struct alias_value *value)
{
    static const struct {
        const char *prefix;
        enum alias_kind kind;
        bool drop; /* the prefix is not part of the text */
    } kinds[] = {
        { "|", ALIAS_COMMAND, true },
        { "/", ALIAS_FILE, false },
        { ":include:", ALIAS_INCLUDE, true },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (view_starts_nocase(text, kinds[i].prefix)) {
            value->kind = kinds[i].kind;
            value->text = text;
            if (kinds[i].drop)
                value->text = view_trim(
                    view_sub(text, strlen(kinds[i].prefix), text.len));
            return true;
        }
    }
    return false;
}

/* Read `text` as an address into a->text. People write "user@domain" in
 * quotes and mean an address, so what was in quotes may be either. */
static int take_address(struct aliases *a, struct view item, struct view text,
                        bool quoted, struct alias_value *value,
                        struct error *err)
{
    const unsigned flags = ADDRESS_SMTPUTF8 | ADDRESS_LOCAL_ONLY |
                           ADDRESS_LENIENT | ADDRESS_LONG;
    struct address address;
    struct buf requoted = BUF_INIT;
    int rc = address_parse(text, flags, &address, err);

    if (rc < 0 && quoted) {
        size_t at = view_rindex(text, '@');

        address_format_local(&requoted, view_sub(text, 0, at));
        buf_add_view(&requoted, view_sub(text, at, text.len));
        rc = address_parse(buf_view(&requoted), flags, &address, err);
        buf_release(&requoted);
    }
    if (rc < 0)
        return error_prefix(err, "bad alias value \"%.*s\"", VIEW_ARG(item));
    buf_reset(&a->text);
    address_format(&a->text, &address);
    *value = (struct alias_value){ ALIAS_ADDRESS, buf_view(&a->text) };
    return 1;
}

/* An address that is not all in quotes: comments and names go, and the
 * backslash that .forward files have before a name, "do not expand me again",
 * goes too: expansion cuts its own loops. */
static int take_plain(struct aliases *a, struct view item,
                      struct alias_value *value, struct error *err)
{
    struct view text;

    if (!drop_comments(item, &a->text))
        return bad(item, "a quote or comment is not closed", err);
    text = view_trim(buf_view(&a->text));
    if (!inside_angle(&text))
        return bad(item, "the < > do not match", err);
    if (text.len > 0 && text.data[0] == '\\')
        text = view_sub(text, 1, text.len);
    return take_address(a, item, text, false, value, err);
}

int aliases_next(struct aliases *a, struct alias_value *value,
                 struct error *err)
{
    struct view item;
    bool quoted;

    do
        if (!take_item(&a->rest, &item))
            return 0;
    while (item.len == 0);
    if (view_index(item, '\0') != item.len)
        return bad(item, "it holds a NUL character", err);
    buf_reset(&a->text);
    quoted = unquote(item, &a->text);
    if (take_special(quoted ? buf_view(&a->text) : item, value))
        return value->text.len > 0 ? 1 : bad(item, "nothing follows it", err);
    if (quoted)
        return take_address(a, item, buf_view(&a->text), true, value, err);
    return take_plain(a, item, value, err);
}

/* The left-hand side: one local name, without quotes and comments. */
static int add_name(struct view lhs, struct buf *name, struct error *err)
{
    struct buf plain = BUF_INIT;
    struct view v;
    int rc = 0;

    if (!drop_comments(lhs, &plain))
        rc = error_set(err, FAIL_PERM, "need name:value pair");
    v = view_trim(buf_view(&plain));
    if (rc == 0 && !unquote(v, name)) {
        if (v.len == 0 || view_index(v, '"') != v.len ||
            index_outside(v, ',') != v.len)
            rc = error_set(err, FAIL_PERM, "need name:value pair");
        else if (view_index(v, '@') != v.len)
            rc = error_set(err, FAIL_PERM, "name must be local");
        else
            buf_add_view(name, v);
    }
    if (rc == 0 && name->len == 0)
        rc = error_set(err, FAIL_PERM, "need name:value pair");
    buf_release(&plain);
    return rc;
}

int aliases_line(struct view line, struct buf *name, struct buf *values,
                 struct error *err)
{
    size_t colon = index_outside(line, ':');
    struct view rest = view_sub(line, colon + 1, line.len), item;
    size_t before = values->len;

    if (colon == line.len)
        return error_set(err, FAIL_PERM, "need name:value pair");
    if (add_name(view_sub(line, 0, colon), name, err) < 0)
        return -1;
    while (take_item(&rest, &item)) {
        if (item.len == 0)
            continue;
        if (values->len > before)
            buf_add_text(values, ", ");
        buf_add_view(values, item);
    }
    if (values->len == before)
        return error_set(err, FAIL_PERM, "need name:value pair");
    return 0;
}
