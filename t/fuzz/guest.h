/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.h - the one at the other end of a connection, who says what the input
 * holds, piece by piece: the next piece when the program waits for it, and
 * after the last one hangs up. So a program's own waiting (poll(2) and
 * epoll_wait(2), linked with --wrap) sets the pace, and nothing blocks.
 *
 * Life: guest_begin, the program's work on the descriptor, guest_end.
 */
#ifndef T_FUZZ_GUEST_H
#define T_FUZZ_GUEST_H

#include "base/buf.h"

/* Where a text is cut into pieces. */
enum guest_manner {
    GUEST_LINES,  /* behind each LF */
    GUEST_MARKED, /* at each '|', which is not sent */
    GUEST_WHOLE,  /* nowhere */
};

/* A new guest who will say `text` (borrowed); the program's end of the
 * connection, which it takes. */
int guest_begin(struct view text, enum guest_manner manner);

/* To be the server of the program's next connect(2): it gets this end. */
void guest_invite(int fd);

/* The guest is at 192.0.2.1 for getpeername(2), and not on this machine. */
void guest_is_remote(void);

/* In an event loop: let the guest hear and, when the program has nothing left
 * to read, say its next piece. False when it has hung up. */
bool guest_turn(void);

/* All that the program has said, until guest_end(). */
struct view guest_heard(void);

/* The program is done with the connection. */
void guest_end(void);

#endif
