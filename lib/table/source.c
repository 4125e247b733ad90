/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/source.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/io.h"
#include "base/utf8.h"
#include "table/braces.h"
#include "table/table_type.h"

void source_identify(const struct stat *st, struct source_id *id)
{
    *id = (struct source_id){ st->st_dev, st->st_ino, st->st_size,
                              st->st_ctim };
}

bool source_changed(const char *path, const struct source_id *id)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    return st.st_dev != id->dev || st.st_ino != id->ino ||
           st.st_size != id->size ||
           st.st_ctim.tv_sec != id->changed.tv_sec ||
           st.st_ctim.tv_nsec != id->changed.tv_nsec;
}

static int read_file(struct source *s, const struct table *t,
                     struct error *err)
{
    int fd = open(t->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    int rc;

    /* Identify first: a change while we read is then seen as one. */
    if (fd < 0 || fstat(fd, &st) < 0) {
        rc = error_sys(err, "cannot open table %s", t->spec);
    } else {
        source_identify(&st, &s->id);
        rc = io_read_all(fd, &s->text, TABLE_TEXT_MAX, t->spec, err);
    }
    io_close(&fd);
    return rc;
}

static int read_name(struct source *s, const struct table *t,
                     struct error *err)
{
    struct view rest = view_of(t->name), rules, word, rule;

    s->in_name = true;
    if (!braces_take(&rest, &rules) || view_trim(rest).len > 0)
        return error_set(err, FAIL_PERM,
                         "cannot open table %s: the { } do not match",
                         t->spec);
    while (braces_word(&rules, &word)) {
        if (!braces_take(&word, &rule) || word.len > 0)
            return error_set(err, FAIL_PERM,
                             "cannot open table %s: want %s:{ { rule }, "
                             "{ rule } }, each rule in its own { }", t->spec,
                             t->type->name);
        buf_add_view(&s->text, rule);
        buf_add_char(&s->text, '\n');
    }
    return 0;
}

int source_read(struct source *s, const struct table *t, struct error *err)
{
    s->what = t->name;
    return t->name[0] == '{' ? read_name(s, t, err) : read_file(s, t, err);
}

/* What is wrong with a logical line before anybody looks at its meaning. */
static const char *line_fault(const struct table *t, struct view line,
                              bool indented)
{
    if (indented)
        return "a logical line must not start with white space";
    if (view_index(line, '\0') != line.len)
        return "it holds a NUL character";
    if (!(t->flags & TABLE_BYTES) && !utf8_is_valid(line))
        return "it is not UTF-8";
    return NULL;
}

bool source_next(const struct table *t, struct lines *l, const char *what,
                 struct view *line)
{
    while (lines_next(l, line)) {
        bool indented = l->text.len > 0 && ascii_is_space(l->text.data[0]);
        const char *fault = line_fault(t, *line, indented);

        if (fault == NULL)
            return true;
        table_warn(t, "%s, line %u: %s: ignoring this line", what, l->line,
                   fault);
    }
    return false;
}

void source_release(struct source *s)
{
    buf_release(&s->text);
}
