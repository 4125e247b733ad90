/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/mapcmd.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "config/config.h"
#include "table/mapmake.h"

#define OPTIONS "+c:d:finNopq:rsuvw"

/* One run: the options, and the tables named behind them. */
struct run {
    const struct mapcmd *cmd;
    struct mapmake make;
    const char *config_directory; /* NULL: not given */
    const char *query, *remove;
    bool list, add;
    char **specs; /* each with its type */
    size_t count;
};

static void __attribute__((noreturn)) usage(const struct run *r)
{
    log_fatal("usage: %s [-finNoprsuvw] [-c config_dir] [-d key] [-q key] "
              "[map_type:]file...", r->cmd->program);
}

/* What default_database_type says. Only looked for when it is needed, so that
 * a package can make tables before there is a main.cf. */
static char *default_type(const struct run *r)
{
    const char *dir = config_directory(r->config_directory);
    struct buf path = BUF_INIT, value = BUF_INIT;
    struct config *cfg = NULL;
    struct error err;

    buf_addf(&path, "%s/main.cf", dir);
    if (config_read(&cfg, buf_text(&path), &err) < 0 &&
        (strcmp(dir, CONFIG_DIRECTORY) != 0 || err.sys != ENOENT ||
         config_parse(&cfg, VIEW(""), "main.cf", &err) < 0))
        log_fatal("%s", err.text);
    if (config_get(cfg, "default_database_type", &value, &err) < 0)
        log_fatal("%s", err.text);
    config_free(&cfg);
    buf_release(&path);
    return buf_take(&value);
}

static void add_spec(struct run *r, const char *arg)
{
    struct buf spec = BUF_INIT;

    if (strchr(arg, ':') == NULL) {
        char *type = default_type(r);

        buf_addf(&spec, "%s:", type);
        free(type);
    }
    buf_add_text(&spec, arg);
    r->specs = alloc_resize(r->specs, r->count + 1, sizeof *r->specs);
    r->specs[r->count++] = buf_take(&spec);
}

static void take_flag(struct run *r, int c)
{
    switch (c) {
    case 'c':
        r->config_directory = optarg;
        break;
    case 'd':
        r->remove = optarg;
        break;
    case 'q':
        r->query = optarg;
        break;
    case 's':
        r->list = true;
        break;
    case 'i':
        r->add = true;
        break;
    case 'v':
        log_verbose(1);
        break;
    default:
        usage(r);
    }
}

static void take_make_flag(struct run *r, int c)
{
    switch (c) {
    case 'f':
        r->make.flags |= TABLE_KEEP_CASE;
        break;
    case 'u':
        r->make.flags |= TABLE_BYTES;
        break;
    case 'n':
    case 'N':
        r->make.no_nul = c == 'n';
        break;
    case 'o':
        r->make.keep_privileges = true;
        break;
    case 'p':
        r->make.default_mode = true;
        break;
    case 'r':
        r->make.duplicates = MAPMAKE_REPLACE;
        break;
    case 'w':
        r->make.duplicates = MAPMAKE_IGNORE;
        break;
    default:
        take_flag(r, c);
    }
}

/* Standard input, whole. */
static struct buf read_input(void)
{
    struct buf text = BUF_INIT;
    struct error err;

    if (io_read_all(STDIN_FILENO, &text, MAPMAKE_TEXT_MAX, "standard input",
                    &err) < 0)
        log_fatal("%s", err.text);
    return text;
}

/* The keys to work on: one, or with "-" a line each. */
struct keys {
    struct buf text;
    struct view *list;
    size_t count;
};

static struct keys take_keys(const char *key)
{
    struct keys k = { .text = BUF_INIT };
    struct view rest, line;
    size_t room = 16;

    k.list = alloc_resize(NULL, room, sizeof *k.list);
    if (strcmp(key, "-") != 0) {
        k.list[k.count++] = view_of(key);
        return k;
    }
    k.text = read_input();
    rest = buf_view(&k.text);
    while (view_cut(&rest, '\n', &line)) {
        if (rest.data != NULL && rest.len == 0)
            rest.data = NULL; /* the text ended with a newline */
        if (k.count == room)
            k.list = alloc_resize(k.list, room *= 2, sizeof *k.list);
        k.list[k.count++] = line;
    }
    return k;
}

static void drop_keys(struct keys *k)
{
    buf_release(&k->text);
    free(k->list);
}

static int do_remove(struct run *r)
{
    struct keys k = take_keys(r->remove);
    bool found = false;
    struct error err;

    for (size_t i = 0; i < r->count; i++) {
        int n = mapmake_delete(&r->make, r->specs[i], k.list, k.count, &err);

        if (n < 0)
            log_fatal("%s", err.text);
        found |= n > 0;
    }
    drop_keys(&k);
    return found ? 0 : 1;
}

/* Ask the tables of this run, each opened when its turn first comes, for one
 * key: 1, 0, -1. */
static int ask(struct run *r, struct table **tables, struct view key,
               struct buf *out, struct error *err)
{
    for (size_t i = 0; i < r->count; i++) {
        int found;

        if (tables[i] == NULL)
            tables[i] = table_open(NULL, r->specs[i], r->make.flags, err);
        if (tables[i] == NULL)
            return -1;
        found = table_lookup(tables[i], key, out, err);
        if (found < 0)
            return error_prefix(err, "table %s: query error",
                                table_name(tables[i]));
        if (found == 1 && out->len == 0)
            log_warning("table %s: key %.*s: empty string result is not "
                        "allowed", table_name(tables[i]), VIEW_ARG(key));
        if (found == 1)
            return 1;
    }
    return 0;
}

static int do_query(struct run *r)
{
    struct table **tables = alloc_zero(r->count, sizeof *tables);
    struct keys k = take_keys(r->query);
    struct buf value = BUF_INIT;
    bool many = strcmp(r->query, "-") == 0, any = false;
    struct error err;
    int found = 0;

    for (size_t i = 0; i < k.count && found >= 0; i++) {
        buf_reset(&value);
        found = ask(r, tables, k.list[i], &value, &err);
        if (found <= 0)
            continue;
        any = true;
        if (many)
            printf("%.*s%s", VIEW_ARG(k.list[i]), r->cmd->separator);
        fwrite(buf_text(&value), 1, value.len, stdout);
        putchar('\n');
    }
    buf_release(&value);
    drop_keys(&k);
    for (size_t i = 0; i < r->count; i++)
        table_close(&tables[i]);
    free(tables);
    if (found < 0)
        log_fatal("%s", err.text);
    return any ? 0 : 1;
}

static int print_entry(struct view key, struct view value, void *arg)
{
    const struct run *r = arg;

    printf("%.*s%s%.*s\n", VIEW_ARG(key), r->cmd->separator, VIEW_ARG(value));
    return ferror(stdout);
}

static int do_list(struct run *r)
{
    struct error err;

    for (size_t i = 0; i < r->count; i++) {
        struct table *t = table_open(NULL, r->specs[i], r->make.flags, &err);

        if (t == NULL || table_each(t, print_entry, r, &err) < 0)
            log_fatal("%s", err.text);
        table_close(&t);
    }
    return 0;
}

static int do_make(struct run *r)
{
    struct buf text = BUF_INIT;
    struct error err;

    if (r->add)
        text = read_input();
    for (size_t i = 0; i < r->count; i++) {
        int rc = r->add ? mapmake_add(&r->make, r->specs[i], buf_view(&text),
                                      "stdin", &err)
                        : mapmake_build(&r->make, r->specs[i], &err);

        if (rc < 0)
            log_fatal("%s", err.text);
    }
    buf_release(&text);
    return 0;
}

/* Output that did not get out is a failure, too. */
static int finish(struct run *r, int code)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        log_fatal("cannot write to standard output");
    for (size_t i = 0; i < r->count; i++)
        free(r->specs[i]);
    free(r->specs);
    return code;
}

int mapcmd_main(const struct mapcmd *cmd, int argc, char **argv)
{
    struct run r = { .cmd = cmd, .make.aliases = cmd->aliases };
    int c;

    log_name(cmd->program);
    opterr = 0; /* usage() says it in our own words */
    while ((c = getopt(argc, argv, OPTIONS)) >= 0)
        take_make_flag(&r, c);
    if ((r.query != NULL) + (r.remove != NULL) + r.list > 1)
        log_fatal("specify only one of -s -q or -d");
    if (optind == argc)
        usage(&r);
    for (; optind < argc; optind++)
        add_spec(&r, argv[optind]);
    if (r.remove != NULL)
        return finish(&r, do_remove(&r));
    if (r.query != NULL)
        return finish(&r, do_query(&r));
    return finish(&r, r.list ? do_list(&r) : do_make(&r));
}
