/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/table_list.h"

#include "base/alloc.h"
#include "table/braces.h"

struct table_list {
    struct table **tables;
    size_t count;
};

static int add(struct table_list *l, const struct table_env *env,
               struct view spec, unsigned flags, struct error *err)
{
    char *text = alloc_copy(spec.data, spec.len);
    struct table *t = table_open(env, text, flags, err);

    free(text);
    if (t == NULL)
        return -1;
    l->tables = alloc_resize(l->tables, l->count + 1, sizeof *l->tables);
    l->tables[l->count++] = t;
    return 0;
}

struct table_list *table_list_open(const struct table_env *env,
                                   const char *spec, unsigned flags,
                                   struct error *err)
{
    struct table_list *l = alloc_zero(1, sizeof *l);
    struct view rest = view_of(spec), word;

    while (braces_word(&rest, &word)) {
        if (add(l, env, word, flags, err) < 0) {
            table_list_close(&l);
            return NULL;
        }
    }
    return l;
}

int table_list_lookup(struct table_list *l, struct view key,
                      enum table_part part, struct buf *out,
                      struct error *err)
{
    size_t before = out->len;

    for (size_t i = 0; i < l->count; i++) {
        int found;

        if (part == TABLE_PART && !table_is_fixed(l->tables[i]))
            continue;
        found = table_lookup(l->tables[i], key, out, err);
        if (found == 1 && out->len == before)
            return error_set(err, FAIL_TEMP,
                             "table %s: key %.*s: empty string result is not "
                             "allowed; leave the key out to say that it is "
                             "not there", table_name(l->tables[i]),
                             VIEW_ARG(key));
        if (found != 0)
            return found;
    }
    return 0;
}

bool table_list_changed(const struct table_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (table_changed(l->tables[i]))
            return true;
    return false;
}

size_t table_list_count(const struct table_list *l)
{
    return l->count;
}

void table_list_files(const struct table_env *env, const char *spec,
                      void (*fn)(const char *path, void *arg), void *arg)
{
    struct view rest = view_of(spec), word;
    struct buf path = BUF_INIT;

    while (braces_word(&rest, &word)) {
        char *text = alloc_copy(word.data, word.len);

        buf_reset(&path);
        if (table_file(env, text, &path))
            fn(buf_text(&path), arg);
        free(text);
    }
    buf_release(&path);
}

void table_list_close(struct table_list **lp)
{
    struct table_list *l = *lp;

    *lp = NULL;
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->count; i++)
        table_close(&l->tables[i]);
    free(l->tables);
    free(l);
}
