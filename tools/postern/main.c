/* SPDX-License-Identifier: BSD-2-Clause */
/* postern - start, stop and look at the mail system. */
#include "tools/postern/postern.h"

#include <sysexits.h>

static const struct verb verbs[] = {
    { "start", "", "start the mail system and wait until it is ready",
      verb_start },
    { "start-fg", "", "be the mail system, in the foreground, until a signal "
      "ends it", verb_start_fg },
    { "stop", "", "say good-bye to clients, end the mail system", verb_stop },
    { "reload", "", "use the changed configuration, dropping no session",
      verb_reload },
    { "check", "", "look for mistakes in the configuration; exit 78 if it "
      "has any", verb_check },
    { "status", "", "list the programs that run; exit 1 when none does",
      verb_status },
    { "trace", "QUEUEID [LOGFILE]", "what the log says of a message, and of "
      "the notifications about it", verb_trace },
    { "hardening", "[calls|rules|roles]",
      "which walls each process has; exit 1 if one lacks any; or what each "
      "program may do",
      verb_hardening },
    { "logrotate", "", "open the log file again, after it was renamed",
      verb_logrotate },
    { "store", "create",
      "make an empty mail store at virtual_mailbox_base", verb_store },
    { "tenant", "add|list|del NAME", "the tenants, each with its own uid",
      verb_tenant },
    { "domain", "add|list|del NAME --tenant T", "the domains of tenants",
      verb_domain },
    { "user", "add|list|set|del|passwd ADDRESS",
      "accounts; --generate or --password-stdin, --quota N, --enabled yes|no",
      verb_user },
    { "alias", "add|list|set|del ADDRESS TO...",
      "addresses that stand for others", verb_alias },
    { NULL, NULL, NULL, NULL },
};

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: postern [-c config_directory] [--json] verb ...\n\n");
    for (const struct verb *v = verbs; v->name != NULL; v++)
        fprintf(to, "  %-9s %-31s %s\n", v->name, v->arguments, v->doc);
    fprintf(to, "\nversion %s; see postern(8)\n", POSTERN_VERSION);
    return code;
}

int main(int argc, char **argv)
{
    struct postern p = { .config_directory = config_directory(NULL) };
    int at = 1;

    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "-c") == 0 && at + 1 < argc)
            p.config_directory = argv[++at];
        else if (strcmp(argv[at], "--json") == 0)
            p.json = true;
        else
            return usage(strcmp(argv[at], "--help") ? stderr : stdout,
                         strcmp(argv[at], "--help") ? EX_USAGE : 0);
    }
    if (at >= argc)
        return usage(stderr, EX_USAGE);
    for (const struct verb *v = verbs; v->name != NULL; v++) {
        if (strcmp(argv[at], v->name) == 0) {
            command_begin(p.config_directory);
            return v->run(&p, argc - at - 1, argv + at + 1);
        }
    }
    command_say("error", "there is no verb \"%s\"", argv[at]);
    return usage(stderr, EX_USAGE);
}
