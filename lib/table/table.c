/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "base/log.h"
#include "table/fold.h"
#include "table/table_type.h"

static const struct table_type *const types[] = {
    &hash_type, &btree_type, &texthash_type, &inline_type, &static_type,
    &cidr_type, &regexp_type, &pcre_type, NULL,
};

static const struct table_type *find_in(const struct table_type *const *list,
                                        struct view name)
{
    for (; list != NULL && *list != NULL; list++)
        if (view_is(name, (*list)->name))
            return *list;
    return NULL;
}

static void add_names(struct buf *b, const struct table_type *const *list)
{
    for (; list != NULL && *list != NULL; list++)
        buf_addf(b, "%s%s", b->len ? ", " : "", (*list)->name);
}

static void unknown_type(const struct table_env *env, struct view spec,
                         struct view name, struct error *err)
{
    struct buf known = BUF_INIT;

    add_names(&known, types);
    add_names(&known, env->types);
    error_set(err, FAIL_PERM,
              "cannot open table %.*s: there is no table type \"%.*s\"; the "
              "types are %s", VIEW_ARG(spec), VIEW_ARG(name),
              buf_text(&known));
    buf_release(&known);
}

/* The type that `spec` names, and where its name ends; NULL on error. */
static const struct table_type *find_type(const struct table_env *env,
                                          struct view spec, size_t *colon,
                                          struct error *err)
{
    const struct table_type *type;
    struct view name;

    *colon = view_index(spec, ':');
    name = view_sub(spec, 0, *colon);
    type = find_in(env->types, name);
    if (type == NULL)
        type = find_in(types, name);
    if (name.len == 0 || *colon == spec.len ||
        (type != NULL && *colon + 1 == spec.len && !type->nameless)) {
        error_set(err, FAIL_PERM, "\"%.*s\" names no table; a table is "
                  "written as type:name", VIEW_ARG(spec));
        return NULL;
    }
    if (type == NULL)
        unknown_type(env, spec, name, err);
    return type;
}

static struct view without_proxy(struct view spec)
{
    spec = view_trim(spec);
    while (view_starts(spec, "proxy:"))
        spec = view_sub(spec, 6, spec.len);
    return spec;
}

struct table *table_open(const struct table_env *env, const char *text,
                         unsigned flags, struct error *err)
{
    struct table_env none = { NULL, NULL, NULL };
    struct view spec = without_proxy(view_of(text));
    const struct table_type *type;
    struct table *t;
    size_t colon;

    if (env == NULL)
        env = &none;
    type = find_type(env, spec, &colon, err);
    if (type == NULL)
        return NULL;
    t = alloc_zero(1, sizeof *t);
    t->type = type;
    t->env = *env;
    t->spec = alloc_copy(spec.data, spec.len);
    t->name = t->spec + colon + 1;
    t->flags = flags;
    if (type->open(t, err) < 0)
        table_close(&t);
    return t;
}

bool table_file(const struct table_env *env, const char *text,
                struct buf *path)
{
    struct table_env none = { NULL, NULL, NULL };
    struct view spec = without_proxy(view_of(text));
    const struct table_type *type;
    struct error err;
    size_t colon;

    type = find_type(env ? env : &none, spec, &colon, &err);
    if (type == NULL || type->file == NULL || spec.data[colon + 1] == '{')
        return false;
    buf_add_view(path, view_sub(spec, colon + 1, spec.len));
    buf_add_text(path, type->file);
    return true;
}

int table_lookup(struct table *t, struct view key, struct buf *out,
                 struct error *err)
{
    struct buf folded = BUF_INIT;
    size_t before = out->len;
    int found;

    if (key.len > TABLE_KEY_MAX)
        return 0;
    if (t->type->fixed && !t->type->folds && !(t->flags & TABLE_KEEP_CASE)) {
        fold_key(key, t->flags & TABLE_BYTES, &folded);
        key = buf_view(&folded);
    }
    found = t->type->lookup(t, key, out, err);
    if (found != 1)
        buf_cut(out, before);
    buf_release(&folded);
    return found;
}

bool table_changed(const struct table *t)
{
    return t->type->changed != NULL && t->type->changed(t);
}

int table_each(struct table *t,
               int (*fn)(struct view key, struct view value, void *arg),
               void *arg, struct error *err)
{
    if (t->type->each == NULL)
        return error_set(err, FAIL_PERM,
                         "cannot list table %s: tables of type %s have no list "
                         "of keys", t->spec, t->type->name);
    return t->type->each(t, fn, arg, err);
}

const char *table_name(const struct table *t)
{
    return t->spec;
}

bool table_is_fixed(const struct table *t)
{
    return t->type->fixed;
}

void table_close(struct table **tp)
{
    struct table *t = *tp;

    *tp = NULL;
    if (t == NULL)
        return;
    t->type->close(t);
    free(t->spec);
    free(t);
}

void table_warn(const struct table *t, const char *fmt, ...)
{
    char sentence[LOG_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (t->env.warn != NULL)
        t->env.warn(sentence, t->env.arg);
    else
        log_warning("%s", sentence);
}
