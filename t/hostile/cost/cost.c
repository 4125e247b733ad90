/* SPDX-License-Identifier: BSD-2-Clause */
#include "cost.h"

#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <valgrind/callgrind.h>

int __real_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size);

/* Valgrind has no room for a map as large as an index may become. */
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size)
{
    (void)size;
    return __real_mdb_env_set_mapsize(env, 1u << 30);
}

void cost_repeat(struct buf *in, size_t n, const char *fmt)
{
    const char *at = strchr(fmt, '#');

    for (size_t i = 0; i < n; i++) {
        if (at == NULL)
            buf_add_text(in, fmt);
        else
            buf_addf(in, "%.*s%zu%s", (int)(at - fmt), fmt, i, at + 1);
    }
}

/* Instructions of one size, as the dump "name size"; what was found. */
static size_t measure(const struct cost_case *c, size_t n)
{
    struct buf in = BUF_INIT;
    char label[100];
    size_t found;

    c->make(&in, n);
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    found = c->run(buf_view(&in));
    CALLGRIND_TOGGLE_COLLECT;
    snprintf(label, sizeof label, "%s=%zu", c->name, n);
    CALLGRIND_DUMP_STATS_AT(label);
    buf_release(&in);
    return found;
}

int cost_main(const struct cost_case *list, int argc, char **argv)
{
    int bad = 0;

    for (const struct cost_case *c = list; c->name != NULL; c++) {
        size_t found;

        if (argc > 1 && strstr(c->name, argv[1]) == NULL)
            continue;
        measure(c, 1); /* what is done once, such as tables that are made */
        measure(c, 1);
        measure(c, c->n);
        found = measure(c, 2 * c->n);
        printf("%s: %zu of %zu\n", c->name, found, 2 * c->n);
        if (found < 2 * c->n * c->least / 100 || found == 0) {
            printf("%s: too little was found\n", c->name);
            bad = 1;
        }
    }
    return bad;
}
