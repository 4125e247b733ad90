/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * others.h - the rest of the suite, as far as a fuzzed program asks for it.
 *
 * The program is joined to the others by its control line and speaks to them
 * over real channels; all that is played is what they answer. They answer at
 * once, inside the program's own sendmsg(2) (linked with --wrap), so that one
 * thread is enough and nothing waits.
 *
 * Ownership: `list` is borrowed, and so is what its entries name.
 */
#ifndef T_FUZZ_OTHERS_H
#define T_FUZZ_OTHERS_H

#include "service/service.h"

struct other {
    const char *service; /* NULL ends the list */
    /* Answer a packet, or do not; ipc_release(line) hangs up. Whoever is asked
     * and waited for must do one of the two. */
    void (*answer)(struct ipc *line, const struct ipc_packet *p);
};

/* Give `d` a master that knows these. Its end of the control line is `fd`, or,
 * when that is -1, in d->control_line. Services that are not in the list
 * cannot be had. */
void others_begin(struct daemon *d, int fd, const struct other *list);

/* At the end of an input: they close the lines that the program has closed. */
void others_settle(void);

/* Decode what was asked; a program of ours never says what cannot be decoded.
 * Views in `msg` are valid during the answer. */
void others_decode(const struct ipc_packet *p, const struct ipc_type *type,
                   void *msg);

/* Send an answer. */
void others_say(struct ipc *line, const struct ipc_type *type,
                const void *msg);

/* Send bytes that are no message. */
void others_babble(struct ipc *line);

#endif
