/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.h - one notification: from the request to its queue id.
 */
#ifndef BOUNCE_BOUNCE_H
#define BOUNCE_BOUNCE_H

#include "proto/bounce.h"
#include "queue/qfile.h"
#include "service/service.h"

struct bounce_conf {
    char *myhostname, *mail_name, *cleanup_service_name;
    uint64_t bounce_size_limit; /* bytes */
    unsigned ipc_timeout;       /* seconds */
};

extern struct bounce_conf bounce_conf;
extern const struct param bounce_params[];

/* What became of one recipient; texts are owned. */
struct fate {
    uint32_t index;
    char dsn[17];
    char *text, *remote, *diag;
    bool relayed;
};

struct notification {
    enum bounce_kind kind;
    char queue_id[17];
    int fd;
    uint64_t will_retry_us;
    struct fate *fates;
    size_t n_fates;
};

/* Serve qmgr's requests until it hangs up. */
void bounce_serve(struct daemon *d, struct client *c);

/* Append the whole notification about the message `q` (open as n->fd). */
int report_write(struct buf *out, const struct notification *n,
                 const struct qfile *q, struct error *err);

#endif
