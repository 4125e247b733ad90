/* SPDX-License-Identifier: BSD-2-Clause */
/* postsuper - delete, hold, release, requeue messages. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "proto/queue.h"
#include "queue/qfile.h"
#include "tools/common/command.h"
#include "tools/common/offline.h"

struct change {
    char option;
    enum queue_change_kind kind;
    const char *line;  /* one message, on standard error as scripts expect */
    const char *total; /* of all */
};

static const struct change changes[] = {
    { 'd', QUEUE_DELETE, "removed", "Deleted" },
    { 'h', QUEUE_HOLD, "placed on hold", "Placed on hold" },
    { 'H', QUEUE_RELEASE, "released from hold", "Released from hold" },
    { 'r', QUEUE_REQUEUE, "requeued", "Requeued" },
};

struct run {
    struct ipc qmgr;
    int dir; /* of the queue, when nothing runs; else -1 */
    const char *queue; /* given behind ALL, or "" */
    bool strict, missing;
    unsigned totals[4];
};

static void usage(FILE *to, int code)
{
    fprintf(to, "usage: postsuper [-c config_directory] [--strict] "
                "[-d|-h|-H|-r queue_id|ALL|-]... [queue]\n"
                "  -d  delete   -h  hold   -H  release   -r  requeue\n"
                "  -   read queue ids from standard input\n"
                "  --strict  exit 1 when a message is not there\n");
    exit(code);
}

static void note(struct run *r, const struct change *ch, struct view id)
{
    fprintf(stderr, "postsuper: %.*s: %s\n", VIEW_ARG(id), ch->line);
    r->totals[ch - changes]++;
}

/* --- when nothing runs ------------------------------------------------- */

struct offline {
    struct run *run;
    const struct change *change;
    const char *id;
};

/* What qmgr does, without it: a message that is to be tried has its next
 * attempt, which is its file's time, now. */
static bool change_file(int dir, enum queue_change_kind kind,
                        const char *queue, const char *path, const char *id)
{
    const char *to = kind == QUEUE_HOLD ? "hold" : "deferred";
    bool is_held = strcmp(queue, "hold") == 0;
    char new[64];

    if (kind == QUEUE_DELETE)
        return unlinkat(dir, path, 0) == 0;
    if ((kind == QUEUE_HOLD && is_held) ||
        (kind == QUEUE_RELEASE && !is_held))
        return false;
    if (kind != QUEUE_HOLD)
        utimensat(dir, path, NULL, AT_SYMLINK_NOFOLLOW);
    snprintf(new, sizeof new, "%s/%s", to, id);
    return renameat(dir, path, dir, new) == 0;
}

static void apply_file(int dir, const char *queue, const char *id, void *arg)
{
    struct offline *o = arg;
    char path[64];

    if (strcmp(o->id, "ALL") != 0 && strcmp(o->id, id) != 0)
        return;
    snprintf(path, sizeof path, "%s/%s", queue, id);
    if (change_file(dir, o->change->kind, queue, path, id))
        note(o->run, o->change, view_of(id));
}

/* --- when qmgr does it ------------------------------------------------- */

static void ask_qmgr(struct run *r, const struct change *ch, const char *id)
{
    struct queue_change ask = { ch->kind, view_of(id), view_of(r->queue) };
    struct error err;

    if (ipc_send(&r->qmgr, &queue_change_type, &ask, &err) < 0)
        command_fail(EX_UNAVAILABLE, "%s", err.text);
    for (;;) {
        struct ipc_packet p;
        struct queue_changed c;
        struct queue_done done;

        if (ipc_recv(&r->qmgr, &p, &err) <= 0)
            command_fail(EX_UNAVAILABLE, "the queue manager went away");
        if (ipc_id(p.bytes) == queue_done_type.id) {
            if (ipc_packet_decode(&p, &queue_done_type, &done, &err) == 0 &&
                done.why.len > 0)
                command_fail(EX_NOPERM, "%.*s", VIEW_ARG(done.why));
            break;
        }
        if (ipc_packet_decode(&p, &queue_changed_type, &c, &err) < 0)
            command_fail(EX_SOFTWARE, "%s", err.text);
        note(r, ch, c.queue_id);
    }
}

static void apply(struct run *r, const struct change *ch, const char *id)
{
    struct offline o = { r, ch, id };
    unsigned before = r->totals[ch - changes];

    if (r->dir >= 0)
        offline_each(r->dir, r->queue, apply_file, &o);
    else
        ask_qmgr(r, ch, id);
    if (r->totals[ch - changes] == before && strcmp(id, "ALL") != 0)
        r->missing = true;
}

static void apply_id(struct run *r, const struct change *ch, const char *id)
{
    if (!qfile_is_id(view_of(id)) && strcmp(id, "ALL") != 0)
        command_say("warning", "bad queue id: %s", id);
    else
        apply(r, ch, id);
}

static void apply_stdin(struct run *r, const struct change *ch)
{
    char line[200];

    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t n = strcspn(line, " \t\r\n*!#");

        line[n] = '\0';
        if (n > 0)
            apply_id(r, ch, line);
    }
}

static const struct change *find_change(int option)
{
    for (size_t i = 0; i < 4; i++)
        if (changes[i].option == option)
            return &changes[i];
    return NULL;
}

static void report(const struct run *r)
{
    for (size_t i = 0; i < 4; i++)
        if (r->totals[i] > 0)
            fprintf(stderr, "postsuper: %s: %u message%s\n",
                    changes[i].total, r->totals[i],
                    r->totals[i] == 1 ? "" : "s");
}

int main(int argc, char **argv)
{
    struct run r = { .queue = "", .dir = -1 };
    const char *directory = NULL;
    int opt, fd, n = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            usage(stdout, 0);
        if (strcmp(argv[i], "--strict") == 0) {
            r.strict = true;
            memmove(&argv[i], &argv[i + 1],
                    (size_t)(argc - i) * sizeof *argv);
            argc--;
            i--;
        }
    }
    while ((opt = getopt(argc, argv, "c:d:h:H:r:v")) != -1) {
        directory = opt == 'c' ? optarg : directory;
        n += find_change(opt) != NULL;
        if (opt == '?')
            usage(stderr, EX_USAGE);
    }
    if (n == 0 || argc - optind > 1)
        usage(stderr, EX_USAGE);
    if (optind < argc)
        r.queue = argv[optind];
    command_begin(directory);
    fd = command_connect(QUEUE_SOCKET, SOCK_SEQPACKET);
    if (fd < 0 && (r.dir = offline_begin()) < 0)
        command_fail(EX_UNAVAILABLE, "Cannot change mail queue - mail system "
                     "is down");
    ipc_init(&r.qmgr, fd, 0);
    optind = 1;
    while ((opt = getopt(argc, argv, "c:d:h:H:r:v")) != -1) {
        const struct change *ch = find_change(opt);

        if (ch != NULL && strcmp(optarg, "-") == 0)
            apply_stdin(&r, ch);
        else if (ch != NULL)
            apply_id(&r, ch, optarg);
    }
    report(&r);
    ipc_release(&r.qmgr);
    return r.strict && r.missing ? 1 : 0;
}
