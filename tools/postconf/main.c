/* SPDX-License-Identifier: BSD-2-Clause */
/* postconf - look at and change the configuration. */
#include "tools/postconf/postconf.h"

#include <getopt.h>
#include <sysexits.h>

#include "base/alloc.h"

static const char usage[] =
    "usage: postconf [-c dir] [-dhHnx] [-o name=value]... [parameter]...\n"
    "       postconf [-c dir] -e name=value...    set parameters in main.cf\n"
    "       postconf [-c dir] -X name...          remove them\n"
    "       postconf [-c dir] -# name...          comment them out\n"
    "       postconf [-c dir] -M [service[/type]]...   services of master.cf\n"
    "       postconf [-c dir] -P [service[/type]]...   their -o settings\n"
    "       postconf --manual                     the page main.cf(5)\n"
    "  -d  defaults          -n  only what main.cf sets   -x  expand $name\n"
    "  -h  values only       -H  names only\n";

static void override(const char *setting)
{
    struct error err;

    if (config_override(command_config(), view_of(setting), "-o", &err) < 0)
        command_fail(EX_USAGE, "%s", err.text);
}

static void run(struct postconf *p, int mode, char **args)
{
    switch (mode) {
    case 'M':
        show_services(p, args);
        return;
    case 'P':
        show_overrides(p, args);
        return;
    case 'e':
        edit_params(p, EDIT_SET, args);
        return;
    case 'X':
        edit_params(p, EDIT_REMOVE, args);
        return;
    case '#':
        edit_params(p, EDIT_COMMENT, args);
        return;
    default:
        show_params(p, args);
    }
}

/* Settings of -o need main.cf, whose directory may come behind them. */
int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "help", no_argument, NULL, 'u' },
        { "manual", no_argument, NULL, 'm' },
        { NULL, 0, NULL, 0 },
    };
    struct postconf p = { .directory = NULL };
    char **settings = alloc_zero((size_t)argc + 1, sizeof *settings);
    int c, mode = 0, n = 0;

    while ((c = getopt_long(argc, argv, "c:dhHnxMPeX#o:f", names, NULL)) !=
           -1) {
        switch (c) {
        case 'c': p.directory = optarg; break;
        case 'd': p.defaults = true; break;
        case 'h': p.no_name = true; break;
        case 'H': p.no_value = true; break;
        case 'n': p.only_set = true; break;
        case 'x': p.expand = true; break;
        case 'f': break; /* lines are never folded */
        case 'o': settings[n++] = optarg; break;
        case 'M': case 'P': case 'e': case 'X': case '#': mode = c; break;
        case 'm': case 'u': mode = c; break;
        default: mode = '?'; break;
        }
    }
    if (mode == 'm' || mode == 'u' || mode == '?') {
        if (mode == 'm')
            manual_print();
        else
            fputs(usage, mode == 'u' ? stdout : stderr);
        free(settings);
        return mode == '?' ? EX_USAGE : 0;
    }
    /* Postfix sets what has a "=" without being asked to. */
    if (mode == 0 && optind < argc && strchr(argv[optind], '=') != NULL)
        mode = 'e';
    p.directory = config_directory(p.directory);
    command_begin(p.directory);
    for (int i = 0; i < n; i++)
        override(settings[i]);
    free(settings);
    run(&p, mode, argv + optind);
    return 0;
}
