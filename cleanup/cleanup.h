/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cleanup.h - one transaction, from its envelope to its durable name.
 *
 *     transaction.c  what the client says, in its order
 *     expand.c       recipients, followed through aliases by mapd
 *     headers.c      what must be known of the message's header
 *     commit.c       the nameless file, the syncs and the link
 *     offer.c        the fast path: delivered before it is on disk
 */
#ifndef CLEANUP_CLEANUP_H
#define CLEANUP_CLEANUP_H

#include "base/map.h"
#include "proto/cleanup.h"
#include "queue/qfile.h"
#include "service/service.h"

struct cleanup_conf {
    char *myhostname, *message_drop_headers;
    uint64_t message_size_limit, content_memory_limit; /* bytes */
    uint64_t queue_minfree, header_size_limit;
    unsigned hopcount_limit, virtual_alias_expansion_limit, ipc_timeout;
    unsigned fast_delivery_time; /* seconds */
    bool enable_original_recipient;
};

extern struct cleanup_conf cleanup_conf;
extern const struct param cleanup_params[];

/* A recipient after expansion; texts are owned. */
struct recipient {
    struct map_node node; /* "address NUL original": each once */
    char *key;
    char *address, *original, *orcpt, *transport, *nexthop, *account;
    uint32_t notify;
    uint64_t quota; /* bytes; 0: none */
};

/* What the header of the message told. */
struct header_facts {
    bool has_date, has_from, has_message_id;
    unsigned hops;         /* Received and Delivered-To */
    size_t trace_end;      /* bytes of the Received fields at the top */
    struct buf message_id; /* "<...>", for the log */
};

struct transaction {
    struct daemon *daemon;
    struct ipc *client;
    uint32_t client_pid;
    struct ipc *mapd, *qmgr, *authd; /* joined when first needed */
    struct buf envelope_bytes; /* what `e` points into */
    struct envelope e;
    bool begun;
    bool proven;             /* authd knows of the account, if there is one */
    char queue_id[QFILE_ID_LEN + 1]; /* "" before the first recipient */
    struct map recipients;
    struct recipient **order; /* in the order they came; owned */
    size_t n_order, cap_order;
    struct header_facts header;
    struct qwriter writer;
    int fd;                  /* the nameless file, or -1 */
    bool in_memory;          /* `fd` is a memory file, to be offered */
    uint64_t size;           /* content so far, as the client sent it */
    char last;               /* its last byte, for line ends across pieces */
};

/* A reply, as the client of our client will see it. */
struct reply {
    unsigned code;
    char dsn[17];
    char text[400];
};

/* Set a reply; returns -1 for codes that are not 2xx, else 0. */
int reply_set(struct reply *r, unsigned code, const char *dsn,
              const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Before the jail: the way to link a nameless file on older kernels. */
void cleanup_prepare(struct daemon *d);

/* Serve one client's transactions until it hangs up. */
void cleanup_serve(struct daemon *d, struct client *c);

/* Add a recipient and all that it stands for; 0, or -1 with the reply. */
int expand_recipient(struct transaction *t, const struct mail_rcpt *r,
                     struct reply *reply);

/* Free the recipients. */
void expand_release(struct transaction *t);

/* Learn from the first piece of content, which holds the header: 0, or -1 with
 * the reply when the message is in a loop or a header over its limit. */
int headers_learn(struct transaction *t, struct view content,
                  struct reply *reply);

/* Append the header as the message is to have it: with the fields that a
 * submitted one lacks, without those that are nobody's business. Returns how
 * much of the content that was; what is behind it goes on as it is. */
size_t headers_write(const struct transaction *t, struct view content,
                     struct buf *out);

/* Take one piece of content; is it the last? */
int commit_content(struct transaction *t, int fd, bool last,
                   struct reply *reply);

/* Make the message durable under its name and tell qmgr. */
int commit_finish(struct transaction *t, struct reply *reply);

/* Drop what is not committed. */
void commit_abort(struct transaction *t);

/* Join qmgr, unless that is done. */
int commit_join_qmgr(struct transaction *t, struct error *err);

/* May this message go the fast path: is it all for a few of our mailboxes,
 * and nobody wants to be told that it came? */
bool offer_allowed(const struct transaction *t);

enum offer_result {
    OFFER_NOT_MADE,  /* qmgr is not there, says err */
    OFFER_COMMIT,    /* to be committed, perhaps delivered in part */
    OFFER_DELIVERED,
    OFFER_REFUSED,   /* nobody can have it, says the reply */
};

/* Offer the finished memory file to qmgr. */
enum offer_result offer_make(struct transaction *t, struct reply *reply,
                             struct error *err);

/* A new queue id, greater than all before it. */
void commit_make_id(struct daemon *d, char id[QFILE_ID_LEN + 1]);

#endif
