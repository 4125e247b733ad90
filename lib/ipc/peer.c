/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipc/peer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

/* Messages handled for one peer before the others get their turn. */
#define FAIR_SHARE 32

/* The system has no memory to send with: a socket that is writable all the
 * same must not keep us busy. */
#define AGAIN_MS 10

struct waiting {
    struct list link;
    struct buf bytes;
    int fds[IPC_FDS_MAX];
    size_t n_fds;
};

static void waiting_free(struct waiting *w)
{
    list_remove(&w->link);
    for (size_t i = 0; i < w->n_fds; i++)
        close(w->fds[i]);
    buf_wipe(&w->bytes);
    free(w);
}

static void forget_waiting(struct peer *p)
{
    list_each_safe (l, &p->queue)
        waiting_free(list_entry(l, struct waiting, link));
    p->queued = 0;
}

void peer_close(struct peer *p)
{
    if (p->watch.fd < 0)
        return;
    loop_unwatch(p->loop, &p->watch);
    timer_cancel(p->loop, &p->doom);
    timer_cancel(p->loop, &p->again);
    close(p->watch.fd);
    p->watch.fd = -1;
    forget_waiting(p);
    buf_wipe(&p->in);
    if (p->gone_flag != NULL)
        *p->gone_flag = true;
    if (p->gone != NULL)
        p->gone(p);
}

static void complain(const struct peer *p, const char *why)
{
    log_warning("closing the channel of %s[%u]: %s",
                p->role[0] ? p->role : "master", p->pid, why);
}

static bool has_word(const char *words, const char *word)
{
    struct view rest = view_of(words), w;

    while (view_word(&rest, " ", &w))
        if (view_is(w, word))
            return true;
    return false;
}

static const struct ipc_rule *find_rule(const struct peer *p, int id)
{
    for (const struct ipc_rule *r = p->rules; r->type != NULL; r++)
        if (r->type->id == id &&
            (r->roles == NULL || has_word(r->roles, p->role)))
            return r;
    return NULL;
}

/* Handle one packet; false when it ended the connection. */
static bool dispatch(struct peer *p, struct ipc_packet *packet)
{
    /* Room for the largest struct any message declares. */
    union {
        struct view fields[IPC_FIELDS_MAX];
        uint64_t align;
    } msg;
    const struct ipc_rule *r = find_rule(p, ipc_id(packet->bytes));
    struct error err;

    if (r == NULL) {
        char why[80];

        snprintf(why, sizeof why, "message 0x%04x is not for it to send",
                 (unsigned)ipc_id(packet->bytes));
        complain(p, why);
        ipc_packet_release(packet);
        return false;
    }
    assert(r->type->size <= sizeof msg);
    if (ipc_packet_decode(packet, r->type, &msg, &err) < 0) {
        complain(p, err.text);
        ipc_packet_release(packet);
        return false;
    }
    r->handle(p, &msg);
    return true;
}

/* After a send that failed: wait until it may succeed. False when it never
 * will, for the peer is gone; what it said before that is still to be read. One
 * that is there must not wait for what will not come: its channel ends. */
static bool wait_to_send(struct peer *p)
{
    bool is_full = errno == EAGAIN;
    bool is_poor = errno == ENOBUFS || errno == ENOMEM ||
                   errno == ETOOMANYREFS; /* descriptors on their way */

    if (!is_full && !is_poor && errno != EPIPE && errno != ECONNRESET) {
        complain(p, strerrordesc_np(errno));
        timer_set(p->loop, &p->doom, 0);
    }
    loop_watch(p->loop, &p->watch, is_full ? EPOLLIN | EPOLLOUT : EPOLLIN);
    if (is_poor)
        timer_set(p->loop, &p->again, AGAIN_MS);
    return is_full || is_poor;
}

/* Send what waits. */
static void flush(struct peer *p)
{
    while (!list_empty(&p->queue)) {
        struct waiting *w = list_entry(p->queue.next, struct waiting, link);

        /* What list_remove() took out is nobody's next.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (ipc_send_raw(p->watch.fd, buf_view(&w->bytes), w->fds, w->n_fds,
                         MSG_DONTWAIT) < 0) {
            if (!wait_to_send(p))
                forget_waiting(p);
            return;
        }
        p->queued -= w->bytes.len;
        waiting_free(w);
    }
    loop_watch(p->loop, &p->watch, EPOLLIN);
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct peer *p = list_entry(watch, struct peer, watch);
    bool gone = false;

    if (events & EPOLLOUT)
        flush(p);
    p->gone_flag = &gone;
    for (int i = 0; i < FAIR_SHARE; i++) {
        struct ipc_packet packet;
        int n = ipc_recv_raw(watch->fd, &p->in, &packet, MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0 && errno != ECONNRESET)
            complain(p, strerrordesc_np(errno));
        if (n <= 0 || !dispatch(p, &packet)) {
            if (!gone)
                peer_close(p);
            return;
        }
        if (gone)
            return; /* the handler closed it, and may have freed it */
        /* What was said may have been a password: it is not kept. */
        explicit_bzero(p->in.data, p->in.len);
    }
    p->gone_flag = NULL;
}

static void on_doom(struct timer *t)
{
    peer_close(list_entry(t, struct peer, doom));
}

static void on_again(struct timer *t)
{
    flush(list_entry(t, struct peer, again));
}

void peer_init(struct peer *p, struct loop *l, int fd, const char *role,
               uint32_t pid, const struct ipc_rule *rules,
               void (*gone)(struct peer *))
{
    *p = (struct peer){ .loop = l, .rules = rules, .pid = pid, .gone = gone };
    p->watch = (struct watch){ .fd = fd, .ready = on_ready };
    p->doom.fire = on_doom;
    p->again.fire = on_again;
    snprintf(p->role, sizeof p->role, "%s", role);
    list_init(&p->queue);
    if (loop_watch(l, &p->watch, EPOLLIN) < 0)
        timer_set(l, &p->doom, 0);
}

static void enqueue(struct peer *p, struct buf *bytes, const int *fds,
                    size_t n_fds)
{
    struct waiting *w = alloc_zero(1, sizeof *w);

    w->bytes = *bytes;
    *bytes = BUF_INIT;
    for (size_t i = 0; i < n_fds; i++) {
        w->fds[w->n_fds] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (w->fds[w->n_fds] < 0)
            timer_set(p->loop, &p->doom, 0); /* half a message is worse */
        else
            w->n_fds++;
    }
    list_append(&p->queue, &w->link);
    p->queued += w->bytes.len;
    if (p->queued > PEER_QUEUE_MAX) {
        complain(p, "it does not read what it asked for");
        timer_set(p->loop, &p->doom, 0);
    }
}

void peer_send(struct peer *p, const struct ipc_type *type, const void *msg)
{
    struct buf bytes = BUF_INIT;
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    struct error err;

    if (p->watch.fd < 0)
        return;
    if (ipc_encode(&bytes, type, msg, fds, &n_fds, &err) < 0) {
        complain(p, err.text);
        timer_set(p->loop, &p->doom, 0);
        buf_release(&bytes);
        return;
    }
    if (!list_empty(&p->queue))
        enqueue(p, &bytes, fds, n_fds);
    else if (ipc_send_raw(p->watch.fd, buf_view(&bytes), fds, n_fds,
                          MSG_DONTWAIT) == 0)
        loop_watch(p->loop, &p->watch, EPOLLIN);
    else if (wait_to_send(p))
        enqueue(p, &bytes, fds, n_fds);
    buf_wipe(&bytes);
}
