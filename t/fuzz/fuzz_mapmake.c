/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postmap's and postalias's work: a hash: table made of any text has what a
 * texthash: of the same text has. The first byte: AS_ALIASES takes the text as
 * an alias file, whose values can be walked.
 */
#include "table/mapmake.h"

#include <fcntl.h>
#include <unistd.h>

#include "table/aliases.h"
#include "table/table.h"
#include "t/fuzz/fuzz.h"

enum { AS_ALIASES = 1, BTREE = 2, ADD = 4 };

static void say_nothing(const char *sentence, void *arg)
{
    (void)arg;
    MUST(sentence[0] != '\0');
}

static const struct table_env env = { .warn = say_nothing };

static void put_file(const char *name, struct view text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
    close(fd);
}

/* Each entry of one table is in the other. Keys with a NUL are in no table
 * file, and values are cut at one. */
static int is_in(struct view key, struct view value, void *arg)
{
    struct buf out = BUF_INIT;
    struct error err;

    if (view_index(key, '\0') == key.len && key.len > 0) {
        MUST(table_lookup(arg, key, &out, &err) == 1);
        MUST(view_eq(view_sub(buf_view(&out), 0,
                              view_index(buf_view(&out), '\0')),
                     view_sub(value, 0, view_index(value, '\0'))));
    }
    buf_release(&out);
    return 0;
}

static void compare(const char *spec)
{
    struct error err;
    struct table *made = table_open(&env, spec, 0, &err);
    struct table *text = table_open(&env, "texthash:source", 0, &err);

    MUST(made != NULL && text != NULL);
    MUST(table_each(made, is_in, text, &err) == 0);
    MUST(table_each(text, is_in, made, &err) == 0);
    table_close(&made);
    table_close(&text);
}

/* The walk over an alias's values ends, whatever they are. */
static int is_alias(struct view key, struct view value, void *arg)
{
    struct aliases a;
    struct alias_value v;
    struct error err;
    size_t n = 0;
    int rc;

    (void)arg;
    MUST(key.len > 0);
    aliases_begin(&a, value);
    while ((rc = aliases_next(&a, &v, &err)) != 0) {
        MUST(++n <= value.len);
        MUST(rc < 0 || (v.text.len > 0 &&
                        view_index(v.text, '\0') == v.text.len));
    }
    aliases_end(&a);
    return 0;
}

static void check_aliases(const char *spec)
{
    struct error err;
    struct table *t = table_open(&env, spec, 0, &err);

    MUST(t != NULL);
    MUST(table_each(t, is_alias, NULL, &err) == 0);
    table_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *spec;
    struct mapmake m = { .warn = say_nothing };
    struct view text = fuzz_text(data + 1, len - 1);
    struct error err;

    fuzz_directory();
    if (len == 0)
        return 0;
    fuzz_clear();
    spec = data[0] & BTREE ? "btree:source" : "hash:source";
    m.aliases = data[0] & AS_ALIASES;
    put_file("source", text);
    if (data[0] & ADD) {
        if (mapmake_add(&m, spec, text, "input", &err) < 0)
            return 0;
    } else {
        MUST(mapmake_build(&m, spec, &err) == 0);
    }
    if (m.aliases)
        check_aliases(spec);
    else
        compare(spec);
    fuzz_closed_all();
    return 0;
}
