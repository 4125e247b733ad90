/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * $name and its relatives. The depth of nesting is bounded, and so are the
 * size of the result and the number of texts looked at on the way to it: a
 * value that names itself, or that doubles at every level, is an error and not
 * a disaster.
 */
#include "base/ascii.h"
#include "config/config.h"

struct expansion {
    const struct config *cfg;
    struct buf *out;
    size_t start; /* where the result began in out */
    unsigned depth;
    unsigned *texts; /* that were expanded so far, all levels together */
    struct error *err;
};

static int expand(struct expansion *x, struct view text);

static bool is_name_char(char c)
{
    return ascii_is_alnum(c) || c == '_';
}

/* The length of the text in brackets at the front of `v`, brackets and all;
 * 0 when they are not closed. */
static size_t bracketed(struct view v, char open, char close)
{
    unsigned depth = 0;

    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] == open)
            depth++;
        else if (v.data[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

static int fail(struct expansion *x, const char *why, struct view what)
{
    return error_set(x->err, FAIL_PERM, "%s in \"%.*s\"", why,
                     (int)(what.len < 60 ? what.len : 60), what.data);
}

/* The text as written for a name, or its default; NULL when there is none. */
static const char *lookup(const struct config *cfg, struct view name)
{
    const char *raw = config_raw(cfg, name, NULL);
    const struct param *p;

    if (raw != NULL)
        return raw;
    p = param_find(name);
    return p ? p->def : NULL;
}

static int expand_name(struct expansion *x, struct view name)
{
    const char *raw = lookup(x->cfg, name);

    if (raw == NULL)
        return error_set(x->err, FAIL_PERM, "$%.*s is not defined",
                         VIEW_ARG(name));
    return expand(x, view_of(raw));
}

/* "{text}" or "text": the part that a condition chooses. */
static struct view unbrace(struct view v)
{
    struct view t = view_trim(v);

    if (t.len >= 2 && t.data[0] == '{' && bracketed(t, '{', '}') == t.len)
        return view_trim(view_sub(t, 1, t.len - 1));
    return v;
}

/* Take "{...}" off the front; false when there is none. */
static bool take_braced(struct view *rest, struct view *part)
{
    struct view t = view_trim(*rest);
    size_t len = t.len && t.data[0] == '{' ? bracketed(t, '{', '}') : 0;

    if (len == 0)
        return false;
    *part = view_trim(view_sub(t, 1, len - 1));
    *rest = view_trim(view_sub(t, len, t.len));
    return true;
}

/* What stands behind "name?" or a comparison, chosen by `yes`. */
static int choose(struct expansion *x, struct view rest, bool yes)
{
    struct view then, other = VIEW("");

    if (!take_braced(&rest, &then)) {
        then = rest; /* the old form: all of it is the text */
    } else if (rest.len > 0) {
        if (rest.data[0] != ':')
            return fail(x, "expected ':'", rest);
        other = unbrace(view_sub(rest, 1, rest.len));
    }
    return expand(x, yes ? then : other);
}

static int expand_aside(struct expansion *x, struct view text, struct buf *out)
{
    struct expansion y = *x;
    int rc;

    y.out = out;
    y.start = 0;
    rc = expand(&y, text);
    return rc;
}

static int compare(struct view a, struct view b, struct view op, bool *yes)
{
    uint64_t m, n;
    int order = view_number(a, UINT64_MAX, &m) && view_number(b, UINT64_MAX, &n)
                    ? (m > n) - (m < n)
                    : view_cmp(a, b);

    if (view_is(op, "=="))
        *yes = order == 0;
    else if (view_is(op, "!="))
        *yes = order != 0;
    else if (view_is(op, "<"))
        *yes = order < 0;
    else if (view_is(op, "<="))
        *yes = order <= 0;
    else if (view_is(op, ">"))
        *yes = order > 0;
    else if (view_is(op, ">="))
        *yes = order >= 0;
    else
        return -1;
    return 0;
}

/* {a} op {b} ? {x} : {y} */
static int expand_comparison(struct expansion *x, struct view body)
{
    struct view left, right, op, whole = body;
    struct buf a = BUF_INIT, b = BUF_INIT;
    size_t n = 0;
    bool yes = false;
    int rc = -1;

    if (!take_braced(&body, &left))
        return fail(x, "expected {text}", whole);
    while (n < body.len && strchr("=!<>", body.data[n]) != NULL)
        n++;
    op = view_sub(body, 0, n);
    body = view_sub(body, n, body.len);
    if (!take_braced(&body, &right))
        return fail(x, "expected {text} after the comparison", whole);
    if (expand_aside(x, left, &a) < 0 || expand_aside(x, right, &b) < 0)
        goto out;
    if (compare(buf_view(&a), buf_view(&b), op, &yes) < 0)
        fail(x, "there is no such comparison", whole);
    else if (body.len == 0 || body.data[0] != '?')
        fail(x, "expected '?' after the comparison", whole);
    else
        rc = choose(x, view_sub(body, 1, body.len), yes);
out:
    buf_release(&a);
    buf_release(&b);
    return rc;
}

/* The inside of ${...} or $(...). */
static int expand_body(struct expansion *x, struct view body)
{
    struct buf value = BUF_INIT;
    struct view name;
    size_t n = 0;
    bool set;
    int rc;

    body = view_trim(body);
    if (body.len > 0 && body.data[0] == '{')
        return expand_comparison(x, body);
    while (n < body.len && is_name_char(body.data[n]))
        n++;
    name = view_sub(body, 0, n);
    if (n == 0)
        return fail(x, "expected a parameter's name", body);
    body = view_trim(view_sub(body, n, body.len));
    if (body.len == 0)
        return expand_name(x, name);
    if (body.data[0] != '?' && body.data[0] != ':')
        return fail(x, "expected '?' or ':'", body);
    if (lookup(x->cfg, name) != NULL &&
        expand_aside(x, view_of(lookup(x->cfg, name)), &value) < 0) {
        buf_release(&value);
        return -1;
    }
    set = value.len > 0;
    buf_release(&value);
    if (body.data[0] == '?')
        return choose(x, view_sub(body, 1, body.len), set);
    rc = 0;
    if (!set)
        rc = expand(x, unbrace(view_sub(body, 1, body.len)));
    return rc;
}

/* What follows a '$' at the front of *rest; moves *rest behind it. */
static int expand_dollar(struct expansion *x, struct view *rest)
{
    struct view v = *rest;
    size_t n = 0;

    if (v.len > 0 && v.data[0] == '$') { /* "$$" is a dollar */
        buf_add_char(x->out, '$');
        *rest = view_sub(v, 1, v.len);
        return 0;
    }
    if (v.len > 0 && (v.data[0] == '{' || v.data[0] == '(')) {
        n = v.data[0] == '{' ? bracketed(v, '{', '}') : bracketed(v, '(', ')');
        if (n == 0)
            return fail(x, "an open bracket after '$'", v);
        *rest = view_sub(v, n, v.len);
        return expand_body(x, view_sub(v, 1, n - 1));
    }
    while (n < v.len && is_name_char(v.data[n]))
        n++;
    if (n == 0)
        return fail(x, "a '$' without a name", v);
    *rest = view_sub(v, n, v.len);
    return expand_name(x, view_sub(v, 0, n));
}

static int expand(struct expansion *x, struct view text)
{
    int rc = 0;

    if (x->depth >= CONFIG_DEPTH_MAX)
        return fail(x, "a loop, or $ nested too deeply,", text);
    if (++*x->texts > CONFIG_TEXTS_MAX)
        return fail(x, "too many $", text);
    x->depth++;
    while (rc == 0 && text.len > 0) {
        size_t at = view_index(text, '$');
        bool dollar = at < text.len;

        buf_add_view(x->out, view_sub(text, 0, at));
        text = view_sub(text, dollar ? at + 1 : at, text.len);
        if (x->out->len - x->start > CONFIG_VALUE_MAX)
            rc = error_set(x->err, FAIL_PERM, "the value is longer than %d "
                           "bytes", CONFIG_VALUE_MAX);
        else if (dollar)
            rc = expand_dollar(x, &text);
    }
    x->depth--;
    return rc;
}

int config_expand(const struct config *cfg, struct view text, struct buf *out,
                  struct error *err)
{
    unsigned texts = 0;
    struct expansion x = { .cfg = cfg, .out = out, .start = out->len,
                           .texts = &texts, .err = err };
    int rc = expand(&x, text);

    if (rc < 0)
        buf_cut(out, x.start);
    return rc;
}

int config_get(const struct config *cfg, const char *name, struct buf *out,
               struct error *err)
{
    const char *where = "the default";
    const char *raw = lookup(cfg, view_of(name));

    if (raw == NULL)
        return error_set(err, FAIL_PERM, "there is no parameter %s", name);
    config_raw(cfg, view_of(name), &where);
    if (config_expand(cfg, view_of(raw), out, err) < 0)
        return error_prefix(err, "%s: %s", where, name);
    return 0;
}
