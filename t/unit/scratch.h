/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scratch.h - a directory of a test's own, for what it tests to fill.
 *
 * Life:      scratch_make, then scratch_remove. A test that fails in between
 *            leaves the directory behind, under its own name in /tmp.
 * Ownership: `dir` is closed by scratch_remove; others may borrow it.
 * Errors:    fail the test.
 */
#ifndef T_SCRATCH_H
#define T_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

struct scratch {
    char path[64];
    int dir; /* open for reading */
};

/* Make it, empty. */
static inline void scratch_make(struct scratch *s)
{
    snprintf(s->path, sizeof s->path, "/tmp/%s-XXXXXX",
             program_invocation_short_name);
    assert_non_null(mkdtemp(s->path));
    s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(s->dir >= 0);
}

static inline int scratch_remove_one(const char *path, const struct stat *st,
                                     int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* Remove it with all that is in it. */
static inline void scratch_remove(struct scratch *s)
{
    close(s->dir);
    assert_int_equal(nftw(s->path, scratch_remove_one, 20,
                          FTW_DEPTH | FTW_PHYS), 0);
}

#endif
