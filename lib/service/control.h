/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - what master and its daemons say to each other.
 *
 * One control channel a process, made by master at the fork. The descriptors
 * below are inherited through exec at fixed numbers; nothing else is.
 */
#ifndef SERVICE_CONTROL_H
#define SERVICE_CONTROL_H

#include "ipc/message.h"

enum inherited {
    FD_CONTROL = 3, /* this channel */
    FD_LOG = 4,     /* lines for logd */
    FD_CONFIG = 5,  /* main.cf, a sealed memory file */
    FD_ROOT = 6,    /* the root directory, or closed */
    FD_ACCEPT = 7,  /* where stamped connections arrive, or closed */
    FD_LISTEN = 8,  /* the first of the listeners */
};

#define SERVICE_NAME_MAX 64
#define ACCOUNT_MAX 320 /* bytes of an account's or tenant's name */

/* --- to master --------------------------------------------------------- */

/* The jail stands and service begins. `walls`: which (enum wall of sandbox.h);
 * nothing foreign was heard yet. */
#define CONTROL_READY(F, S) F(S, U32, walls, 0)
IPC_MESSAGE(control_ready, 0x0101, CONTROL_READY)

/* A worker took a client (`from_channel`: off the accept channel), or is done
 * with it and waits for the next. */
#define CONTROL_BUSY(F, S) F(S, U32, from_channel, 0)
IPC_MESSAGE(control_busy, 0x0102, CONTROL_BUSY)
IPC_SIGNAL(control_idle, 0x0103)

/* Join me to a program of this service, as master.cf names it (for this
 * account, where one is started per tenant). Answered by control_joined with
 * the same ticket. */
#define CONTROL_CONNECT(F, S)             \
    F(S, U32, ticket, 0)                  \
    F(S, TEXT, service, SERVICE_NAME_MAX) \
    F(S, TEXT, account, ACCOUNT_MAX)
IPC_MESSAGE(control_connect, 0x0104, CONTROL_CONNECT)

/* The answer to control_config. */
#define CONTROL_CONFIG_ANSWER(F, S) \
    F(S, U32, accepted, 0)          \
    F(S, TEXT, why, 500)
IPC_MESSAGE(control_config_answer, 0x0105, CONTROL_CONFIG_ANSWER)

/* Only from authd: start a session for an authenticated client. `fd` is the
 * session's stream, relayed by login. */
#define CONTROL_SESSION(F, S)        \
    F(S, TEXT, role, 32)             \
    F(S, TEXT, tenant, ACCOUNT_MAX)  \
    F(S, TEXT, account, ACCOUNT_MAX) \
    F(S, U32, uid, 0)                \
    F(S, TEXT, path, 1000)           \
    F(S, U64, quota, 0)              \
    F(S, TEXT, session, 32)          \
    F(S, FD, fd, 0)
IPC_MESSAGE(control_session, 0x0106, CONTROL_SESSION)

/* Only from authd: the answer to control_whereis. uid 0: no such account,
 * or, with `retry`, not known at the moment. */
#define CONTROL_HERE(F, S)           \
    F(S, U32, ticket, 0)             \
    F(S, TEXT, tenant, ACCOUNT_MAX)  \
    F(S, U32, uid, 0)                \
    F(S, U32, retry, 0)
IPC_MESSAGE(control_here, 0x0107, CONTROL_HERE)

/* Only from logd: lines cannot be written to what I have; give me the log
 * anew. Answered by control_file. */
IPC_SIGNAL(control_log_wanted, 0x0108)

/* --- from master ------------------------------------------------------- */

#define CONTROL_JOINED(F, S) \
    F(S, U32, ticket, 0)     \
    F(S, FD, fd, 0)          \
    F(S, TEXT, why, 200)
IPC_MESSAGE(control_joined, 0x0181, CONTROL_JOINED)

/* A new main.cf: parse it and answer, but use it only after control_apply.
 * control_discard drops it. Programs that serve one client a process get
 * control_stop instead and are replaced. */
#define CONTROL_CONFIG(F, S) F(S, FD, config, 0)
IPC_MESSAGE(control_config, 0x0182, CONTROL_CONFIG)
IPC_SIGNAL(control_apply, 0x0183)
IPC_SIGNAL(control_discard, 0x0184)

/* End as soon as the clients at hand are served; or, with `goodbye`, since all
 * stops, as soon as the command that each of them is in has its answer. May
 * come once more, with `goodbye`. */
#define CONTROL_STOP(F, S) F(S, U32, goodbye, 0)
IPC_MESSAGE(control_stop, 0x0185, CONTROL_STOP)

/* Only to logd: read lines from `fd` and write them under this tag; the
 * sender's process id comes with each line from the kernel. */
#define CONTROL_LOG_SOURCE(F, S) \
    F(S, TEXT, tag, 120)         \
    F(S, FD, fd, 0)
IPC_MESSAGE(control_log_source, 0x0186, CONTROL_LOG_SOURCE)

/* Only to authd: which tenant has this account? */
#define CONTROL_WHEREIS(F, S) \
    F(S, U32, ticket, 0)      \
    F(S, TEXT, account, ACCOUNT_MAX)
IPC_MESSAGE(control_whereis, 0x0187, CONTROL_WHEREIS)

/* A file that this program may have and nothing else: keyd's keys, authd's
 * database directory; for logd "log", a file, or "syslog", a datagram socket.
 * `name` says which. */
#define CONTROL_FILE(F, S)   \
    F(S, TEXT, name, 200)    \
    F(S, FD, fd, 0)
IPC_MESSAGE(control_file, 0x0188, CONTROL_FILE)

/* One of those who wait for clients with you ended: see whether a client waits.
 * Its arrival wakes one of them (EPOLLEXCLUSIVE), and that one may have ended
 * before it took the client. */
IPC_SIGNAL(control_look, 0x0189)

/* --- on an accept channel ---------------------------------------------- */

/* A connection, and who is at its other end: known to master, not claimed. */
#define STAMP(F, S)                       \
    F(S, TEXT, role, 32)                  \
    F(S, TEXT, service, SERVICE_NAME_MAX) \
    F(S, U32, pid, 0)                     \
    F(S, TEXT, tenant, ACCOUNT_MAX)       \
    F(S, TEXT, account, ACCOUNT_MAX)      \
    F(S, TEXT, session, 32)               \
    F(S, U64, quota, 0)                   \
    F(S, FD, fd, 0)
IPC_MESSAGE(stamp, 0x01f0, STAMP)

#endif
