/* SPDX-License-Identifier: BSD-2-Clause */
/* postqueue - list the queue, and have it tried now. */
#include <sysexits.h>
#include <unistd.h>

#include "queue/qfile.h"
#include "tools/common/command.h"

static void usage(FILE *to, int code)
{
    fprintf(to, "usage: postqueue [-c config_directory] -p | -j | -f | "
                "-i queue_id | -s site\n"
                "  -p  list the queue as mailq does\n"
                "  -j  list it as JSON, one object a line\n"
                "  -f  try to deliver all deferred mail now\n"
                "  -i  try this message now\n"
                "  -s  try mail for this site now\n");
    exit(code);
}

int main(int argc, char **argv)
{
    const char *directory = NULL, *argument = NULL;
    int opt, what = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        usage(stdout, 0);
    while ((opt = getopt(argc, argv, "c:pjfi:s:v")) != -1) {
        if (opt == 'c')
            directory = optarg;
        else if (opt == '?')
            usage(stderr, EX_USAGE);
        else if (opt != 'v') {
            if (what != 0)
                usage(stderr, EX_USAGE);
            what = opt;
            argument = optarg;
        }
    }
    if (what == 0 || optind != argc)
        usage(stderr, EX_USAGE);
    command_begin(directory);
    switch (what) {
    case 'p':
    case 'j':
        return queue_print(what == 'j');
    case 'i':
        if (!qfile_is_id(view_of(argument)))
            command_fail(EX_USAGE, "\"%s\" is no queue id", argument);
        if (queue_flush_now(argument, "") == 0)
            command_say("warning", "%s is not a deferred message", argument);
        return 0;
    case 's':
        queue_flush_now("", argument);
        return 0;
    default:
        queue_flush_now("", "");
        return 0;
    }
}
