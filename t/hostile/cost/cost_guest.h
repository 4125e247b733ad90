/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost_guest.h - whole sessions of a program, with the guest of the fuzz
 * targets, over a mailbox of as many messages as a case wants.
 */
#ifndef T_HOSTILE_COST_GUEST_H
#define T_HOSTILE_COST_GUEST_H

#include "cost.h"
#include "service/service.h"

/* A mailbox of `n` messages without an index, in fuzz_directory(). */
void cost_make_box(size_t n);

/* For set_up functions: notify can be joined, and says nothing. */
void cost_join_notify(struct daemon *d);

/* A client says the lines of `in`; how many bytes it hears. `set_up` is called
 * once, before the first one. */
size_t cost_session(void (*set_up)(struct daemon *d),
                    void (*serve)(struct daemon *d, struct client *c),
                    struct view in);

#endif
