/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fuzz/others.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "t/fuzz/fuzz.h"

#define LINES_MAX 64

/* A line that the program was given; far.fd -1: free. */
struct line {
    struct ipc far;
    const struct other *who;
};

static struct {
    const struct other *list;
    struct line lines[LINES_MAX];
    struct ipc master; /* master's end of the control line */
    bool busy;         /* what the others say is no question */
} others;

/* --- what is said ------------------------------------------------------ */

void others_decode(const struct ipc_packet *p, const struct ipc_type *type,
                   void *msg)
{
    struct error err;

    MUST(ipc_decode(p->bytes, p->fds, p->n_fds, type, msg, &err) == 0);
}

void others_say(struct ipc *line, const struct ipc_type *type,
                const void *msg)
{
    struct error err;

    MUST(ipc_send(line, type, msg, &err) == 0);
}

void others_babble(struct ipc *line)
{
    MUST(ipc_send_raw(line->fd, VIEW("\1\2\3\4\5\6\7\10"), NULL, 0, 0) == 0);
}

/* --- master ------------------------------------------------------------ */

/* The far end of a new line, whose near end is returned; -1 when there are too
 * many, as when an answer came too late for who asked, and waits unread. */
static int join(const struct other *who)
{
    struct error err;
    int pair[2];

    for (struct line *l = others.lines; l < others.lines + LINES_MAX; l++) {
        if (l->far.fd >= 0)
            continue;
        MUST(ipc_pair(pair, &err) == 0);
        ipc_init(&l->far, pair[0], 1000);
        l->who = who;
        return pair[1];
    }
    return -1;
}

static void on_connect(const struct ipc_packet *p)
{
    struct control_connect ask;
    struct control_joined answer = { .fd = -1, .why = VIEW("not here") };

    others_decode(p, &control_connect_type, &ask);
    answer.ticket = ask.ticket;
    for (const struct other *o = others.list; o->service != NULL; o++) {
        if (view_is(ask.service, o->service)) {
            answer.fd = join(o);
            answer.why = answer.fd >= 0 ? VIEW("") : VIEW("too many");
            break;
        }
    }
    others_say(&others.master, &control_joined_type, &answer);
    if (answer.fd >= 0)
        close(answer.fd);
}

/* Master hears much that needs no answer. */
static void hear_master(void)
{
    struct ipc_packet p;

    while (ipc_recv_raw(others.master.fd, &others.master.in, &p,
                        MSG_DONTWAIT) > 0) {
        if (ipc_id(p.bytes) == control_connect_type.id)
            on_connect(&p);
        ipc_packet_release(&p);
    }
}

/* --- all of them ------------------------------------------------------- */

static void hear(struct line *l)
{
    struct ipc_packet p;
    int n;

    while (l->far.fd >= 0 &&
           (n = ipc_recv_raw(l->far.fd, &l->far.in, &p, MSG_DONTWAIT)) >= 0) {
        if (n > 0)
            l->who->answer(&l->far, &p);
        else
            ipc_release(&l->far); /* the program hung up */
        ipc_packet_release(&p);
    }
}

void others_settle(void)
{
    others.busy = true;
    hear_master();
    for (size_t i = 0; i < LINES_MAX; i++)
        if (others.lines[i].far.fd >= 0)
            hear(&others.lines[i]);
    others.busy = false;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    ssize_t n = __real_sendmsg(fd, msg, flags);

    if (n >= 0 && others.list != NULL && !others.busy)
        others_settle();
    return n;
}

void others_begin(struct daemon *d, int fd, const struct other *list)
{
    struct error err;
    int pair[2];

    fuzz_quiet();
    others.list = list;
    for (size_t i = 0; i < LINES_MAX; i++)
        others.lines[i].far.fd = -1;
    MUST(ipc_pair(pair, &err) == 0);
    ipc_init(&others.master, pair[0], 1000);
    if (fd < 0) {
        ipc_init(&d->control_line, pair[1], 1000);
        return;
    }
    MUST(dup3(pair[1], fd, O_CLOEXEC) == fd);
    close(pair[1]);
}
