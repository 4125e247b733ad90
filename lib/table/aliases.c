/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/aliases.h"

#include "base/ascii.h"

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

/* Is there no white space or control character outside quotes? */
static bool is_one_word(struct view v)
{
    bool quoted = false;

    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (ascii_is_control(c) || (c == ' ' && !quoted))
            return false;
        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
    }
    return true;
}

static bool needs_quotes(struct view local)
{
    for (size_t i = 0; i < local.len; i++)
        if (!ascii_is_visible(local.data[i]) &&
            (unsigned char)local.data[i] < 0x80)
            return true;
        else if (strchr("\"\\(),:;<>@[]", local.data[i]) != NULL)
            return true;
    return false;
}

/* Put back the quotes that the local part needs. People write "user@domain"
 * and mean an address, so what follows the last @ is the domain even there. */
static void quote(struct buf *text)
{
    struct buf quoted = BUF_INIT;
    size_t at = view_rindex(buf_view(text), '@');

    if (!needs_quotes(view_sub(buf_view(text), 0, at)))
        return;
    buf_add_char(&quoted, '"');
    for (size_t i = 0; i < at; i++) {
        if (text->data[i] == '"' || text->data[i] == '\\')
            buf_add_char(&quoted, '\\');
        buf_add_char(&quoted, text->data[i]);
    }
    buf_add_char(&quoted, '"');
    buf_add_view(&quoted, view_sub(buf_view(text), at, text->len));
    buf_release(text);
    *text = quoted;
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

static int take_address(struct aliases *a, struct view item, bool quoted,
                        struct alias_value *value, struct error *err)
{
    struct view text;

    if (quoted) {
        quote(&a->text);
        text = buf_view(&a->text);
    } else {
        buf_reset(&a->text);
        if (!drop_comments(item, &a->text))
            return bad(item, "a quote or comment is not closed", err);
        text = view_trim(buf_view(&a->text));
        if (!inside_angle(&text))
            return bad(item, "the < > do not match", err);
    }
    if (!is_one_word(text))
        return bad(item, "an address is one word", err);
    *value = (struct alias_value){ ALIAS_ADDRESS, text };
    return text.len > 0 ? 1 : bad(item, "there is no address in it", err);
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
    return take_address(a, item, quoted, value, err);
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
