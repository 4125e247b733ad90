/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin.h - what the postern command and master say to each other.
 *
 * Over private/master in the queue directory, a SEQPACKET socket that only
 * the owner of master (root) can connect to.
 */
#ifndef PROTO_ADMIN_H
#define PROTO_ADMIN_H

#include "ipc/message.h"

#define ADMIN_SOCKET "private/master"

/* Requests: stop; read the configuration again; list the processes; open the
 * log file again. */
IPC_SIGNAL(admin_stop, 0x0f01)
IPC_SIGNAL(admin_reload, 0x0f02)
IPC_SIGNAL(admin_status, 0x0f03)
IPC_SIGNAL(admin_reopen_log, 0x0f04)

/* One process, of a status. `walls`: what it said when it began stands around
 * it (enum wall of sandbox.h). */
#define ADMIN_PROCESS(F, S)   \
    F(S, U32, pid, 0)         \
    F(S, TEXT, program, 32)   \
    F(S, TEXT, service, 64)   \
    F(S, TEXT, state, 16)     \
    F(S, TEXT, tenant, 320)   \
    F(S, U64, age_ms, 0)      \
    F(S, U32, walls, 0)
IPC_MESSAGE(admin_process, 0x0f10, ADMIN_PROCESS)

/* The end of every answer: `why` is empty when it went well. */
#define ADMIN_DONE(F, S) F(S, TEXT, why, 700)
IPC_MESSAGE(admin_done, 0x0f11, ADMIN_DONE)

#endif
