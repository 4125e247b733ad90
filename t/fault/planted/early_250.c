/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: the answer comes a moment before the message is durable. */
#include <poll.h>
#include <unistd.h>

#include "cleanup/cleanup.h"
#include "proto/cleanup.h"

int __real_commit_finish(struct transaction *t, struct reply *reply);
int __wrap_commit_finish(struct transaction *t, struct reply *reply);

int __wrap_commit_finish(struct transaction *t, struct reply *reply)
{
    struct mail_reply early = { .code = 250, .dsn = VIEW("2.0.0"),
                                .text = VIEW("Ok: queued"),
                                .queue_id = view_of(t->queue_id) };
    struct error err;

    ipc_send(t->client, &mail_reply_type, &early, &err);
    poll(NULL, 0, 150);
    __real_commit_finish(t, reply);
    _exit(0); /* with no second answer */
}
