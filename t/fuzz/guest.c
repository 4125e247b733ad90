/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fuzz/guest.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "t/fuzz/fuzz.h"

static struct {
    int program, own;  /* the two ends; -1: there is no guest */
    int invited;       /* for the next socket(2), -1: none */
    int called;        /* and then for connect(2) */
    bool remote, over; /* over: it has hung up */
    struct view rest;  /* what is still to be said; data NULL: nothing */
    enum guest_manner manner;
    struct buf heard;
} guest = { .program = -1, .own = -1, .invited = -1, .called = -1 };

/* --- hearing and saying ------------------------------------------------ */

static void hear(void)
{
    ssize_t n;

    do {
        n = recv(guest.own, buf_room(&guest.heard, 65536), 65536,
                 MSG_DONTWAIT);
        if (n > 0)
            guest.heard.len += (size_t)n;
    } while (n > 0);
}

static bool next_piece(struct view *piece)
{
    size_t end;

    switch (guest.manner) {
    case GUEST_MARKED:
        return view_cut(&guest.rest, '|', piece);
    case GUEST_LINES:
        end = view_index(guest.rest, '\n') + 1;
        break;
    default:
        end = guest.rest.len;
        break;
    }
    *piece = view_sub(guest.rest, 0, end);
    guest.rest = view_sub(guest.rest, piece->len, guest.rest.len);
    return piece->len > 0;
}

/* An empty piece says nothing, so the next one follows. */
static void say(void)
{
    struct view piece = VIEW("");

    while (!guest.over && piece.len == 0) {
        if (next_piece(&piece)) {
            if (piece.len > 0 &&
                send(guest.own, piece.data, piece.len, MSG_NOSIGNAL) < 0)
                MUST(errno == EPIPE || errno == ECONNRESET);
        } else {
            shutdown(guest.own, SHUT_WR);
            guest.over = true;
        }
    }
}

/* --- what the program calls -------------------------------------------- */

int __real_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int __real_epoll_wait(int fd, struct epoll_event *e, int n, int timeout);
int __wrap_epoll_wait(int fd, struct epoll_event *e, int n, int timeout);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_connect(int fd, const struct sockaddr *a, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t len);
int __real_getpeername(int fd, struct sockaddr *a, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *a, socklen_t *len);

/* Whoever waits for the guest waits for nobody else. */
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
    for (nfds_t i = 0; i < n; i++) {
        if (guest.program < 0 || p[i].fd != guest.program)
            continue;
        timeout = 0;
        hear();
        if ((p[i].events & POLLIN) && __real_poll(&p[i], 1, 0) == 0)
            say();
    }
    return __real_poll(p, n, timeout);
}

int __wrap_epoll_wait(int fd, struct epoll_event *e, int n, int timeout)
{
    return __real_epoll_wait(fd, e, n, guest.own >= 0 ? 0 : timeout);
}

int __wrap_socket(int domain, int type, int protocol)
{
    if (guest.invited < 0)
        return __real_socket(domain, type, protocol);
    guest.called = guest.invited;
    guest.invited = -1;
    return guest.called;
}

int __wrap_connect(int fd, const struct sockaddr *a, socklen_t len)
{
    if (guest.called < 0 || fd != guest.called)
        return __real_connect(fd, a, len);
    guest.called = -1;
    return 0;
}

int __wrap_getpeername(int fd, struct sockaddr *a, socklen_t *len)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(1025),
                              .sin_addr = { htonl(0xc0000201) } };

    if (fd != guest.program || !guest.remote)
        return __real_getpeername(fd, a, len);
    MUST(*len >= sizeof in);
    memcpy(a, &in, sizeof in);
    *len = sizeof in;
    return 0;
}

/* --- life -------------------------------------------------------------- */

int guest_begin(struct view text, enum guest_manner manner)
{
    int pair[2];

    MUST(guest.own < 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    guest.own = pair[0];
    guest.program = pair[1];
    guest.rest = text;
    guest.manner = manner;
    guest.over = guest.remote = false;
    return guest.program;
}

void guest_invite(int fd)
{
    guest.invited = fd;
}

void guest_is_remote(void)
{
    guest.remote = true;
}

bool guest_turn(void)
{
    struct pollfd p = { .fd = guest.program, .events = POLLIN };

    hear();
    if (__real_poll(&p, 1, 0) == 0)
        say();
    return !guest.over;
}

struct view guest_heard(void)
{
    if (guest.own >= 0)
        hear();
    return buf_view(&guest.heard);
}

void guest_end(void)
{
    close(guest.own);
    io_close(&guest.invited); /* nobody came for it */
    guest.own = guest.program = guest.called = -1;
    buf_release(&guest.heard);
}
