/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the source of a table, as the name of one, and as alias values.
 *
 * The first byte says what the rest is; a text is followed, after a NUL, by
 * the key to look up.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "table/aliases.h"
#include "table/table_list.h"

static void say_nothing(const char *sentence, void *arg)
{
    (void)sentence;
    (void)arg;
}

static const struct table_env env = { .warn = say_nothing };

static int count(struct view key, struct view value, void *arg)
{
    *(size_t *)arg += key.len + value.len;
    return 0;
}

static void ask_table(struct table *t, struct view key)
{
    struct buf out = BUF_INIT;
    struct error err;
    size_t n = 0;

    if (t == NULL)
        return;
    table_lookup(t, key, &out, &err);
    table_each(t, count, &n, &err);
    table_changed(t);
    table_close(&t);
    buf_release(&out);
}

/* The text as a file without a name. */
static void fuzz_file(const char *type, struct view text, struct view key)
{
    int fd = memfd_create("table", MFD_CLOEXEC);
    char spec[64];
    struct error err;

    if (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len)
        abort();
    snprintf(spec, sizeof spec, "%s:/proc/self/fd/%d", type, fd);
    ask_table(table_open(&env, spec, 0, &err), key);
    close(fd);
}

/* The text as what stands behind the colon; a list of one table or more. */
static void fuzz_name(const char *type, struct view text, struct view key)
{
    struct buf spec = BUF_INIT, out = BUF_INIT;
    struct table_list *l;
    struct error err;

    buf_addf(&spec, "%s:{%.*s}", type, VIEW_ARG(text));
    l = table_list_open(&env, buf_text(&spec), 0, &err);
    if (l != NULL)
        table_list_lookup(l, key, TABLE_WHOLE, &out, &err);
    table_list_close(&l);
    buf_release(&spec);
    buf_release(&out);
}

static void fuzz_aliases(struct view text)
{
    struct buf name = BUF_INIT, values = BUF_INIT;
    struct aliases a;
    struct alias_value v;
    struct error err;

    aliases_line(text, &name, &values, &err);
    aliases_begin(&a, text);
    while (aliases_next(&a, &v, &err) != 0)
        ;
    aliases_end(&a);
    buf_release(&name);
    buf_release(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "texthash", "cidr", "pcre", "regexp",
                                         "inline", "static" };
    struct view text, key;
    size_t nul;
    char *copy;

    if (size == 0)
        return 0;
    copy = alloc_copy(data + 1, size - 1);
    text = (struct view){ copy, size - 1 };
    nul = view_index(text, '\0');
    key = view_sub(text, nul + 1, text.len);
    text = view_sub(text, 0, nul);
    if (data[0] < 4)
        fuzz_file(types[data[0]], text, key);
    else if (data[0] < 10)
        fuzz_name(types[data[0] - 4], text, key);
    else
        fuzz_aliases((struct view){ copy, size - 1 });
    free(copy);
    return 0;
}
