/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapcmd.h - the command line that postmap(1) and postalias(1) share.
 *
 * Options, messages and exit codes are Postfix's: 0 when the table was made
 * or the key found, 1 when it was not found or anything failed.
 */
#ifndef TABLE_MAPCMD_H
#define TABLE_MAPCMD_H

#include <stdbool.h>

/* What makes the two different. */
struct mapcmd {
    const char *program;
    bool aliases;          /* sources are alias(5) files */
    const char *separator; /* between key and value in what is printed */
};

/* Do all of the command; returns its exit code. */
int mapcmd_main(const struct mapcmd *cmd, int argc, char **argv);

#endif
