/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trust.h - who else may change a file that we do as it says.
 *
 * main.cf names the programs that master starts: who may write it has all
 * that master has. Links are followed: it counts who may write what is read,
 * and where it is looked for.
 *
 * Blocking: on the disk.
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "base/buf.h"
#include "base/error.h"

/* Who may change it beside root and the user that runs this program. */
enum trust {
    TRUST_OWNER = 1 << 0,     /* whom it belongs to */
    TRUST_GROUP = 1 << 1,     /* a group that is not root's */
    TRUST_EVERYBODY = 1 << 2,
    TRUST_NOT = TRUST_OWNER | TRUST_EVERYBODY, /* nothing is begun with it */
};

/* Those of an open file or directory, or of a path; 0: nobody, or it cannot
 * be told. A directory with the sticky bit lets nobody change what is not
 * theirs. */
unsigned trust_fd(int fd);
unsigned trust_path(const char *path);

/* Append what is wrong and the remedy as a sentence; bits are not 0. */
void trust_say(struct buf *out, unsigned bits, const char *path);

/* -1 when the configuration file `name` of a directory, or that, is not to be
 * used. */
int trust_file(const char *directory, const char *name, struct error *err);

/* Append the configuration file `name` of a directory to `b`, at most `limit`
 * bytes. If a group may write it or the directory this is logged as a warning;
 * with others who may it is an error. */
int trust_read(const char *directory, const char *name, struct buf *b,
               size_t limit, struct error *err);

#endif
