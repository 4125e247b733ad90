/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sendmail.h - the sendmail command: mail from local programs.
 *
 *     main.c     the options that twenty years of programs use
 *     message.c  the message from standard input, and -t
 *     submit.c   the dialogue with smtpd over public/submit
 *
 * No privilege is needed: the message goes over a Unix socket, and smtpd
 * knows from the kernel who is at the other end.
 */
#ifndef TOOLS_SENDMAIL_H
#define TOOLS_SENDMAIL_H

#include <stdbool.h>

#include "base/buf.h"

struct submission {
    const char *sender;     /* -f; NULL: who runs the command */
    const char *full_name;  /* -F */
    const char *notify, *ret, *envid; /* -N, -R, -V */
    bool ignore_dots;       /* -i: a line with one dot is text */
    bool from_header;       /* -t: recipients stand in the header */
    bool verify_only;       /* -bv */
    bool verbose;
    char **rcpts;
    size_t n_rcpts;
    struct buf text;        /* the message with CRLF line ends */
};

/* Read standard input to its end (or to a line with one dot) into s->text. */
void message_read(struct submission *s);

/* Take the recipients out of To, Cc and Bcc, and Bcc out of the header. */
void message_take_rcpts(struct submission *s);

/* Add a recipient, an address or a list of them. */
void message_add_rcpts(struct submission *s, const char *list);

/* Hand it to smtpd; returns the exit code. */
int submit(struct submission *s);

/* -bs: carry SMTP between standard input and smtpd. */
int submit_smtp(void);

#endif
