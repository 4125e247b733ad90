/* SPDX-License-Identifier: BSD-2-Clause */
/* postsuper - delete, hold, release, requeue messages. */
#include <sysexits.h>
#include <unistd.h>

#include "base/ascii.h"
#include "proto/queue.h"
#include "queue/qfile.h"
#include "tools/common/command.h"

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

static void apply(struct run *r, const struct change *ch, const char *id)
{
    struct queue_change ask = { ch->kind, view_of(id), view_of(r->queue) };
    struct error err;
    unsigned before = r->totals[ch - changes];

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
        fprintf(stderr, "postsuper: %.*s: %s\n", VIEW_ARG(c.queue_id),
                ch->line);
        r->totals[ch - changes]++;
    }
    if (r->totals[ch - changes] == before && strcmp(id, "ALL") != 0)
        r->missing = true;
}

static void apply_id(struct run *r, const struct change *ch, const char *id)
{
    if (!qfile_is_id(view_of(id)) && strcmp(id, "ALL") != 0)
        command_warn("bad queue id: %s", id);
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
    struct run r = { .queue = "" };
    const char *directory = NULL;
    int opt, n = 0;

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
    command_begin("postsuper", directory);
    queue_connect(&r.qmgr, "change mail queue");
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
