/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - our pledge and unveil: what a program may still do.
 *
 * A daemon states its promises in its descriptor; sandbox_enter() builds the
 * walls from them, once, before the first foreign byte (DESIGN §9): the root
 * directory that master handed over, no capabilities, no_new_privs, not
 * dumpable, limits, Landlock, and a seccomp list of allowed system calls. Any
 * other call ends the process with SIGSYS. There is no way back.
 *
 * Errors:   -1 with a sentence when a wall cannot be had. The caller refuses
 *           to start, unless sandbox_required = no.
 * Blocking: never.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What a daemon promises to need beyond memory, time, its open descriptors
 * and the channels over them. */
enum promise {
    PROMISE_ACCEPT = 1 << 0, /* accept on inherited listeners */
    PROMISE_PAIR = 1 << 1,   /* make socket pairs */
    PROMISE_MEMFD = 1 << 2,  /* make and seal memory files */
    PROMISE_READ = 1 << 3,   /* open and list files below the root */
    PROMISE_CREATE = 1 << 4, /* make and sync new files, link them in */
    PROMISE_CHANGE = 1 << 5, /* rename, remove, change what is there; lock */
    PROMISE_INET = 1 << 6,   /* make Internet sockets and connect */
    PROMISE_MAP = 1 << 7,    /* map files into memory, shared (LMDB) */
    PROMISE_DATABASE = 1 << 8, /* what SQLite asks of a file system */
    PROMISE_TABLES = 1 << 9, /* what Berkeley DB asks, to read */
};

/* What may be done below `path`, relative to the root; the Landlock rule. */
enum sandbox_access {
    SANDBOX_READ = 1 << 0,   /* open for reading */
    SANDBOX_LIST = 1 << 1,   /* list directories */
    SANDBOX_WRITE = 1 << 2,  /* open for writing, truncate */
    SANDBOX_MAKE = 1 << 3,   /* make regular files, link within */
    SANDBOX_MKDIR = 1 << 4,  /* make directories */
    SANDBOX_REMOVE = 1 << 5, /* remove files and directories */
    SANDBOX_MOVE = 1 << 6,   /* rename or link between directories */
};

struct sandbox_rule {
    const char *path; /* NULL ends the list */
    unsigned access;
};

struct sandbox {
    unsigned promises;
    const struct sandbox_rule *rules; /* NULL: no file may be opened */

    /* More rules, for what only the configuration names. Their paths are
     * absolute, as they were before the jail; NULL: none. */
    const struct sandbox_rule *extra;
};

/* The walls, each of which a test may leave out (sandbox_walls). */
enum wall {
    WALL_ROOT = 1 << 0,
    WALL_LANDLOCK = 1 << 1,
    WALL_SECCOMP = 1 << 2,
    WALL_NETWORK = 1 << 3, /* master's: the empty network namespace */
    WALL_UID = 1 << 4,     /* master's: one uid a role */
    WALL_ALL = (1 << 5) - 1,
};

/* The set named by words ("root landlock seccomp network uid"); -1 for an
 * unknown word. */
int sandbox_walls(const char *words);

/*
 * Enter. *root_fd is the directory that becomes the root (a detached mount
 * when master is root, else a plain directory), or -1 for none; it is
 * replaced by a descriptor of the root opened for listing, close-on-exec, or
 * stays -1. `walls` is a set of enum wall; *got those that stand now, also on
 * error: WALL_ROOT when "/" is that directory now, WALL_LANDLOCK,
 * WALL_SECCOMP.
 */
int sandbox_enter(const struct sandbox *s, int *root_fd, unsigned walls,
                  unsigned *got, struct error *err);

/* Which Landlock ABI this kernel has; 0: none. */
int sandbox_landlock_abi(void);

/* Call `fn` with the name of each system call that `s` allows. */
void sandbox_each_syscall(const struct sandbox *s,
                          void (*fn)(const char *name, void *arg), void *arg);

#endif
