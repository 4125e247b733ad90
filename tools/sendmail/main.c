/* SPDX-License-Identifier: BSD-2-Clause */
/* sendmail, mailq, newaliases - what local programs have always used. */
#include "tools/sendmail/sendmail.h"

#include <errno.h>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "mail/header.h"
#include "mail/header_write.h"
#include "tools/common/command.h"

/* A command runs in no jail and may ask who its user is. */
#undef getpwuid

enum mode { DELIVER, SMTP, LIST, VERIFY, FLUSH, ALIASES };

static void usage(FILE *to, int code)
{
    fprintf(to,
        "usage: sendmail [-C directory] [-bi|-bm|-bp|-bs|-bv] [-f sender] "
        "[-F name] [-i] [-t]\n"
        "                [-N notify] [-R ret] [-V envid] [-q] [-v] "
        "[recipient ...]\n"
        "  -t  take recipients from the header   -i, -oi  a dot alone is text\n"
        "  -bp list the queue (mailq)            -bs speak SMTP\n"
        "  -bv say who could be delivered to     -q  try the queue now\n"
        "  -bi, -I  make the tables of alias_database anew (newaliases)\n");
    exit(code);
}

/* Who runs this, when -f does not say. */
static const char *default_sender(void)
{
    struct passwd *pw = getpwuid(getuid());
    struct buf b = BUF_INIT;

    if (pw != NULL)
        buf_add_text(&b, pw->pw_name);
    else
        buf_addf(&b, "uid%u", getuid());
    return buf_take(&b);
}

/* -F: a From header with this name, when the message has none; without -F, or
 * when it cannot be a name, cleanup makes one. */
static void add_from(struct submission *s)
{
    struct buf with = BUF_INIT, address = BUF_INIT;
    struct header_field f;
    struct error err;

    if (s->full_name == NULL ||
        header_find(buf_view(&s->text), "From", &f))
        return;
    buf_add_text(&address, s->sender);
    if (strchr(s->sender, '@') == NULL) {
        char *origin = command_value("myorigin");

        buf_addf(&address, "@%s", origin);
        free(origin);
    }
    if (header_write_mailbox(&with, "From", view_of(s->full_name),
                             buf_view(&address), &err) < 0)
        command_say("warning", "-F: %s", err.text);
    buf_release(&address);
    buf_add_view(&with, buf_view(&s->text));
    buf_release(&s->text);
    s->text = with;
}

/* -bX */
static enum mode mode_of(const char *arg)
{
    switch (arg[0]) {
    case 'm':
    case 'a':
        return DELIVER;
    case 's':
        return SMTP;
    case 'p':
        return LIST;
    case 'v':
        return VERIFY;
    case 'i':
        return ALIASES;
    default:
        command_fail(EX_USAGE, "unsupported: -b%s", arg);
    }
}

/* -N: never, or a list of the others (RFC 3461 section 4.1). */
static const char *notify_of(const char *arg)
{
    struct view rest = view_of(arg), word;
    bool good = arg[0] != '\0';

    while (view_word(&rest, ",", &word))
        good = good && (view_is_nocase(word, "success") ||
                        view_is_nocase(word, "failure") ||
                        view_is_nocase(word, "delay") ||
                        (view_is_nocase(word, "never") && word.data == arg &&
                         rest.len == 0));
    if (good)
        return arg;
    command_fail(EX_USAGE, "-N %s is neither \"never\" nor a list of "
                 "success, failure, delay", arg);
}

/* -R (RFC 3461 section 4.3) */
static const char *ret_of(const char *arg)
{
    if (strcasecmp(arg, "full") == 0)
        return "FULL";
    if (strcasecmp(arg, "hdrs") == 0)
        return "HDRS";
    command_fail(EX_USAGE, "-R %s is neither full nor hdrs", arg);
}

struct options {
    enum mode mode;
    const char *directory, *flush_id, *flush_site;
};

static void take_option(int opt, struct options *o, struct submission *s)
{
    switch (opt) {
    case 'C':
        o->directory = optarg;
        break;
    case 'b':
        o->mode = mode_of(optarg);
        break;
    case 'f':
    case 'r':
        s->sender = optarg;
        break;
    case 'F':
        s->full_name = optarg;
        break;
    case 'i':
        s->ignore_dots = true;
        break;
    case 'o': /* -oi counts; all others are of another time */
        s->ignore_dots = s->ignore_dots || strcmp(optarg, "i") == 0;
        break;
    case 't':
        s->from_header = true;
        break;
    case 'I':
        o->mode = ALIASES;
        break;
    case 'v':
        s->verbose = true;
        break;
    case 'q':
        o->mode = FLUSH;
        if (optarg != NULL && optarg[0] == 'I')
            o->flush_id = optarg + 1;
        if (optarg != NULL && optarg[0] == 'R')
            o->flush_site = optarg + 1;
        break;
    case 'N':
        s->notify = notify_of(optarg);
        break;
    case 'R':
        s->ret = ret_of(optarg);
        break;
    case 'V':
        s->envid = optarg;
        break;
    case '?':
        usage(stderr, EX_USAGE);
    }
}

static int deliver(struct submission *s, const struct options *o, int argc,
                   char **argv)
{
    int code;

    if (s->sender == NULL)
        s->sender = default_sender();
    if (s->sender[0] == '<' && s->sender[strlen(s->sender) - 1] == '>')
        s->sender = alloc_copy(s->sender + 1, strlen(s->sender) - 2);
    s->verify_only = o->mode == VERIFY;
    for (int i = 0; i < argc; i++)
        message_add_rcpts(s, argv[i]);
    if (!s->verify_only)
        message_read(s);
    if (s->from_header)
        message_take_rcpts(s);
    add_from(s);
    code = submit(s);
    for (size_t i = 0; i < s->n_rcpts; i++)
        free(s->rcpts[i]);
    free(s->rcpts);
    buf_release(&s->text);
    return code;
}

/* Become postalias, which stands beside us, for the tables that are made from
 * a source; the others are read as they are. */
static int make_aliases(void)
{
    char *list = command_value("alias_database"), path[4096], *slash;
    char **args = alloc_zero(strlen(list) + 3, sizeof *args);
    struct view rest = view_of(list), word;
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 16);
    size_t n = 1;

    while (view_word(&rest, ", \t", &word))
        if (view_starts(word, "hash:") || view_starts(word, "btree:"))
            args[n++] = alloc_copy(word.data, word.len);
    if (n == 1)
        command_fail(EX_CONFIG, "alias_database names no hash: or btree: "
                     "table");
    snprintf(path + (len > 0 ? len : 0), 16, "%s", "");
    slash = strrchr(path, '/');
    snprintf(slash ? slash + 1 : path, 16, "postalias");
    args[0] = path;
    execv(path, args);
    command_fail(EX_OSFILE, "cannot run %s", path);
}

int main(int argc, char **argv)
{
    const char *name = program_invocation_short_name;
    struct submission s = { .sender = NULL };
    struct options o = { DELIVER, NULL, "", "" };
    int opt;

    if (strcmp(name, "mailq") == 0)
        o.mode = LIST;
    if (strcmp(name, "newaliases") == 0)
        o.mode = ALIASES;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        usage(stdout, 0);
    while ((opt = getopt(argc, argv, "A:B:b:C:cdeEF:f:GgH:h:IiL:mN:nO:o:p:"
                                     "q::R:r:stUV:vX:x:")) != -1)
        take_option(opt, &o, &s);
    command_begin(o.directory);
    switch (o.mode) {
    case LIST:
        return queue_print(false);
    case SMTP:
        return submit_smtp();
    case ALIASES:
        return make_aliases();
    case FLUSH:
        queue_flush_now(o.flush_id, o.flush_site);
        return 0;
    default:
        return deliver(&s, &o, argc - optind, argv + optind);
    }
}
