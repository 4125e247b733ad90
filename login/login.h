/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login.h - clients before they are known, and after.
 *
 *     login.c    the process: accepting, limits
 *     key.c      keyd, which may be away
 *     client.c   one client: bytes in and out, TLS, the relay
 *     auth.c     SASL, carried between the client and authd (RFC 4422)
 *     imap.c     IMAP's commands before authentication (RFC 3501 §6.1, §6.2)
 *     pop3.c     POP3's (RFC 1939 §4, RFC 2449, RFC 2595, RFC 5034)
 *
 * Where a client stands, and what may move it on:
 *
 *     SHAKING   TLS; then COMMANDS
 *     COMMANDS  its commands; STARTTLS: SHAKING; a login: ASKING
 *     ASKING    authd decides; no input is read. A challenge: ANSWER; success:
 *               RELAYING; failure: COMMANDS
 *     ANSWER    the client's next SASL message; then ASKING
 *     RELAYING  bytes pass; the end of either side: LEAVING or gone
 *     LEAVING   what waits is sent, then the connection is closed
 */
#ifndef LOGIN_LOGIN_H
#define LOGIN_LOGIN_H

#include "base/list.h"
#include "event/listener.h"
#include "net/tls.h"
#include "proto/auth.h"
#include "service/service.h"

enum login_protocol_name { LOGIN_IMAP, LOGIN_POP3 };

struct login_conf {
    char *myhostname, *login_mechanisms, *login_greeting;
    unsigned login_protocol; /* enum login_protocol_name */
    bool login_tls_wrappermode, disable_plaintext_auth;
    unsigned login_client_limit, login_bad_command_limit;
    unsigned login_auth_limit;           /* failed logins of a connection */
    unsigned login_timeout, ipc_timeout; /* seconds */
    unsigned auth_timeout, key_timeout;
};

extern struct login_conf login_conf;
extern const struct param login_params[];

enum client_state {
    SHAKING, COMMANDS, ASKING, ANSWER, RELAYING, LEAVING,
};

struct protocol;

struct login_client {
    struct list link;
    const struct protocol *protocol;
    enum client_state state;
    struct stream stream;
    struct watch watch;     /* on the client */
    struct timer timer;     /* the end of its patience, or ours */
    struct timer resume;    /* due at once */
    bool is_tls, starttls;  /* starttls: shake hands when all was sent */
    char address[64], local[64];
    char session[17];
    uint64_t since_ms;
    unsigned bad, attempts;

    /* SASL */
    uint32_t ticket;        /* to authd; 0: none */
    struct timer patience;  /* the end of ours with authd */
    int session_fd;         /* our end, -1: none */
    char mechanism[33], user[321];

    /* IMAP */
    char tag[65];           /* of the command at hand */
    size_t prompted;        /* literals that "+" was said for */
    /* POP3 */
    char name[321];         /* of USER */

    /* RELAYING */
    struct watch relay;     /* on session_fd */
    bool session_over;
    uint64_t in, out;       /* bytes */
};

/* What IMAP and POP3 say differently. */
struct protocol {
    const char *name;       /* "imap": service, ALPN, log */
    const char *role;       /* of the session's program */
    void (*greet)(struct login_client *c);
    /* Run the next command of the input; false: it has not come yet. */
    bool (*command)(struct login_client *c);
    /* The client is `user` now; its session speaks next. */
    void (*accepted)(struct login_client *c);
    /* It is not. */
    void (*refused)(struct login_client *c, enum auth_result why);
    /* A last word before we hang up. */
    void (*bye)(struct login_client *c, const char *why);
};

extern const struct protocol imap_protocol, pop3_protocol;

/* The one context of this process. */
struct login {
    struct daemon *daemon;
    struct list clients;
    size_t n_clients;
    bool full, stopping;
    unsigned awaited;       /* of keyd and authd, at the start */
    struct listener listeners[SERVICE_LISTENERS_MAX];
    struct ipc keyd;        /* asked in handshakes */
    struct tls_server *tls;
    uint32_t next_ticket;
};
extern struct login login;

/* --- login.c ----------------------------------------------------------- */

/* What main.c names: service.h says when each is called. */
void login_prepare(struct daemon *d);
void login_start(struct daemon *d);
void login_stopping(struct daemon *d);

/* Room for one client more: accept again; or, when stopping, the end. */
void login_client_left(void);

/* Master has answered our wish to be joined to keyd or authd. */
void login_found(void);

/* --- key.c ------------------------------------------------------------- */

/* Reach for keyd, unless it is there; also after a handshake that failed, for
 * it may have gone during that. */
void key_reach(void);

/* Is there a certificate? */
bool login_has_tls(void);

/* --- client.c ---------------------------------------------------------- */

/* Serve a connection (taken). */
void client_start(int fd);

/* Say something; it goes out at the end of the turn. */
void client_say(struct login_client *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Send what waits and close; `why` is for the client and the log. */
void client_leave(struct login_client *c, const char *why);

/* The same from outside of the client's turn, which may free it. */
void client_dismiss(struct login_client *c, const char *why);

/* A command that is none; false when that was one too many. */
bool client_bad(struct login_client *c);

/* Go on after authd's word: read commands again. */
void client_resume(struct login_client *c);

/* May a password be sent as things stand? */
bool client_may_login(const struct login_client *c);

/* Pass bytes between the client and its session from now on. */
void client_relay(struct login_client *c);

/* --- auth.c ------------------------------------------------------------ */

/* Begin an exchange; `initial` as SASL-IR has it, wiped by the caller. */
void auth_start(struct login_client *c, struct view mechanism,
                bool has_initial, struct view initial);

/* Reach for authd, so that it is there when it is needed. */
void auth_reach(void);

/* The client's next message, in base64, or "*". */
void auth_answer(struct login_client *c, struct view line);

/* The client is going away. */
void auth_forget(struct login_client *c);


#endif
