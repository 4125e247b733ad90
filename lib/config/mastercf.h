/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mastercf.h - master.cf: which services run, and how.
 *
 * Postfix's columns: service, type, private, unprivileged, chroot, wakeup,
 * maxproc, command with arguments; continuation lines and comments as in
 * main.cf. Arguments "-o name=value" and "-o { name = value }" become
 * overrides; "-v" is kept; anything else stays an argument (pipe, spawn).
 * "-" means the default. Of the columns private, unpriv and chroot only the
 * first has a meaning here: a jail is not optional; the others are read and
 * kept for "postconf -M".
 *
 * Life: mastercf_parse, then read the array, mastercf_free.
 * Errors: a sentence with file and line. Two rows of one service and type are
 * an error.
 */
#ifndef CONFIG_MASTERCF_H
#define CONFIG_MASTERCF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/view.h"

#define MASTERCF_SERVICES_MAX 500
#define MASTERCF_PROCESS_DEFAULT (-1) /* maxproc "-" */

enum mastercf_type {
    MASTERCF_INET,  /* [host:]port on every inet_interfaces address */
    MASTERCF_UNIX,  /* also written "fifo": treated alike */
    MASTERCF_PASS,
};

struct mastercf_row {
    char *name;              /* "smtp", "127.0.0.1:10025", "public/submit" */
    enum mastercf_type type;
    bool is_private;         /* column 3 */
    char unpriv, chroot;     /* columns 4 and 5 as written: 'y', 'n', '-' */
    unsigned wakeup;         /* seconds; 0: never */
    bool wakeup_if_used;     /* a '?' after the number */
    int maxproc;             /* processes; 0: no limit; -1: default */
    char *command;           /* the program's name: "smtpd" */
    char **overrides;        /* "name=value", each from one -o */
    size_t n_overrides;
    char **args;             /* what else stood there */
    size_t n_args;
    unsigned verbose;        /* how many -v */
    unsigned line;           /* in the file */
};

struct mastercf {
    char *file;
    struct mastercf_row *rows;
    size_t n_rows;
};

/* Parse the text of a master.cf; `file` is its name for messages. */
int mastercf_parse(struct mastercf *m, struct view text, const char *file,
                   struct error *err);

/* Free what parse made; an all-zero struct is allowed. */
void mastercf_free(struct mastercf *m);

#endif
