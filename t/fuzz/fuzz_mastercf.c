/* SPDX-License-Identifier: BSD-2-Clause */
/* master.cf: what is read holds together, and written out is read as the same
 * rows. */
#include "config/mastercf.h"

#include "base/ascii.h"
#include "t/fuzz/fuzz.h"

static bool is_word(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (ascii_is_space(*c))
            return false;
    return text[0] != '\0';
}

static void check_row(const struct mastercf_row *r, unsigned line_before)
{
    MUST(is_word(r->name) && is_word(r->command));
    MUST(strchr(r->command, '/') == NULL);
    MUST(r->line > line_before);
    MUST(r->maxproc >= MASTERCF_PROCESS_DEFAULT && r->maxproc <= 100000);
    MUST(r->wakeup <= 86400);
    MUST(strchr("yn-", r->unpriv) != NULL && strchr("yn-", r->chroot) != NULL);
    for (size_t i = 0; i < r->n_overrides; i++)
        MUST(strchr(r->overrides[i], '=') > r->overrides[i]);
    for (size_t i = 0; i < r->n_args; i++)
        MUST(r->args[i][0] != '\0');
}

/* An override in braces can hold all but braces that are not in pairs. */
static bool can_be_braced(const char *text)
{
    unsigned depth = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '}' && depth-- == 0)
            return false;
        depth += *c == '{';
    }
    return depth == 0;
}

static bool write_row(struct buf *out, const struct mastercf_row *r)
{
    static const char *const types[] = { "inet", "unix", "pass" };

    buf_addf(out, "%s %s %c %c %c %u%s ", r->name, types[r->type],
             r->is_private ? 'y' : 'n', r->unpriv, r->chroot, r->wakeup,
             r->wakeup_if_used ? "?" : "");
    if (r->maxproc == MASTERCF_PROCESS_DEFAULT)
        buf_add_text(out, "-");
    else
        buf_addf(out, "%d", r->maxproc);
    buf_addf(out, " %s", r->command);
    for (unsigned i = 0; i < r->verbose; i++)
        buf_add_text(out, " -v");
    for (size_t i = 0; i < r->n_overrides; i++) {
        if (!can_be_braced(r->overrides[i]))
            return false;
        buf_addf(out, " -o { %s }", r->overrides[i]);
    }
    for (size_t i = 0; i < r->n_args; i++)
        buf_addf(out, " %s", r->args[i]);
    buf_add_char(out, '\n');
    return true;
}

static bool same_list(char **a, size_t n_a, char **b, size_t n_b)
{
    for (size_t i = 0; i < n_a && n_a == n_b; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return n_a == n_b;
}

static void check_same(const struct mastercf_row *a,
                       const struct mastercf_row *b)
{
    MUST(strcmp(a->name, b->name) == 0 && a->type == b->type);
    MUST(strcmp(a->command, b->command) == 0);
    MUST(a->is_private == b->is_private && a->unpriv == b->unpriv &&
         a->chroot == b->chroot);
    MUST(a->wakeup == b->wakeup && a->wakeup_if_used == b->wakeup_if_used);
    MUST(a->maxproc == b->maxproc && a->verbose == b->verbose);
    MUST(same_list(a->overrides, a->n_overrides, b->overrides,
                   b->n_overrides));
    MUST(same_list(a->args, a->n_args, b->args, b->n_args));
}

static void write_again(const struct mastercf *m)
{
    struct buf text = BUF_INIT;
    struct mastercf again;
    struct error err;
    bool good = true;

    for (size_t i = 0; good && i < m->n_rows; i++)
        good = m->rows[i].verbose < 1000 && write_row(&text, &m->rows[i]);
    if (good) {
        MUST(mastercf_parse(&again, buf_view(&text), "again", &err) == 0);
        MUST(again.n_rows == m->n_rows);
        for (size_t i = 0; i < m->n_rows; i++)
            check_same(&m->rows[i], &again.rows[i]);
        mastercf_free(&again);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mastercf m;
    struct error err;

    if (mastercf_parse(&m, fuzz_text(data, len), "master.cf", &err) < 0) {
        MUST(m.rows == NULL && err.kind == FAIL_PERM && err.text[0] != '\0');
        return 0;
    }
    MUST(m.n_rows <= MASTERCF_SERVICES_MAX);
    for (size_t i = 0; i < m.n_rows; i++)
        check_row(&m.rows[i], i > 0 ? m.rows[i - 1].line : 0);
    write_again(&m);
    mastercf_free(&m);
    return 0;
}
