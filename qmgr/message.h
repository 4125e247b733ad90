/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.h - messages in memory, and where their files are.
 *
 * A message is in one of the queue's directories and, once known, in memory
 * as a struct message. Being delivered, it also has a struct active: the open
 * file, its recipients, and one job a group of recipients with the same
 * destination. The states, and who moves a message between them:
 *
 *     directory   in memory      leaves it by
 *     (none)      OFFERED        delivered: forgotten; queue_new: ARRIVED
 *     incoming/   ARRIVED        take(): renamed to active/
 *     active/     ACTIVE         finish(): removed, or deferred/ with its
 *                                next attempt as the file's mtime
 *     deferred/   DEFERRED       its time comes, or flush: take()
 *     hold/       HELD           postsuper -H: deferred/, due now
 *     corrupt/    (forgotten)    by hand
 */
#ifndef QMGR_MESSAGE_H
#define QMGR_MESSAGE_H

#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "event/loop.h"
#include "queue/qfile.h"

enum queue_dir { ARRIVED, ACTIVE, DEFERRED, HELD, N_QUEUES,
                 OFFERED = N_QUEUES };

struct message {
    struct map_node node;     /* by id; the key points into `id` */
    struct list link;         /* in qmgr.ready while it waits to be taken */
    char id[QFILE_ID_LEN + 1];
    enum queue_dir queue;
    bool tried;               /* by this process, to the end */
    bool requeue;             /* route it again at the next attempt */
    bool deferred;            /* by this process, since it was found */
    uint64_t seen_us;         /* clock_mono_us() when it was first read */
    uint64_t seen_age_us;     /* how old it was then */
    struct timer due;         /* of a deferred one */
    uint64_t next_us;         /* wall clock of the next attempt */
    struct active *active;    /* only in ACTIVE and OFFERED, and in ARRIVED
                                 after that */
    struct offer *offer;      /* only in OFFERED */
};

/* The path of a message's file below the root, valid until the next call. */
const char *message_path(const struct message *m);
const char *queue_name(enum queue_dir q);

/* Find by id; add one that is in `queue` (NULL if it is known already). */
struct message *message_find(struct view id);
struct message *message_add(struct view id, enum queue_dir queue);

/* Let it be taken as soon as there is room. */
void message_ready(struct message *m);

/* Not before `next_us`; the message is in DEFERRED. */
void message_wait(struct message *m, uint64_t next_us);

/* Move the file to another queue; on error it is where it was. */
int message_move(struct message *m, enum queue_dir to, struct error *err);

/* Is there a file of this message in that queue? */
bool message_is_in(const struct message *m, enum queue_dir q);

/* Remove the file and forget the message. False: it is still there. */
bool message_remove(struct message *m);

/* Forget the message; its file stays. */
void message_forget(struct message *m);

/* Put a file that makes no sense away, and forget it. */
void message_corrupt(struct message *m, const char *why);

/* Take ready messages while there is room: open, log, route, dispatch. */
void messages_take(void);

/* Look in incoming for messages that nobody told us of. */
void messages_arrived(void);

/* The same in all queues, and for what was active, at start. */
void messages_scan(bool at_start);

#endif
