/* SPDX-License-Identifier: BSD-2-Clause */
/* postlog - write lines into the mail log. */
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "proto/log.h"
#include "tools/common/command.h"

#define ANSWER_MS 10000

static const struct {
    const char *name;
    enum log_level level;
    const char *prefix;
} priorities[] = {
    { "info", LEVEL_INFO, "" },
    { "warn", LEVEL_WARNING, "warning: " },
    { "warning", LEVEL_WARNING, "warning: " },
    { "error", LEVEL_ERROR, "error: " },
    { "fatal", LEVEL_ERROR, "fatal: " },
    { "panic", LEVEL_PANIC, "panic: " },
};

struct postlog {
    struct ipc line;
    char *tag;
    size_t priority; /* its place in the table */
    bool echo;       /* to standard error too */
};

static void usage(FILE *to, int code)
{
    fprintf(to, "usage: postlog [-iv] [-c config_directory] [-p priority] "
                "[-t tag] [text...]\n"
                "  -p  info (the default), warn, error, fatal or panic\n"
                "  -t  the tag that the lines begin with, instead of "
                "syslog_name/postlog\n"
                "  -i  with the process id, as all our lines are\n"
                "Without text it logs the lines of its standard input.\n");
    exit(code);
}

static size_t priority_of(const char *name)
{
    size_t n = sizeof priorities / sizeof *priorities;

    for (size_t i = 0; i < n; i++)
        if (strcmp(priorities[i].name, name) == 0)
            return i;
    command_fail(EX_USAGE, "the priority \"%s\" is none of info, warn, error, "
                 "fatal, panic", name);
}

/* Only root's lines are taken: whoever writes the log can have tools that
 * read it shut an address out. */
static void log_one(struct postlog *p, struct view text)
{
    struct buf b = BUF_INIT;
    struct log_entry e = { view_of(p->tag), priorities[p->priority].level,
                           VIEW("") };
    struct error err;

    buf_add_text(&b, priorities[p->priority].prefix);
    for (size_t i = 0; i < text.len && b.len < LOG_LINE_MAX; i++)
        buf_add_char(&b, ascii_is_control(text.data[i]) ? ' ' : text.data[i]);
    e.text = buf_view(&b);
    if (p->echo)
        fprintf(stderr, "%s: %s\n", p->tag, buf_text(&b));
    if (ipc_call(&p->line, &log_entry_type, &e, &log_entered_type, NULL,
                 &err) < 0)
        command_fail(EX_NOPERM, "the line was not taken: only root and the "
                     "owner of the suite write to the mail log (%s)",
                     err.text);
    buf_release(&b);
}

static void log_input(struct postlog *p)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while ((len = getline(&line, &size, stdin)) >= 0)
        log_one(p, view_trim((struct view){ line, (size_t)len }));
    free(line);
}

static void log_arguments(struct postlog *p, char **words)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; words[i] != NULL; i++)
        buf_addf(&b, "%s%s", i > 0 ? " " : "", words[i]);
    log_one(p, buf_view(&b));
    buf_release(&b);
}

static char *default_tag(void)
{
    struct buf b = BUF_INIT;
    char *name = command_value("syslog_name");

    buf_addf(&b, "%s/postlog", name);
    free(name);
    return buf_take(&b);
}

int main(int argc, char **argv)
{
    struct postlog p = { .tag = NULL };
    const char *directory = NULL, *priority = "info";
    int opt, fd;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        usage(stdout, 0);
    while ((opt = getopt(argc, argv, "c:ip:t:v")) != -1) {
        if (opt == 'c')
            directory = optarg;
        else if (opt == 'p')
            priority = optarg;
        else if (opt == 't')
            p.tag = alloc_text(optarg);
        else if (opt == '?')
            usage(stderr, EX_USAGE);
    }
    command_begin(directory);
    p.priority = priority_of(priority);
    if (p.tag == NULL)
        p.tag = default_tag();
    if (!log_is_tag(view_of(p.tag)))
        command_fail(EX_USAGE, "the tag \"%s\" must be 1 to %d letters, "
                     "digits and the marks -_./", p.tag, LOG_TAG_MAX);
    p.echo = isatty(STDERR_FILENO);
    fd = command_connect(LOG_SOCKET, SOCK_SEQPACKET);
    if (fd < 0)
        command_fail(EX_UNAVAILABLE, "Cannot write to the mail log - mail "
                     "system is down");
    ipc_init(&p.line, fd, ANSWER_MS);
    if (optind < argc)
        log_arguments(&p, argv + optind);
    else
        log_input(&p);
    ipc_release(&p.line);
    free(p.tag);
    return 0;
}
