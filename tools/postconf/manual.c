/* SPDX-License-Identifier: BSD-2-Clause */
/* main.cf(5), from the tables that the programs themselves read. */
#include "base/alloc.h"
#include "tools/postconf/postconf.h"

static const char head[] =
    ".TH MAIN.CF 5 2026-11-23 \"Postern\" \"File formats\"\n"
    ".SH NAME\n"
    "main.cf \\- parameters of the Postern mail system\n"
    ".SH DESCRIPTION\n"
    "A line\n.I name = value\nsets a parameter. A line that begins with white "
    "space continues the one before it; empty lines and lines that begin "
    "with # are passed over. The last of two settings of one name counts. "
    "In a value\n.IR $name ,\n.I ${name}\nand\n.I $(name)\nare replaced by "
    "the value of that parameter,\n.I ${name?text}\nby the text if the value "
    "is not empty, and\n.I ${name:text}\nif it is.\n.PP\n"
    "Times are numbers with s, m, h, d or w behind them; sizes are bytes, or "
    "numbers with k, M or G. A changed file is used after\n"
    ".BR \"postern reload\" ;\nparameters that only a restart changes say "
    "so.\n"
    ".SH PARAMETERS\n";

static const char tail[] =
    ".SH SEE ALSO\n.BR postconf (1),\n.BR master.cf (5),\n.BR postern (1)\n";

struct row {
    const struct param *p;
    const char *program;
};

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = strcmp(x->p->name, y->p->name);

    return order != 0 ? order : strcmp(x->program, y->program);
}

/* Text as roff wants it: backslashes, and no control line by accident. */
static void put(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void put_range(const struct param *p)
{
    switch (p->type) {
    case PARAM_TYPE_TEXT:
        return;
    case PARAM_TYPE_BOOL:
        fputs(" yes or no.", stdout);
        return;
    case PARAM_TYPE_CHOICE:
        fputs(" One of: ", stdout);
        put(p->min);
        putchar('.');
        return;
    default:
        fputs(p->type == PARAM_TYPE_TIME   ? " A time, "
              : p->type == PARAM_TYPE_SIZE ? " A size, "
                                           : " A number, ", stdout);
        printf("%s to %s.", p->min, p->max);
    }
}

static void put_entry(const struct row *rows, size_t n)
{
    const struct param *p = rows->p;

    fputs(".TP\n.BR ", stdout);
    put(p->name);
    fputs(" \" (default: ", stdout);
    put(p->def[0] ? p->def : "empty");
    fputs(")\"\n", stdout);
    put(p->doc);
    putchar('.');
    put_range(p);
    if (p->change == PARAM_RESTART)
        fputs(" Only a restart changes it.", stdout);
    fputs("\nRead by", stdout);
    for (size_t i = 0; i < n; i++)
        printf("%s %s", i ? "," : "", strcmp(rows[i].program, "common") == 0
                                          ? "all" : rows[i].program);
    fputs(".\n", stdout);
}

void manual_print(void)
{
    struct row *rows = NULL;
    size_t n = 0;

    for (const struct param_table *t = param_tables; t->program != NULL; t++) {
        for (const struct param *p = t->params; p->name != NULL; p++) {
            rows = alloc_resize(rows, n + 1, sizeof *rows);
            rows[n++] = (struct row){ p, t->program };
        }
    }
    if (n > 0)
        qsort(rows, n, sizeof *rows, compare);
    fputs(head, stdout);
    for (size_t i = 0; i < n;) {
        size_t same = 1;

        while (i + same < n &&
               strcmp(rows[i].p->name, rows[i + same].p->name) == 0)
            same++;
        put_entry(rows + i, same);
        i += same;
    }
    fputs(tail, stdout);
    free(rows);
}
