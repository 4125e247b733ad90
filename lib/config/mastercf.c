/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/mastercf.h"

#include "base/alloc.h"
#include "config/lines.h"

struct place {
    const char *file;
    unsigned line;
    struct error *err;
};

static int fail(struct place *at, const char *why, struct view what)
{
    return error_set(at->err, FAIL_PERM, "%s, line %u: %s: \"%.*s\"", at->file,
                     at->line, why, (int)(what.len < 60 ? what.len : 60),
                     what.data ? what.data : "");
}

/* The next word; "{ ... }" with everything in it is one. */
static bool next_word(struct view *rest, struct view *word)
{
    struct view v = view_trim(*rest);
    unsigned depth = 0;
    size_t n = 0;

    if (v.len == 0 || v.data[0] != '{')
        return view_word(rest, " \t\r", word);
    do {
        depth += v.data[n] == '{';
        depth -= v.data[n] == '}';
        n++;
    } while (n < v.len && depth > 0);
    *word = view_sub(v, 0, n);
    *rest = view_sub(v, n, v.len);
    return true;
}

static char *copy(struct view v)
{
    return alloc_copy(v.data, v.len);
}

static void append(char ***list, size_t *n, char *text)
{
    *list = alloc_resize(*list, *n + 1, sizeof **list);
    (*list)[(*n)++] = text;
}

/* "name=value", as it is kept, from "name = value" or "{ name = value }". */
static int add_override(struct mastercf_row *r, struct view v,
                        struct place *at)
{
    struct buf b = BUF_INIT;
    struct view name;
    size_t eq;

    if (view_starts(v, "{") && view_ends(v, "}"))
        v = view_trim(view_sub(v, 1, v.len - 1));
    eq = view_index(v, '=');
    name = view_trim(view_sub(v, 0, eq));
    if (eq == v.len || name.len == 0)
        return fail(at, "-o needs name=value", v);
    buf_add_view(&b, name);
    buf_add_char(&b, '=');
    buf_add_view(&b, view_trim(view_sub(v, eq + 1, v.len)));
    append(&r->overrides, &r->n_overrides, buf_take(&b));
    return 0;
}

static int parse_arguments(struct mastercf_row *r, struct view rest,
                           struct place *at)
{
    struct view w;

    while (next_word(&rest, &w)) {
        if (view_is(w, "-o")) {
            if (!next_word(&rest, &w))
                return fail(at, "-o needs name=value", VIEW("-o"));
            if (add_override(r, w, at) < 0)
                return -1;
        } else if (view_starts(w, "-o") && w.len > 2) {
            if (add_override(r, view_sub(w, 2, w.len), at) < 0)
                return -1;
        } else if (view_is(w, "-v") || view_is(w, "-vv")) {
            r->verbose += (unsigned)w.len - 1;
        } else {
            append(&r->args, &r->n_args, copy(w));
        }
    }
    return 0;
}

static int parse_type(struct view v, enum mastercf_type *type,
                      struct place *at)
{
    if (view_is(v, "inet"))
        *type = MASTERCF_INET;
    else if (view_is(v, "unix") || view_is(v, "fifo") ||
             view_is(v, "unix-dgram"))
        *type = MASTERCF_UNIX;
    else if (view_is(v, "pass"))
        *type = MASTERCF_PASS;
    else
        return fail(at, "the type is none of inet, unix, fifo, pass", v);
    return 0;
}

static int parse_flag(struct view v, char *flag, struct place *at)
{
    if (!view_is(v, "y") && !view_is(v, "n") && !view_is(v, "-"))
        return fail(at, "expected y, n or -", v);
    *flag = v.data[0];
    return 0;
}

static int parse_wakeup(struct view v, struct mastercf_row *r,
                        struct place *at)
{
    uint64_t n = 0;

    if (view_ends(v, "?")) {
        r->wakeup_if_used = true;
        v.len--;
    }
    if (!view_is(v, "-") && !view_number(v, 86400, &n))
        return fail(at, "the wake-up time is not a number of seconds", v);
    r->wakeup = (unsigned)n;
    return 0;
}

static int parse_maxproc(struct view v, int *maxproc, struct place *at)
{
    uint64_t n;

    *maxproc = MASTERCF_PROCESS_DEFAULT;
    if (view_is(v, "-"))
        return 0;
    if (!view_number(v, 100000, &n))
        return fail(at, "the process limit is neither a number nor -", v);
    *maxproc = (int)n;
    return 0;
}

static int parse_row(struct mastercf_row *r, struct view line,
                     struct place *at)
{
    struct view f[8] = { { .len = 0 } }, rest = line;
    char private = '-';
    size_t n = 0;

    while (n < 8 && view_word(&rest, " \t\r", &f[n]))
        n++;
    if (n < 8)
        return fail(at, "expected service, type, private, unpriv, chroot, "
                    "wakeup, maxproc, command", line);
    r->line = at->line;
    r->name = copy(f[0]);
    r->command = copy(f[7]);
    if (parse_type(f[1], &r->type, at) < 0 ||
        parse_flag(f[2], &private, at) < 0 ||
        parse_flag(f[3], &r->unpriv, at) < 0 ||
        parse_flag(f[4], &r->chroot, at) < 0 ||
        parse_wakeup(f[5], r, at) < 0 ||
        parse_maxproc(f[6], &r->maxproc, at) < 0)
        return -1;
    r->is_private = private == 'y' ||
                    (private == '-' && r->type != MASTERCF_INET);
    if (memchr(line.data, '\0', line.len) != NULL ||
        view_index(f[7], '/') < f[7].len)
        return fail(at, "the command is a program's name, without a path",
                    f[7]);
    return parse_arguments(r, rest, at);
}

static bool is_twice(const struct mastercf *m, const struct mastercf_row *r)
{
    for (size_t i = 0; i < m->n_rows; i++)
        if (&m->rows[i] != r && m->rows[i].type == r->type &&
            strcmp(m->rows[i].name, r->name) == 0)
            return true;
    return false;
}

int mastercf_parse(struct mastercf *m, struct view text, const char *file,
                   struct error *err)
{
    struct place at = { file, 0, err };
    struct lines l;
    struct view line;
    int rc = 0;

    *m = (struct mastercf){ .file = alloc_text(file) };
    lines_begin(&l, text);
    while (rc == 0 && lines_next(&l, &line)) {
        struct mastercf_row *r;

        at.line = l.line;
        if (m->n_rows == MASTERCF_SERVICES_MAX) {
            rc = fail(&at, "too many services", line);
            break;
        }
        m->rows = alloc_resize(m->rows, m->n_rows + 1, sizeof *m->rows);
        r = &m->rows[m->n_rows++];
        *r = (struct mastercf_row){ .line = at.line };
        rc = parse_row(r, line, &at);
        if (rc == 0 && is_twice(m, r))
            rc = fail(&at, "this service and type stand here twice", line);
    }
    lines_end(&l);
    if (rc < 0)
        mastercf_free(m);
    return rc;
}

static void free_list(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

void mastercf_free(struct mastercf *m)
{
    for (size_t i = 0; i < m->n_rows; i++) {
        free(m->rows[i].name);
        free(m->rows[i].command);
        free_list(m->rows[i].overrides, m->rows[i].n_overrides);
        free_list(m->rows[i].args, m->rows[i].n_args);
    }
    free(m->rows);
    free(m->file);
    *m = (struct mastercf){ .n_rows = 0 };
}
