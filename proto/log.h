/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - what postlog(1) asks of logd.
 *
 * Over the socket public/log, known by SO_PEERCRED: only root and the owner
 * of the suite, since tools act on what stands in the log (fail2ban shuts
 * addresses out). Any number of log_entry, each answered by log_entered.
 */
#ifndef PROTO_LOG_H
#define PROTO_LOG_H

#include "base/ascii.h"
#include "base/log.h"
#include "ipc/message.h"

#define LOG_SOCKET "public/log"

#define LOG_TAG_MAX 64

/* One line; `tag` of letters, digits and "-_./", `level` of enum log_level. */
#define LOG_ENTRY(F, S)          \
    F(S, TEXT, tag, LOG_TAG_MAX) \
    F(S, U32, level, 0)          \
    F(S, TEXT, text, LOG_LINE_MAX)
IPC_MESSAGE(log_entry, 0x0e01, LOG_ENTRY)

IPC_SIGNAL(log_entered, 0x0e81)

/* Is this a tag as above? */
static inline bool log_is_tag(struct view tag)
{
    for (size_t i = 0; i < tag.len; i++)
        if (!ascii_is_alnum(tag.data[i]) && tag.data[i] != '-' &&
            tag.data[i] != '_' && tag.data[i] != '.' && tag.data[i] != '/')
            return false;
    return tag.len > 0 && tag.len <= LOG_TAG_MAX;
}

#endif
