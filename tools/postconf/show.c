/* SPDX-License-Identifier: BSD-2-Clause */
#include <sysexits.h>

#include "base/alloc.h"
#include "config/foreign.h"
#include "tools/postconf/postconf.h"

struct names {
    const char **list;
    size_t n;
};

static void add_name(struct names *all, const char *name)
{
    all->list = alloc_resize(all->list, all->n + 1, sizeof *all->list);
    all->list[all->n++] = name;
}

static void add_set(const char *name, const char *value, void *arg)
{
    (void)value;
    add_name(arg, name);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What several programs have is one parameter. */
static void sort_and_unite(struct names *all)
{
    size_t kept = 0;

    if (all->n == 0)
        return;
    qsort(all->list, all->n, sizeof *all->list, compare);
    for (size_t i = 1; i < all->n; i++)
        if (strcmp(all->list[i], all->list[kept]) != 0)
            all->list[++kept] = all->list[i];
    all->n = kept + 1;
}

static void print(const struct postconf *p, const char *name,
                  const char *value)
{
    struct buf expanded = BUF_INIT;
    struct error err;

    if (p->expand) {
        if (config_expand(command_config(), view_of(value), &expanded,
                          &err) < 0)
            command_fail(EX_CONFIG, "%s: %s", name, err.text);
        value = buf_text(&expanded);
    }
    if (p->no_value)
        puts(name);
    else if (p->no_name)
        puts(value);
    else
        printf("%s = %s\n", name, value);
    buf_release(&expanded);
}

/* False: there is no such parameter. */
static bool show(const struct postconf *p, const char *name)
{
    const struct param *param = param_find(view_of(name));
    const char *raw = NULL;

    if (!p->defaults)
        raw = config_raw(command_config(), view_of(name), NULL);
    if (raw == NULL && param != NULL)
        raw = p->only_set ? NULL : param->def;
    else if (raw == NULL)
        return false;
    if (raw != NULL)
        print(p, name, raw);
    return true;
}

static void show_all(struct postconf *p)
{
    struct names all = { NULL, 0 };

    if (!p->defaults)
        config_each(command_config(), add_set, &all);
    if (!p->only_set)
        for (const struct param_table *t = param_tables; t->program != NULL;
             t++)
            for (const struct param *q = t->params; q->name != NULL; q++)
                add_name(&all, q->name);
    sort_and_unite(&all);
    for (size_t i = 0; i < all.n; i++)
        show(p, all.list[i]);
    free(all.list);
    if (p->only_set)
        config_warn(command_config(), command_warn, NULL);
}

void show_params(struct postconf *p, char **names)
{
    if (*names == NULL)
        show_all(p);
    for (; *names != NULL; names++)
        if (!show(p, *names))
            command_say("warning", "%s: unknown parameter", *names);
}
