/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pop3d.h - a POP3 session in its transaction state (RFC 1939 §5, §6).
 *
 *     session.c   life, the dialogue, the small commands, the update at the end
 *     retrieve.c  RETR and TOP
 *
 * The maildrop is the view of INBOX as it was at the login: numbers and sizes
 * do not change. Messages are removed only by QUIT.
 */
#ifndef POP3D_POP3D_H
#define POP3D_POP3D_H

#include "index/mailbox.h"
#include "net/stream.h"
#include "service/service.h"

struct pop3d_conf {
    char *myhostname;
    unsigned pop3_timeout, index_lock_timeout; /* seconds */
    unsigned pop3_bad_command_limit;
    bool pop3_no_flag_updates;
};

extern struct pop3d_conf pop3d_conf;
extern const struct param pop3d_params[];

struct pop3_session {
    struct daemon *daemon;
    const struct client *client;
    struct stream stream;
    struct store *store;
    struct mailbox *box;
    bool *deleted, *seen;   /* one a message */
    bool over;              /* after QUIT, or when the client is lost */
    const char *why;        /* it is over */
    unsigned bad;
    unsigned n_top, n_retr, n_deleted;
    uint64_t top_bytes, retr_bytes;
};

/* What main.c names: service.h says when each is called. */
void pop3d_prepare(struct daemon *d);
void pop3d_serve(struct daemon *d, struct client *c);

/* Say one line. */
void pop3_say(struct pop3_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Take a message number off `args`: true with *index, or the client was told
 * what is wrong with it. */
bool pop3_number(struct pop3_session *s, struct view *args, size_t *index);

/* The commands that send a message (retrieve.c). */
void cmd_retr(struct pop3_session *s, struct view args);
void cmd_top(struct pop3_session *s, struct view args);

#endif
