/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/io.h"
#include "base/list.h"
#include "base/map.h"
#include "config/internal.h"
#include "config/lines.h"

static struct entry *find(const struct config *cfg, struct view name)
{
    struct map_node *n = map_find(&cfg->entries, name);

    return n ? map_entry(n, struct entry, node) : NULL;
}

static void set(struct config *cfg, struct view name, struct view value,
                const char *where)
{
    struct entry *e = find(cfg, name);

    if (e == NULL) {
        e = alloc_zero(1, sizeof *e);
        e->name = alloc_copy(name.data, name.len);
        e->node.key = view_of(e->name);
        map_add(&cfg->entries, &e->node);
    } else {
        e->times++;
        free(e->value);
        free(e->where);
    }
    e->value = alloc_copy(value.data, value.len);
    e->where = alloc_text(where);
}

/* Not "#...", which main.cf could not hold: it would be a comment there. */
static bool is_name(struct view v)
{
    if (view_starts(v, "#"))
        return false;
    for (size_t i = 0; i < v.len; i++)
        if (!ascii_is_visible(v.data[i]) || strchr("${}()=", v.data[i]))
            return false;
    return v.len > 0;
}

/* "name = value", split and checked. */
static int split(struct view line, struct view *name, struct view *value,
                 const char *where, struct error *err)
{
    size_t at = view_index(line, '=');

    if (memchr(line.data, '\0', line.len) != NULL)
        return error_set(err, FAIL_PERM, "%s: a NUL byte in the text", where);
    if (at == line.len)
        return error_set(err, FAIL_PERM, "%s: missing '=' after \"%.*s\"; "
                         "write: name = value", where,
                         (int)(line.len < 60 ? line.len : 60), line.data);
    *name = view_trim(view_sub(line, 0, at));
    *value = view_trim(view_sub(line, at + 1, line.len));
    if (!is_name(*name))
        return error_set(err, FAIL_PERM, "%s: \"%.*s\" is not a parameter's "
                         "name", where,
                         (int)(name->len < 60 ? name->len : 60), name->data);
    return 0;
}

int config_parse(struct config **out, struct view text, const char *file,
                 struct error *err)
{
    struct config *cfg = alloc_zero(1, sizeof *cfg);
    struct lines l;
    struct view line;
    int rc = 0;

    lines_begin(&l, text);
    while (rc == 0 && lines_next(&l, &line)) {
        struct view name, value;
        char where[300];

        snprintf(where, sizeof where, "%s, line %u", file, l.line);
        if (line.len > CONFIG_VALUE_MAX)
            rc = error_set(err, FAIL_PERM, "%s: the line is longer than %d "
                           "bytes", where, CONFIG_VALUE_MAX);
        else if (split(line, &name, &value, where, err) < 0)
            rc = -1;
        else
            set(cfg, name, value, where);
    }
    lines_end(&l);
    if (rc < 0)
        config_free(&cfg);
    *out = cfg;
    return rc;
}

const char *config_directory(const char *option)
{
    if (option == NULL)
        option = getenv("POSTERN_CONFIG");
    return option ? option : CONFIG_DIRECTORY;
}

int config_read(struct config **cfg, const char *path, struct error *err)
{
    struct buf text = BUF_INIT;
    int rc = io_read_file(AT_FDCWD, path, &text, CONFIG_FILE_MAX, err);

    if (rc == 0)
        rc = config_parse(cfg, buf_view(&text), path, err);
    buf_release(&text);
    return rc;
}

int config_override(struct config *cfg, struct view setting, const char *where,
                    struct error *err)
{
    struct view name, value;

    setting = view_trim(setting);
    if (view_starts(setting, "{") && view_ends(setting, "}"))
        setting = view_trim(view_sub(setting, 1, setting.len - 1));
    if (split(setting, &name, &value, where, err) < 0)
        return -1;
    set(cfg, name, value, where);
    return 0;
}

const char *config_raw(const struct config *cfg, struct view name,
                       const char **where)
{
    struct entry *e = find(cfg, name);

    if (e == NULL)
        return NULL;
    if (where != NULL)
        *where = e->where;
    return e->value;
}

/* --- into a struct ----------------------------------------------------- */

static int load_one(const struct config *cfg, const struct param *p,
                    void *conf, struct error *err)
{
    const char *where = "the default";
    const char *raw = config_raw(cfg, view_of(p->name), &where);
    struct buf value = BUF_INIT;
    int rc;

    rc = config_expand(cfg, view_of(raw ? raw : p->def), &value, err);
    if (rc < 0)
        error_prefix(err, "%s: %s", where, p->name);
    else
        rc = param_parse(p, buf_text(&value), (char *)conf + p->offset, where,
                         err);
    buf_release(&value);
    return rc;
}

int config_load(const struct config *cfg, const struct param *params,
                void *conf, struct error *err)
{
    const struct param *p;

    for (p = params; p->name != NULL; p++)
        if (p->type == PARAM_TYPE_TEXT)
            *(char **)((char *)conf + p->offset) = NULL;
    for (p = params; p->name != NULL; p++) {
        if (load_one(cfg, p, conf, err) < 0) {
            config_unload(params, conf);
            return -1;
        }
    }
    return 0;
}

void config_unload(const struct param *params, void *conf)
{
    for (const struct param *p = params; p->name != NULL; p++) {
        char **text = (char **)((char *)conf + p->offset);

        if (p->type != PARAM_TYPE_TEXT)
            continue;
        free(*text);
        *text = NULL;
    }
}

/* --- the whole --------------------------------------------------------- */

struct walk {
    void (*fn)(const char *name, const char *value, void *arg);
    void *arg;
};

static void visit(struct map_node *n, void *arg)
{
    struct entry *e = map_entry(n, struct entry, node);
    struct walk *w = arg;

    w->fn(e->name, e->value, w->arg);
}

void config_each(const struct config *cfg,
                 void (*fn)(const char *name, const char *value, void *arg),
                 void *arg)
{
    struct walk w = { fn, arg };

    map_each(&cfg->entries, visit, &w);
}

void config_free(struct config **cfg)
{
    struct map_node *n;

    if (*cfg == NULL)
        return;
    while ((n = map_any(&(*cfg)->entries)) != NULL) {
        struct entry *e = map_entry(n, struct entry, node);

        map_remove(&(*cfg)->entries, n);
        free(e->name);
        free(e->value);
        free(e->where);
        free(e);
    }
    free(*cfg);
    *cfg = NULL;
}
