/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing main.cf: every line that is not the named parameter's stays as it
 * is. The new file takes the old one's place only when it is whole on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/io.h"
#include "tools/postconf/postconf.h"

/* One change; `done`: it stands in the new text. */
struct change {
    struct view name, value;
    bool done;
};

static struct change parse(const char *text, enum edit how)
{
    struct change c = { .name = view_trim(view_of(text)) };
    struct view rest = view_of(text);

    if (how == EDIT_SET) {
        if (strchr(text, '=') == NULL)
            command_fail(EX_USAGE, "\"%s\": missing '='; write: name=value",
                         text);
        view_cut(&rest, '=', &c.name);
        c.name = view_trim(c.name);
        c.value = view_trim(rest);
    }
    if (c.name.len == 0 || strpbrk(text, "\r\n") != NULL)
        command_fail(EX_USAGE, "\"%s\" is not a parameter's name", text);
    return c;
}

/* Does the physical line begin the setting of `name`? */
static bool sets(struct view line, struct view name)
{
    size_t at = view_index(line, '=');

    return at < line.len && line.len > 0 && !ascii_is_space(line.data[0]) &&
           line.data[0] != '#' &&
           view_eq(view_trim(view_sub(line, 0, at)), name);
}

/* An empty line or a comment: part of no setting, not even between its lines.
 */
static bool is_passed_over(struct view line)
{
    line = view_trim(line);
    return line.len == 0 || line.data[0] == '#';
}

static void replace(struct buf *out, struct change *c, enum edit how,
                    struct view line, bool is_first)
{
    if (how == EDIT_COMMENT) {
        buf_addf(out, "#%.*s\n", VIEW_ARG(line));
    } else if (how == EDIT_SET && is_first && !c->done) {
        buf_addf(out, "%.*s = %.*s\n", VIEW_ARG(c->name), VIEW_ARG(c->value));
        c->done = true;
    }
}

static void apply(struct buf *text, struct change *c, enum edit how)
{
    struct view rest = buf_view(text), line;
    struct buf out = BUF_INIT;
    bool inside = false;

    while (rest.len > 0 && view_cut(&rest, '\n', &line)) {
        bool first = sets(line, c->name);

        if (!is_passed_over(line))
            inside = first || (inside && ascii_is_space(line.data[0]));
        if (inside && !is_passed_over(line))
            replace(&out, c, how, line, first);
        else
            buf_addf(&out, "%.*s\n", VIEW_ARG(line));
    }
    if (how == EDIT_SET && !c->done)
        buf_addf(&out, "%.*s = %.*s\n", VIEW_ARG(c->name), VIEW_ARG(c->value));
    buf_release(text);
    *text = out;
}

/* Write it beside the old file, with that one's owner and mode. */
static void write_file(int dir, const struct buf *text)
{
    static const char temporary[] = "main.cf.postconf";
    struct stat st;
    struct error err;
    int fd;

    if (fstatat(dir, "main.cf", &st, 0) < 0)
        command_fail(EX_NOINPUT, "main.cf: %s", strerrordesc_np(errno));
    unlinkat(dir, temporary, 0); /* of a postconf that was killed */
    fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                0600);
    if (fd < 0)
        command_fail(EX_CANTCREAT, "%s: %s", temporary,
                     strerrordesc_np(errno));
    if ((st.st_uid != geteuid() && fchown(fd, st.st_uid, st.st_gid) < 0) ||
        fchmod(fd, st.st_mode & 07777) < 0 ||
        io_write_all(fd, text->data, text->len, temporary, &err) < 0 ||
        io_sync(fd) < 0 || renameat(dir, temporary, dir, "main.cf") < 0 ||
        io_sync(dir) < 0) {
        int why = errno;

        unlinkat(dir, temporary, 0);
        command_fail(EX_CANTCREAT, "cannot write main.cf: %s",
                     strerrordesc_np(why));
    }
    close(fd);
}

void edit_params(struct postconf *p, enum edit how, char **settings)
{
    struct buf text = BUF_INIT;
    struct config *changed = NULL;
    struct error err;
    int dir = open(p->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (*settings == NULL)
        command_fail(EX_USAGE, "which parameters?");
    if (dir < 0)
        command_fail(EX_NOINPUT, "%s: %s", p->directory,
                     strerrordesc_np(errno));
    if (io_read_file(dir, "main.cf", &text, CONFIG_FILE_MAX, &err) < 0)
        command_fail(EX_NOINPUT, "%s", err.text);
    for (; *settings != NULL; settings++) {
        struct change c = parse(*settings, how);

        apply(&text, &c, how);
    }
    if (config_parse(&changed, buf_view(&text), "main.cf", &err) < 0)
        command_fail(EX_DATAERR, "that would break main.cf: %s", err.text);
    config_free(&changed);
    write_file(dir, &text);
    buf_release(&text);
    close(dir);
}
