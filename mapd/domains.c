/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/domains.h"

#include "base/alloc.h"
#include "table/braces.h"
#include "table/table_address.h"

struct item {
    bool no;                  /* "!" stood before it */
    char *name;               /* a domain, or NULL */
    struct table_list *table; /* or a table */
};

struct domains {
    struct item *items;
    size_t count;
    bool parents;
};

/* Take the "!" off that may stand before a word. */
static bool take_no(struct view *word)
{
    bool no = view_starts(*word, "!");

    if (no)
        *word = view_sub(*word, 1, word->len);
    return no;
}

static int add(struct domains *d, const struct table_env *env,
               struct view word, struct error *err)
{
    struct item it = { .no = take_no(&word) };

    if (view_starts(word, "/"))
        return error_set(err, FAIL_PERM, "\"%.*s\" is a file and no domain; "
                         "to keep domains in a file write texthash:%.*s",
                         VIEW_ARG(word), VIEW_ARG(word));
    it.name = alloc_copy(word.data, word.len);
    if (view_index(word, ':') < word.len) {
        it.table = table_list_open(env, it.name, 0, err);
        free(it.name);
        it.name = NULL;
        if (it.table == NULL)
            return -1;
    }
    d->items = alloc_resize(d->items, d->count + 1, sizeof *d->items);
    d->items[d->count++] = it;
    return 0;
}

struct domains *domains_open(const struct table_env *env, const char *spec,
                             bool parents, struct error *err)
{
    struct domains *d = alloc_zero(1, sizeof *d);
    struct view rest = view_of(spec), word;

    d->parents = parents;
    while (d != NULL && braces_word(&rest, &word))
        if (add(d, env, word, err) < 0)
            domains_close(&d);
    return d;
}

void domains_files(const struct table_env *env, const char *spec,
                   void (*fn)(const char *path, void *arg), void *arg)
{
    struct view rest = view_of(spec), word;

    while (braces_word(&rest, &word)) {
        char *text;

        take_no(&word);
        text = alloc_copy(word.data, word.len);
        table_list_files(env, text, fn, arg);
        free(text);
    }
}

static bool is_below(struct view domain, struct view parent)
{
    struct view end;

    if (domain.len <= parent.len)
        return false;
    end = view_sub(domain, domain.len - parent.len, domain.len);
    return domain.data[domain.len - parent.len - 1] == '.' &&
           view_eq_nocase(end, parent);
}

static int fits(const struct domains *d, const struct item *it,
                struct view domain, struct error *err)
{
    struct table_address by = { .parents = true, .arg = it->table,
                                .lookup = table_address_in_list };
    struct buf value = BUF_INIT;
    int found;

    if (it->name != NULL)
        return view_is_nocase(domain, it->name) ||
               (d->parents && is_below(domain, view_of(it->name)));
    if (d->parents)
        found = table_address_host(&by, domain, &value, err);
    else
        found = table_list_lookup(it->table, domain, TABLE_WHOLE, &value, err);
    buf_release(&value);
    return found;
}

int domains_has(const struct domains *d, struct view domain,
                struct error *err)
{
    for (size_t i = 0; i < d->count; i++) {
        int hit = fits(d, &d->items[i], domain, err);

        if (hit != 0)
            return hit < 0 ? -1 : !d->items[i].no;
    }
    return 0;
}

bool domains_changed(const struct domains *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].table != NULL &&
            table_list_changed(d->items[i].table))
            return true;
    return false;
}

void domains_close(struct domains **dp)
{
    struct domains *d = *dp;

    *dp = NULL;
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++) {
        free(d->items[i].name);
        table_list_close(&d->items[i].table);
    }
    free(d->items);
    free(d);
}
