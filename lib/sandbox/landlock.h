/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock.h - the file system and network wall (internal to lib/sandbox).
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include "sandbox/sandbox.h"

/* Restrict this process to the rules of `s` below `root_fd` (-1: none of
 * them) and to its extra ones, to no TCP port unless it promised PROMISE_INET,
 * and, where the kernel can, to no signal and no abstract socket of anybody
 * else. */
int landlock_enter(const struct sandbox *s, int root_fd, struct error *err);

#endif
