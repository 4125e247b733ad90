/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtpd.h - one SMTP session (RFC 5321), and its pieces.
 *
 *     session.c    the dialogue: greeting, commands, limits, the log's end
 *     client.c     who the client is: address and name
 *     cmd_hello.c  HELO, EHLO, and the small commands
 *     cmd_mail.c   MAIL and RCPT
 *     cmd_data.c   DATA and BDAT: content, to cleanup
 *     cmd_auth.c   AUTH (RFC 4954)
 *     cmd_tls.c    STARTTLS (RFC 3207), TLS
 *     access.c     who may send where (access.h)
 *
 * A transaction is one object that every way out replaces whole (security.md
 * R4). The order of commands is the table in session.c.
 */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include "dns/dns.h"
#include "mail/address.h"
#include "mail/esmtp.h"
#include "net/stream.h"
#include "proto/auth.h"
#include "proto/cleanup.h"
#include "proto/resolve.h"
#include "service/service.h"

enum tls_level { TLS_NONE, TLS_MAY, TLS_ENCRYPT };

struct smtpd_conf {
    char *myhostname, *mail_name, *smtpd_banner, *mynetworks;
    char *smtpd_relay_restrictions, *smtpd_client_restrictions;
    char *smtpd_sasl_mechanisms, *cleanup_service_name;
    bool smtpd_sasl_auth_enable, smtpd_tls_auth_only, smtpd_helo_required;
    bool disable_vrfy_command, smtpd_sender_login_check, smtputf8_enable;
    uint64_t message_size_limit, content_memory_limit; /* bytes */
    unsigned smtpd_timeout, smtpd_data_timeout, ipc_timeout; /* seconds */
    unsigned auth_timeout, key_timeout;
    unsigned smtpd_recipient_limit, smtpd_hard_error_limit;
    unsigned smtpd_soft_error_limit, smtpd_error_sleep_time;
    unsigned smtpd_junk_command_limit, line_length_limit;
    unsigned smtpd_tls_security_level; /* enum tls_level */
    unsigned smtpd_starttls_timeout;   /* seconds */
    bool smtpd_tls_wrappermode, smtpd_peername_lookup;
    unsigned smtpd_peername_timeout;   /* seconds */
};

extern struct smtpd_conf smtpd_conf;
extern const struct param smtpd_params[];

/* Where a session stands: one bit each, so that a command can name several. */
enum smtp_state {
    SMTP_HELLO = 1 << 0, /* no HELO or EHLO yet */
    SMTP_READY = 1 << 1, /* no transaction */
    SMTP_MAIL = 1 << 2,  /* MAIL was accepted */
    SMTP_RCPT = 1 << 3,  /* and at least one RCPT */
    SMTP_BDAT = 1 << 4,  /* and a chunk that was not the last */
    SMTP_ANY = (1 << 5) - 1,
};

/* Why the session ends, when not by QUIT. */
enum smtp_end {
    END_NONE,
    END_QUIT,
    END_LOST,    /* "lost connection after X" */
    END_TIMEOUT, /* "timeout after X" */
    END_ERRORS,  /* "too many errors after X" */
    END_CLOSE,   /* we said why already */
};

struct smtp_session;

/* One command of the table. */
struct smtp_command {
    const char *verb;
    unsigned states, flags;
    void (*run)(struct smtp_session *s, struct view args);
};
#define SMTP_COMMANDS_MAX 20

struct smtp_transaction {
    struct buf sender;      /* formatted, "" for <> */
    char queue_id[17];
    unsigned n_rcpts;
    struct buf first_rcpt;  /* for the Received header */
    uint32_t flags, ret;    /* of the envelope */
    struct buf envid;
    bool begun;             /* cleanup was told */
    bool bdat;              /* content comes in chunks */
    bool doomed;            /* content was refused; only the end is awaited */
    uint64_t size;          /* content so far */
    uint64_t declared;      /* SIZE=, or 0 */
    struct buf piece;       /* content not yet sent to cleanup */
    char last;              /* its last byte: line ends across chunks */
};

struct smtp_session {
    struct daemon *daemon;
    struct stream stream;
    char client_name[256], client_address[64];
    unsigned client_port;
    bool is_local;          /* through the submission socket */
    uint32_t uid;           /* of a local client */
    bool in_mynetworks;
    bool is_tls, is_esmtp;
    struct buf tls_text;    /* protocol and cipher, for log and trace */
    char helo[513];
    unsigned state;
    enum smtp_end end;
    unsigned errors, junk;
    const char *last_verb;
    unsigned said[SMTP_COMMANDS_MAX], good[SMTP_COMMANDS_MAX];
    bool failed;            /* the command at hand was answered 4xx or 5xx */
    char account[321], sasl_method[33]; /* once authenticated */
    char session_id[17];
    struct smtp_transaction t;
};

/* What main.c names: service.h says when each is called. */
void smtpd_prepare(struct daemon *d);
void smtpd_serve(struct daemon *d, struct client *c);

/* Lines to other programs, kept from client to client: none of them knows
 * anything of a client that is gone. fd -1: not joined. */
struct smtp_lines {
    struct ipc cleanup, mapd, authd;
    struct dns dns;
    uint32_t ticket; /* of the last exchange with authd */
};
extern struct smtp_lines smtp_lines;

/* Fill in who the client is, from the connection, the kernel and DNS. Waits
 * for the answers of DNS, but never for longer than smtpd_peername_timeout
 * each. */
void smtp_name_client(struct smtp_session *s);

/* No client came for a second: let others have our cleanup. */
void smtpd_rest(struct daemon *d);

/* Send one reply line: code, enhanced status, text. A 4xx or 5xx counts as an
 * error of the client's. */
void smtp_reply(struct smtp_session *s, unsigned code, const char *dsn,
                const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same, and log it as a rejection of the command at hand: "NOQUEUE:
 * reject: RCPT from ...: 554 5.7.1 ...; from=<> to=<> proto= helo=<>". */
void smtp_reject(struct smtp_session *s, struct view rcpt, unsigned code,
                 const char *dsn, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* End the session after this command. */
void smtp_end(struct smtp_session *s, enum smtp_end why);

/* Replace the transaction by a fresh one; cleanup is told. */
void smtp_reset(struct smtp_session *s);

/* Join `service` if `c` is not joined yet; its answers are waited for at most
 * `timeout` seconds. */
int smtp_need(struct smtp_session *s, const char *service, unsigned timeout,
              struct ipc *c, struct error *err);

/* The protocol's name for Received and the log: SMTP, ESMTP, ESMTPSA... */
const char *smtp_protocol(const struct smtp_session *s);

/* --- commands ---------------------------------------------------------- */

/* Each runs one command, whose arguments are `args`, and sends its reply. */
void cmd_helo(struct smtp_session *s, struct view args);
void cmd_ehlo(struct smtp_session *s, struct view args);
void cmd_rset(struct smtp_session *s, struct view args);
void cmd_noop(struct smtp_session *s, struct view args);
void cmd_vrfy(struct smtp_session *s, struct view args);
void cmd_quit(struct smtp_session *s, struct view args);
void cmd_mail(struct smtp_session *s, struct view args);
void cmd_rcpt(struct smtp_session *s, struct view args);
void cmd_data(struct smtp_session *s, struct view args);
void cmd_bdat(struct smtp_session *s, struct view args);
void cmd_auth(struct smtp_session *s, struct view args);
void cmd_starttls(struct smtp_session *s, struct view args);

/* --- cmd_tls.c --------------------------------------------------------- */

/* Before the jail: prepare TLS, if it is configured. */
void tls_start(void);

/* Can TLS be offered: is there keyd, and a certificate? */
bool tls_is_ready(struct smtp_session *s);

/* Is TLS required and not there yet? */
bool tls_is_missing(const struct smtp_session *s);

/* Shake hands; false ends the session. */
bool tls_shake(struct smtp_session *s);

#endif
