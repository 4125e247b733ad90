/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of a main.cf, for all programs at once. */
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

/* 0 or -1 with a sentence. */
static int check_value(const struct config *cfg, const struct param *p,
                       struct error *err)
{
    const char *where = "the default";
    const char *raw = config_raw(cfg, view_of(p->name), &where);
    struct buf value = BUF_INIT;
    union {
        char *text;
        bool yes;
        unsigned n;
        uint64_t size;
    } field = { NULL };
    struct error why;
    int rc = -1;

    if (config_expand(cfg, view_of(raw ? raw : p->def), &value, &why) < 0)
        error_set(err, FAIL_PERM, "%s: %s: %s", where, p->name, why.text);
    else
        rc = param_parse(p, buf_text(&value), &field, where, err);
    if (rc == 0 && p->type == PARAM_TYPE_TEXT)
        free(field.text);
    buf_release(&value);
    return rc;
}

void config_check(const struct config *cfg,
                  void (*say)(const char *sentence, void *arg), void *arg)
{
    struct error err;

    for (const struct param_table *t = param_tables; t->program != NULL; t++)
        for (const struct param *p = t->params; p->name != NULL; p++)
            /* What several read, once. */
            if (param_find(view_of(p->name)) == p &&
                check_value(cfg, p, &err) < 0)
                say(err.text, arg);
}
