/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postconf.h - what the pieces of postconf share.
 *
 *     main.c      the arguments
 *     show.c      parameters
 *     services.c  master.cf
 *     edit.c      changing main.cf
 *     manual.c    the page main.cf(5)
 */
#ifndef TOOLS_POSTCONF_H
#define TOOLS_POSTCONF_H

#include "tools/common/command.h"

struct postconf {
    const char *directory;
    bool defaults;   /* -d */
    bool only_set;   /* -n */
    bool expand;     /* -x */
    bool no_name;    /* -h */
    bool no_value;   /* -H */
};

/* The parameters named, or all, in the order of names. */
void show_params(struct postconf *p, char **names);

/* The rows of master.cf, or those of "service" or "service/type". */
void show_services(const struct postconf *p, char **patterns);

/* Their "-o" settings, as "service/type/name = value". */
void show_overrides(const struct postconf *p, char **patterns);

enum edit { EDIT_SET, EDIT_REMOVE, EDIT_COMMENT };

/* Set ("name=value"), remove or comment out the named parameters of main.cf,
 * whose comments and layout stay. The file is replaced whole and durably. */
void edit_params(struct postconf *p, enum edit how, char **settings);

/* Print main.cf(5). */
void manual_print(void);

#endif
