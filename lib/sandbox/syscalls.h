/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - the system call wall (internal to lib/sandbox).
 */
#ifndef SANDBOX_SYSCALLS_H
#define SANDBOX_SYSCALLS_H

#include "sandbox/sandbox.h"

/* Load the seccomp allow-list that the promises of `s` stand for. */
int syscalls_enter(const struct sandbox *s, struct error *err);

#endif
