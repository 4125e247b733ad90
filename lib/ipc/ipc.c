/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipc/ipc.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

void ipc_init(struct ipc *c, int fd, unsigned timeout_ms)
{
    *c = (struct ipc){ .fd = fd, .timeout_ms = timeout_ms };
}

void ipc_release(struct ipc *c)
{
    if (c->fd > 0)
        close(c->fd);
    c->fd = -1;
    buf_wipe(&c->in);
    buf_wipe(&c->out);
}

bool ipc_is_open(const struct ipc *c)
{
    char byte;

    return c->fd >= 0 &&
           recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           errno == EAGAIN;
}

int ipc_pair(int fds[2], struct error *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        return error_sys(err, "cannot make a channel");
    return 0;
}

bool ipc_is_from(int fd, uid_t owner, uint32_t *pid)
{
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
        (who.uid != 0 && who.uid != owner))
        return false;
    *pid = (uint32_t)who.pid;
    return true;
}

int ipc_send_raw(int fd, struct view bytes, const int *fds, size_t n_fds,
                 int flags)
{
    union {
        char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { (void *)(uintptr_t)bytes.data, bytes.len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (n_fds > 0) {
        struct cmsghdr *cm = &control.align;

        assert(n_fds <= IPC_FDS_MAX);
        memset(&control, 0, sizeof control);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
    }
    do
        n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *msg, struct ipc_packet *p)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm != NULL;
         cm = CMSG_NXTHDR(msg, cm)) {
        size_t n;

        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        assert(p->n_fds + n <= IPC_FDS_MAX);
        memcpy(p->fds + p->n_fds, CMSG_DATA(cm), n * sizeof(int));
        p->n_fds += n;
    }
}

int ipc_recv_raw(int fd, struct buf *in, struct ipc_packet *p, int flags)
{
    union {
        char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov;
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof control };
    ssize_t n;

    *p = (struct ipc_packet){ .n_fds = 0 };
    buf_reset(in);
    iov = (struct iovec){ buf_room(in, IPC_MESSAGE_MAX), IPC_MESSAGE_MAX };
    do
        n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    take_fds(&msg, p);
    if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        ipc_packet_release(p);
        errno = EMSGSIZE;
        return -1;
    }
    in->len = (size_t)n;
    p->bytes = buf_view(in);
    return n > 0; /* our messages are never empty: 0 is the end */
}

static int timed_out(const struct ipc *c, struct error *err)
{
    error_set(err, FAIL_TEMP, "no answer for %u seconds",
              c->timeout_ms / 1000);
    err->sys = ETIMEDOUT;
    return -1;
}

static int wait_for(const struct ipc *c, short events, struct error *err)
{
    int n = io_wait(c->fd, events, c->timeout_ms ? (int)c->timeout_ms : -1);

    if (n < 0)
        return error_sys(err, "cannot wait for a channel");
    return n == 0 ? timed_out(c, err) : 0;
}

static int send_out(struct ipc *c, const struct ipc_type *type, const int *fds,
                    size_t n_fds, struct error *err)
{
    for (;;) {
        if (ipc_send_raw(c->fd, buf_view(&c->out), fds, n_fds,
                         MSG_DONTWAIT) == 0)
            return 0;
        if (errno != EAGAIN)
            return error_sys(err, "cannot send %s", type->name);
        if (wait_for(c, POLLOUT, err) < 0)
            return error_prefix(err, "cannot send %s", type->name);
    }
}

int ipc_send(struct ipc *c, const struct ipc_type *type, const void *msg,
             struct error *err)
{
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    int rc = -1;

    buf_reset(&c->out);
    if (ipc_encode(&c->out, type, msg, fds, &n_fds, err) == 0)
        rc = send_out(c, type, fds, n_fds, err);
    /* It may have been a password: it is not kept. */
    if (c->out.data != NULL)
        explicit_bzero(c->out.data, c->out.len);
    return rc;
}

/* The kernel keeps the time: one system call a message, not three. */
static int arm(struct ipc *c, struct error *err)
{
    struct timeval t = { c->timeout_ms / 1000,
                         c->timeout_ms % 1000 * 1000 };

    if (c->armed_ms == c->timeout_ms)
        return 0;
    if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) < 0)
        return error_sys(err, "cannot set a channel's timeout");
    c->armed_ms = c->timeout_ms;
    return 0;
}

int ipc_recv(struct ipc *c, struct ipc_packet *p, struct error *err)
{
    int n;

    if (arm(c, err) < 0)
        return -1;
    n = ipc_recv_raw(c->fd, &c->in, p, 0);
    if (n >= 0)
        return n;
    if (errno == ECONNRESET)
        return 0;
    return errno == EAGAIN ? timed_out(c, err)
                           : error_sys(err, "cannot receive");
}

int ipc_packet_decode(struct ipc_packet *p, const struct ipc_type *type,
                      void *msg, struct error *err)
{
    if (ipc_decode(p->bytes, p->fds, p->n_fds, type, msg, err) < 0)
        return -1;
    p->n_fds = 0;
    return 0;
}

void ipc_packet_release(struct ipc_packet *p)
{
    for (size_t i = 0; i < p->n_fds; i++)
        close(p->fds[i]);
    p->n_fds = 0;
}

int ipc_expect(struct ipc *c, const struct ipc_type *type, void *msg,
               struct error *err)
{
    struct ipc_packet p;
    int n = ipc_recv(c, &p, err);

    if (n < 0)
        return error_prefix(err, "waiting for %s", type->name);
    if (n == 0)
        return error_set(err, FAIL_TEMP,
                         "waiting for %s: the peer went away", type->name);
    if (ipc_packet_decode(&p, type, msg, err) < 0) {
        ipc_packet_release(&p);
        return -1;
    }
    return 0;
}

int ipc_call(struct ipc *c, const struct ipc_type *ask, const void *request,
             const struct ipc_type *answer, void *reply, struct error *err)
{
    if (ipc_send(c, ask, request, err) < 0)
        return -1;
    return ipc_expect(c, answer, reply, err);
}
