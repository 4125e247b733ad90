/* SPDX-License-Identifier: BSD-2-Clause */
/* postern trace - the life of a message, and of the notifications about it. */
#include <errno.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "tools/postern/postern.h"

#define IDS_MAX 100
#define ID_LEN  16

struct trace {
    char ids[IDS_MAX][ID_LEN + 1];
    size_t n;
    unsigned lines;
};

static bool is_id(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (!ascii_is_digit(v.data[i]) &&
            (v.data[i] < 'A' || v.data[i] > 'F'))
            return false;
    return v.len == ID_LEN;
}

static bool has_word(struct view line, const char *id)
{
    struct view word;

    while (view_word(&line, " :,()<>[]\n", &word))
        if (view_is(word, id))
            return true;
    return false;
}

static bool is_known(const struct trace *t, const char *id)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->ids[i], id) == 0)
            return true;
    return false;
}

static bool is_about(const struct trace *t, struct view line)
{
    for (size_t i = 0; i < t->n; i++)
        if (has_word(line, t->ids[i]))
            return true;
    return false;
}

/* "ID: sender non-delivery notification: ID2": that one's life belongs to
 * it. */
static void follow(struct trace *t, struct view line)
{
    static const char mark[] = "notification: ";
    const char *at = memmem(line.data, line.len, mark, sizeof mark - 1);
    char text[ID_LEN + 1];
    struct view id;

    if (at == NULL || t->n == IDS_MAX)
        return;
    at += sizeof mark - 1;
    id = view_trim((struct view){ at, (size_t)(line.data + line.len - at) });
    if (is_id(id) && view_copy(id, text, sizeof text) && !is_known(t, text))
        memcpy(t->ids[t->n++], text, sizeof text);
}

/* Walk the log; `print`, or learn which other messages belong to it. */
static void walk(struct trace *t, FILE *f, bool print)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    rewind(f);
    while ((len = getline(&line, &size, f)) > 0) {
        struct view v = { line, (size_t)len };

        if (!is_about(t, v))
            continue;
        t->lines++;
        if (print)
            fwrite(line, 1, (size_t)len, stdout);
        else
            follow(t, v);
    }
    free(line);
}

/* Print what the open log has of t->ids[0] and all that is tied to it. */
static void print_all(struct trace *t, FILE *f)
{
    size_t before;

    /* A notification is logged by its own id first and tied to this one only
     * then, and may itself be told of further on. */
    do {
        before = t->n;
        walk(t, f, false);
    } while (t->n > before);
    walk(t, f, true);
}

int verb_trace(struct postern *p, int argc, char **argv)
{
    struct trace t = { .n = 1 };
    char *path;
    FILE *f;

    (void)p;
    if (argc < 1 || argc > 2 || !is_id(view_of(argv[0])))
        command_fail(EX_USAGE, "usage: postern trace QUEUEID [LOGFILE] (16 "
                     "digits and letters A to F, as in the log)");
    view_copy(view_of(argv[0]), t.ids[0], sizeof t.ids[0]);
    path = argc > 1 ? alloc_text(argv[1]) : command_value("maillog_file");
    if (strcmp(path, "syslog") == 0)
        command_fail(EX_USAGE, "maillog_file = syslog: say which file the "
                     "system's logger writes: postern trace %s LOGFILE",
                     argv[0]);
    f = fopen(path, "re");
    if (f == NULL)
        command_fail(EX_NOINPUT, "cannot read the log %s: %s", path,
                     strerrordesc_np(errno));
    print_all(&t, f);
    if (t.lines == 0)
        command_fail(1, "%s: nothing about %s", path, argv[0]);
    fclose(f);
    free(path);
    return 0;
}
