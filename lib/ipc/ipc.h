/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc.h - a channel between two programs: one packet, one message.
 *
 * The straight-line form: every call waits, at most the channel's time-out.
 * Programs with an event loop use peer.h on top. A channel is a SEQPACKET
 * pair made by master; who is at the other end is told by the stamp that came
 * with it, never by what the peer says.
 *
 * Life:      ipc_init with a descriptor, ipc_release.
 * Ownership: the channel owns its descriptor. A received packet's bytes are
 *            valid until the next receive on the channel; its descriptors are
 *            closed by ipc_packet_release() unless a decode took them.
 * Errors:    a peer that went away, is late or talks nonsense is -1; the
 *            channel is then of no more use. FAIL_TEMP for away and late,
 *            FAIL_PERM for nonsense.
 */
#ifndef IPC_IPC_H
#define IPC_IPC_H

#include <sys/types.h>

#include "ipc/message.h"

struct ipc {
    int fd;             /* -1: not connected */
    unsigned timeout_ms; /* for one send or receive; 0: for ever */
    unsigned armed_ms;   /* what the kernel was told of it */
    struct buf in, out;
};

struct ipc_packet {
    struct view bytes;
    int fds[IPC_FDS_MAX];
    size_t n_fds;
};

/* Use `fd` as a channel; `timeout_ms` as above. */
void ipc_init(struct ipc *c, int fd, unsigned timeout_ms);

/* Close it; harmless when not connected. */
void ipc_release(struct ipc *c);

/* Is the other end still there, and silent? For a line that was kept. */
bool ipc_is_open(const struct ipc *c);

/* Make a connected pair, both ends close-on-exec. */
int ipc_pair(int fds[2], struct error *err);

/* Is it root or `owner` who connected to a socket of ours at `fd`? Then the
 * process's id too, from the kernel. */
bool ipc_is_from(int fd, uid_t owner, uint32_t *pid);

/* Send one message; its descriptors stay the caller's. */
int ipc_send(struct ipc *c, const struct ipc_type *type, const void *msg,
             struct error *err);

/* Receive one packet: 1 when there is one, 0 when the peer closed. */
int ipc_recv(struct ipc *c, struct ipc_packet *p, struct error *err);

/* Decode a received packet; on success its descriptors are in `msg` and no
 * longer in the packet. */
int ipc_packet_decode(struct ipc_packet *p, const struct ipc_type *type,
                      void *msg, struct error *err);

/* Close the descriptors that nobody took. */
void ipc_packet_release(struct ipc_packet *p);

/* Receive one message that must be of `type`; a closed peer is an error. */
int ipc_expect(struct ipc *c, const struct ipc_type *type, void *msg,
               struct error *err);

/* Send a request and wait for its answer. */
int ipc_call(struct ipc *c, const struct ipc_type *ask, const void *request,
             const struct ipc_type *answer, void *reply, struct error *err);

/* The two raw steps, for peer.h and master: send encoded bytes (0, or -1 with
 * errno; never blocks with MSG_DONTWAIT in `flags`), and receive into `in`
 * (1, 0 at the end, or -1 with errno; EMSGSIZE for a packet too large). */
int ipc_send_raw(int fd, struct view bytes, const int *fds, size_t n_fds,
                 int flags);
int ipc_recv_raw(int fd, struct buf *in, struct ipc_packet *p, int flags);

#endif
