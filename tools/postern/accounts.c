/* SPDX-License-Identifier: BSD-2-Clause */
/* postern tenant|domain|user|alias add|list|set|del, postern user passwd. */
#include "tools/postern/postern.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "maildir/maildir.h"
#include "proto/accounts.h"

#define ANSWER_MS 60000

static void connect_authd(struct ipc *c)
{
    int fd = command_connect(ACCOUNTS_SOCKET, SOCK_SEQPACKET);

    if (fd < 0)
        command_fail(EX_UNAVAILABLE, "cannot reach the directory: %s; start "
                     "the mail system first: postern start",
                     strerrordesc_np(errno));
    ipc_init(c, fd, ANSWER_MS);
}

/* --- passwords --------------------------------------------------------- */

/* 20 letters and digits without those that look alike: 5 bits each. */
static void generate(char *out)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    unsigned char bytes[20];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        command_fail(EX_OSERR, "no random numbers");
    for (int i = 0; i < 20; i++)
        *out++ = letters[bytes[i] & 31];
    *out = '\0';
}

/* From standard input: a line, not shown when it is a terminal. */
static bool read_password(char *out, size_t size)
{
    struct termios old, quiet;
    bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    size_t n;
    char *got;

    if (tty) {
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fputs("Password: ", stderr);
    }
    got = fgets(out, (int)size, stdin);
    if (tty) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    n = got ? strlen(out) : 0;
    if (n > 0 && out[n - 1] == '\n')
        out[--n] = '\0';
    return n > 0;
}

/* --- arguments --------------------------------------------------------- */

static bool parse_size(const char *text, uint64_t *out)
{
    struct view v = view_of(text);
    unsigned shift = 0;

    if (v.len > 0 && strchr("kKmMgG", v.data[v.len - 1]) != NULL) {
        shift = strchr("kK", v.data[v.len - 1]) ? 10
              : strchr("mM", v.data[v.len - 1]) ? 20 : 30;
        v.len--;
    }
    if (!view_number(v, UINT64_MAX >> (shift + 1), out))
        return false;
    *out <<= shift;
    return true;
}

struct arguments {
    struct account_request r;
    struct buf targets;
    char password[1001];
    bool show_password;
};

static void take_option(struct arguments *a, const char *option,
                        const char *value)
{
    if (strcmp(option, "--tenant") == 0) {
        a->r.tenant = view_of(value);
        a->r.has |= ACCOUNT_HAS_TENANT;
    } else if (strcmp(option, "--quota") == 0) {
        if (!parse_size(value, &a->r.quota))
            command_fail(EX_USAGE, "--quota %s is not a size: bytes, or with "
                         "k, M or G", value);
        a->r.has |= ACCOUNT_HAS_QUOTA;
    } else if (strcmp(option, "--enabled") == 0) {
        a->r.enabled = strcmp(value, "yes") == 0;
        if (!a->r.enabled && strcmp(value, "no") != 0)
            command_fail(EX_USAGE, "--enabled is yes or no, not %s", value);
        a->r.has |= ACCOUNT_HAS_ENABLED;
    } else {
        command_fail(EX_USAGE, "there is no option %s", option);
    }
}

static void want_password(struct arguments *a, const char *option)
{
    a->r.has |= ACCOUNT_HAS_PASSWORD;
    if (strcmp(option, "--generate") == 0) {
        generate(a->password);
        a->show_password = true;
    } else if (!read_password(a->password, sizeof a->password)) {
        command_fail(EX_DATAERR, "no password was given");
    }
    a->r.password = view_of(a->password);
}

static void parse(struct arguments *a, int argc, char **argv)
{
    bool named = false;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--generate") == 0 ||
            strcmp(argv[i], "--password-stdin") == 0)
            want_password(a, argv[i]);
        else if (argv[i][0] == '-' && i + 1 < argc)
            take_option(a, argv[i], argv[i + 1]), i++;
        else if (argv[i][0] == '-')
            command_fail(EX_USAGE, "%s needs a value", argv[i]);
        else if (!named)
            a->r.name = view_of(argv[i]), named = true;
        else
            buf_addf(&a->targets, "%s%s", a->targets.len ? "\n" : "", argv[i]);
    }
    a->r.targets = buf_view(&a->targets);
}

/* --- asking ------------------------------------------------------------ */

static void print_json(const struct account_line *l)
{
    struct buf out = BUF_INIT;

    buf_add_text(&out, "{\"name\": ");
    json_add_text(&out, l->name);
    buf_add_text(&out, ", \"tenant\": ");
    json_add_text(&out, l->tenant);
    buf_addf(&out, ", \"quota\": %llu, \"enabled\": %s, \"uid\": %u, "
             "\"targets\": [", (unsigned long long)l->quota,
             l->enabled ? "true" : "false", l->uid);
    for (struct view rest = l->targets, t; l->targets.len > 0 &&
                                           view_cut(&rest, '\n', &t);) {
        buf_add_text(&out, t.data == l->targets.data ? "" : ", ");
        json_add_text(&out, t);
    }
    buf_add_text(&out, "]}");
    puts(buf_text(&out));
    buf_release(&out);
}

struct printing {
    unsigned noun;
    bool json;
};

static void print_line(const struct account_line *l, void *arg)
{
    const struct printing *to = arg;
    unsigned noun = to->noun;

    if (to->json) {
        print_json(l);
        return;
    }
    printf("%.*s", VIEW_ARG(l->name));
    if (noun == ACCOUNT_TENANT)
        printf("\tuid=%u", l->uid);
    else
        printf("\ttenant=%.*s", VIEW_ARG(l->tenant));
    if (noun == ACCOUNT_USER)
        printf("\tquota=%llu%s", (unsigned long long)l->quota,
               l->enabled ? "" : "\tdisabled");
    for (struct view rest = l->targets, t; l->targets.len > 0 &&
                                           view_cut(&rest, '\n', &t);)
        printf("\t%.*s", VIEW_ARG(t));
    putchar('\n');
}

/* Ask, and hand each line of the answer on. */
static void ask(const struct account_request *r,
                void (*each)(const struct account_line *l, void *arg),
                void *arg)
{
    struct account_line line;
    struct account_done done = { .why = VIEW("") };
    struct ipc_packet packet;
    struct error err;
    struct ipc c;

    connect_authd(&c);
    if (ipc_send(&c, &account_request_type, r, &err) < 0)
        command_fail(EX_DATAERR, "%s", err.text);
    for (;;) {
        if (ipc_recv(&c, &packet, &err) <= 0)
            command_fail(EX_UNAVAILABLE, "authd gave no answer");
        if (ipc_id(packet.bytes) == account_done_type.id)
            break;
        if (ipc_packet_decode(&packet, &account_line_type, &line, &err) == 0)
            each(&line, arg);
    }
    if (ipc_packet_decode(&packet, &account_done_type, &done, &err) == 0 &&
        done.why.len > 0)
        command_fail(EX_DATAERR, "%.*s", VIEW_ARG(done.why));
    ipc_release(&c);
}

/* --- mailboxes --------------------------------------------------------- */

static void find_mailbox(const struct account_line *l, void *arg)
{
    char *base = command_value("virtual_mailbox_base");
    struct buf *path = arg;

    buf_reset(path);
    buf_addf(path, "%s/%.*s/", base, VIEW_ARG(l->tenant));
    if (!maildir_account_path(path, l->name) ||
        access(buf_text(path), F_OK) < 0)
        buf_reset(path);
    free(base);
}

/* Where is the mail of this account, if there is any? */
static void mailbox_of(struct view address, struct buf *path)
{
    struct account_request r = { .noun = ACCOUNT_USER, .verb = ACCOUNT_LIST,
                                 .name = address };

    ask(&r, find_mailbox, path);
}

/* Do what was asked; a mailbox that outlives its account is not to be a
 * surprise to whoever has its name next. */
static void ask_for_user(const struct account_request *r, struct printing *to)
{
    struct buf path = BUF_INIT;

    if (r->verb == ACCOUNT_DEL)
        mailbox_of(r->name, &path);
    ask(r, print_line, to);
    if (path.len > 0)
        command_say("note", "its mail stays in %s", buf_text(&path));
    if (r->verb == ACCOUNT_ADD) {
        mailbox_of(r->name, &path);
        if (path.len > 0)
            command_say("note", "mail of an earlier account of this name is "
                        "this one's now: %s", buf_text(&path));
    }
    buf_release(&path);
}

static int run(struct postern *p, enum account_noun noun, int argc,
               char **argv)
{
    static const char *const verbs[] = { "add", "list", "set", "del" };
    struct arguments a = { .r = { .noun = noun, .verb = 99, .enabled = 1 } };
    struct printing to = { noun, p->json };
    const char *verb = argc > 0 ? argv[0] : "list";

    for (unsigned i = 0; i < 4; i++)
        if (strcmp(verb, verbs[i]) == 0)
            a.r.verb = i;
    if (noun == ACCOUNT_USER && strcmp(verb, "passwd") == 0)
        a.r.verb = ACCOUNT_SET;
    if (a.r.verb == 99)
        command_fail(EX_USAGE, "what to do is add, list, set or del, not %s",
                     verb);
    parse(&a, argc > 0 ? argc - 1 : 0, argv + 1);
    if (strcmp(verb, "passwd") == 0 && !(a.r.has & ACCOUNT_HAS_PASSWORD))
        want_password(&a, "");
    if (noun != ACCOUNT_ALIAS && a.targets.len > 0)
        command_fail(EX_USAGE, "%s takes one name, and not also %s", verb,
                     buf_text(&a.targets));
    if (a.r.verb != ACCOUNT_LIST && a.r.name.len == 0)
        command_fail(EX_USAGE, "%s needs a name", verb);
    if (noun == ACCOUNT_USER)
        ask_for_user(&a.r, &to);
    else
        ask(&a.r, print_line, &to);
    if (a.show_password)
        printf("%s\n", a.password);
    explicit_bzero(a.password, sizeof a.password);
    buf_release(&a.targets);
    return 0;
}

int verb_tenant(struct postern *p, int argc, char **argv)
{
    return run(p, ACCOUNT_TENANT, argc, argv);
}

int verb_domain(struct postern *p, int argc, char **argv)
{
    return run(p, ACCOUNT_DOMAIN, argc, argv);
}

int verb_user(struct postern *p, int argc, char **argv)
{
    return run(p, ACCOUNT_USER, argc, argv);
}

int verb_alias(struct postern *p, int argc, char **argv)
{
    return run(p, ACCOUNT_ALIAS, argc, argv);
}
