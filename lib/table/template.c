/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/template.h"

#include "base/alloc.h"
#include "base/ascii.h"

struct piece {
    unsigned group;   /* 0: the text below */
    struct view text; /* of the template's own text */
};

struct template {
    char *text;
    struct piece *list;
    size_t count, room;
};

int template_take_pattern(struct view *rest, struct view *regexp,
                          struct view *flags, struct error *err)
{
    char c = rest->data[0];
    size_t end = 1;

    if (ascii_is_alnum(c) || ascii_is_space(c) || c == '\\')
        return error_set(err, FAIL_PERM, "want /pattern/flags result");
    while (end < rest->len && rest->data[end] != c)
        end += rest->data[end] == '\\' ? 2 : 1;
    if (end >= rest->len)
        return error_set(err, FAIL_PERM, "no closing regexp delimiter \"%c\"",
                         c);
    *regexp = view_sub(*rest, 1, end);
    *rest = view_sub(*rest, end + 1, rest->len);
    for (end = 0; end < rest->len && !ascii_is_space(rest->data[end]); end++)
        ;
    *flags = view_sub(*rest, 0, end);
    *rest = view_sub(*rest, end, rest->len);
    if (regexp->len == 0)
        return error_set(err, FAIL_PERM, "no regexp");
    return 0;
}

static void add_piece(struct template *t, unsigned group, struct view text)
{
    if (group == 0 && text.len == 0)
        return;
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 4;
        t->list = alloc_resize(t->list, t->room, sizeof *t->list);
    }
    t->list[t->count++] = (struct piece){ group, text };
}

static bool is_name(char c)
{
    return ascii_is_alnum(c) || c == '_' || c == '.';
}

/* Take the name behind a dollar: "1", "{1}" or "(1)". */
static bool take_name(struct view *rest, struct view *name)
{
    char open = rest->len ? rest->data[0] : '\0';
    size_t end = 0;

    if (open == '{' || open == '(') {
        end = view_index(*rest, open == '{' ? '}' : ')');
        if (end == rest->len)
            return false;
        *name = view_sub(*rest, 1, end);
        *rest = view_sub(*rest, end + 1, rest->len);
    } else {
        while (end < rest->len && is_name(rest->data[end]))
            end++;
        *name = view_sub(*rest, 0, end);
        *rest = view_sub(*rest, end, rest->len);
    }
    return name->len > 0;
}

static int add_group(struct template *t, struct view *rest, unsigned groups,
                     struct error *err)
{
    struct view name;
    uint64_t n;

    if (!take_name(rest, &name))
        return error_set(err, FAIL_PERM, "bad replacement syntax");
    if (!view_number(name, UINT32_MAX, &n))
        return error_set(err, FAIL_PERM,
                         "non-numeric replacement index \"%.*s\"",
                         VIEW_ARG(name));
    if (n == 0 || n > groups)
        return error_set(err, FAIL_PERM,
                         "out of range replacement index \"%.*s\"",
                         VIEW_ARG(name));
    add_piece(t, (unsigned)n, (struct view){ NULL, 0 });
    return 0;
}

static int parse(struct template *t, struct view rest, unsigned groups,
                 struct error *err)
{
    while (rest.len > 0) {
        size_t dollar = view_index(rest, '$');

        add_piece(t, 0, view_sub(rest, 0, dollar));
        if (dollar == rest.len)
            break;
        rest = view_sub(rest, dollar + 1, rest.len);
        if (rest.len > 0 && rest.data[0] == '$') {
            add_piece(t, 0, view_sub(rest, 0, 1));
            rest = view_sub(rest, 1, rest.len);
        } else if (add_group(t, &rest, groups, err) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool has_group(const struct template *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->list[i].group > 0)
            return true;
    return false;
}

int template_set(const struct table *t, struct rule *r, struct view text,
                 unsigned groups, struct error *err)
{
    struct template *made = alloc_zero(1, sizeof *made);

    r->result = made;
    made->text = alloc_copy(text.data, text.len);
    if (parse(made, (struct view){ made->text, text.len }, groups, err) < 0)
        return -1;
    if (has_group(made) && r->negated)
        return error_set(err, FAIL_PERM,
                         "$number found in negative match replacement text");
    if (has_group(made) && (t->flags & TABLE_NO_SUBST))
        return error_set(err, FAIL_PERM,
                         "regular expression substitution is not allowed");
    return 0;
}

int template_answer(const struct rule *r,
                    struct view (*group)(void *arg, unsigned n), void *arg,
                    struct buf *out, struct error *err)
{
    const struct template *t = r->result;
    size_t room = TABLE_VALUE_MAX;

    for (size_t i = 0; i < t->count; i++) {
        const struct piece *p = &t->list[i];
        struct view text = p->group ? group(arg, p->group) : p->text;

        if (text.len > room)
            return error_set(err, FAIL_PERM, "the result of the rule in line "
                             "%u is longer than %d bytes", r->line,
                             TABLE_VALUE_MAX);
        room -= text.len;
        buf_add_view(out, text);
    }
    return 1;
}

void template_free(struct rule *r)
{
    struct template *t = r->result;

    if (t == NULL)
        return;
    free(t->text);
    free(t->list);
    free(t);
    r->result = NULL;
}
