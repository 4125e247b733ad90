/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sysexits.h>

#include "base/io.h"
#include "config/mastercf.h"
#include "tools/postconf/postconf.h"

static void read_services(const struct postconf *p, struct mastercf *m)
{
    struct buf path = BUF_INIT, text = BUF_INIT;
    struct error err;

    buf_addf(&path, "%s/master.cf", p->directory);
    if (io_read_file(AT_FDCWD, buf_text(&path), &text, CONFIG_FILE_MAX,
                     &err) < 0 ||
        mastercf_parse(m, buf_view(&text), buf_text(&path), &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    buf_release(&path);
    buf_release(&text);
}

static const char *type_name(enum mastercf_type type)
{
    return type == MASTERCF_INET ? "inet" : type == MASTERCF_PASS ? "pass"
                                                                  : "unix";
}

/* "service" or "service/type"; a name may itself have a slash. */
static bool fits(const struct mastercf_row *r, const char *pattern)
{
    struct view v = view_of(pattern);
    size_t at = view_rindex(v, '/');

    return view_is(v, r->name) ||
           (at < v.len && view_is(view_sub(v, 0, at), r->name) &&
            view_is(view_sub(v, at + 1, v.len), type_name(r->type)));
}

static bool is_wanted(const struct mastercf_row *r, char **patterns)
{
    if (*patterns == NULL)
        return true;
    for (; *patterns != NULL; patterns++)
        if (fits(r, *patterns))
            return true;
    return false;
}

/* Postfix's columns; what stood there as "-" is a "-" again. */
static void print_row(const struct mastercf_row *r)
{
    char wakeup[20] = "-", maxproc[20] = "-";

    if (r->wakeup > 0)
        snprintf(wakeup, sizeof wakeup, "%u%s", r->wakeup,
                 r->wakeup_if_used ? "?" : "");
    if (r->maxproc != MASTERCF_PROCESS_DEFAULT)
        snprintf(maxproc, sizeof maxproc, "%d", r->maxproc);
    printf("%-10s %-5s %-7s %-7c %-7c %-7s %-7s %s", r->name,
           type_name(r->type), r->is_private ? "-" : "n", r->unpriv,
           r->chroot, wakeup, maxproc, r->command);
    for (unsigned i = 0; i < r->verbose; i++)
        printf(" -v");
    for (size_t i = 0; i < r->n_overrides; i++)
        printf(strchr(r->overrides[i], ' ') ? " -o { %s }" : " -o %s",
               r->overrides[i]);
    for (size_t i = 0; i < r->n_args; i++)
        printf(" %s", r->args[i]);
    putchar('\n');
}

static void print_overrides(const struct mastercf_row *r)
{
    for (size_t i = 0; i < r->n_overrides; i++) {
        struct view v = view_of(r->overrides[i]), name;

        view_cut(&v, '=', &name);
        name = view_trim(name);
        v = view_trim(v);
        printf("%s/%s/%.*s = %.*s\n", r->name, type_name(r->type),
               VIEW_ARG(name), VIEW_ARG(v));
    }
}

static void each(const struct postconf *p, char **patterns,
                 void (*fn)(const struct mastercf_row *))
{
    struct mastercf m = { .rows = NULL };

    read_services(p, &m);
    for (size_t i = 0; i < m.n_rows; i++)
        if (is_wanted(&m.rows[i], patterns))
            fn(&m.rows[i]);
    mastercf_free(&m);
}

void show_services(const struct postconf *p, char **patterns)
{
    each(p, patterns, print_row);
}

void show_overrides(const struct postconf *p, char **patterns)
{
    each(p, patterns, print_overrides);
}
