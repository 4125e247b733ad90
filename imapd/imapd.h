/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imapd.h - one authenticated IMAP session (RFC 3501 §3, §6.3, §6.4).
 *
 *     session.c     the loop, replies, changes told between commands
 *     input.c       one command with its literals
 *     args.c set.c  its parts
 *     cmd_*.c       a command each, or a few that belong together (commands.h)
 *     fetch_*.c     what FETCH shows of a message
 *     search*.c     SEARCH: parsed to a program, run over the messages
 */
#ifndef IMAPD_IMAPD_H
#define IMAPD_IMAPD_H

#include "imapd/args.h"
#include "imapd/set.h"
#include "index/mailbox.h"
#include "net/stream.h"
#include "service/service.h"

struct imapd_conf {
    char *myhostname;
    unsigned imap_max_bad_commands;
    unsigned imap_idle_timeout;      /* seconds without a command */
    unsigned imap_idle_poll;         /* seconds between looks in IDLE */
    uint64_t imap_line_length;       /* bytes of a command with literals */
    uint64_t message_size_limit;     /* bytes */
    unsigned imap_lock_timeout;      /* seconds */
    unsigned imap_search_depth;      /* levels */
};

extern struct imapd_conf imapd_conf;
extern const struct param imapd_params[];

enum imap_state {
    IMAP_AUTHENTICATED = 1 << 0, /* no mailbox is selected */
    IMAP_SELECTED = 1 << 1,
    IMAP_BOTH = IMAP_AUTHENTICATED | IMAP_SELECTED,
};

/* Why the session ends; the first reason counts. */
enum imap_end {
    IMAP_GOING_ON,
    IMAP_LOGOUT,
    IMAP_LOST,     /* the client hung up */
    IMAP_TIMEOUT,
    IMAP_ERRORS,   /* too many senseless commands */
    IMAP_BYE,      /* we said why */
    IMAP_SHUTDOWN, /* all stops */
};

/* For the log's last line. */
struct imap_counts {
    uint64_t deleted, expunged, headers, header_bytes, bodies, body_bytes;
};

struct imap_session {
    struct daemon *daemon;
    const char *account;
    int root;                 /* its directory */
    uint64_t quota;           /* its limit in bytes; 0: none */
    struct stream stream;
    struct store *store;
    struct mailbox *box;      /* NULL: none is selected */
    struct ipc notify;        /* fd -1: not joined */
    bool condstore;           /* the client knows MODSEQ (RFC 7162 §3.1) */
    bool uid;                 /* the command at hand began with UID */
    enum imap_end end;
    unsigned bad;
    struct buf command, pool; /* the command at hand, see input.c */
    struct view tag;
    struct buf reply;         /* behind its tag; empty: not answered yet */
    bool lost_some;           /* messages were gone when they were read */
    bool behind;              /* the last look at the mailbox failed */
    struct imap_counts counts;
};

/* Speak with the client at c->fd (taken), whose account's directory is `root`
 * (borrowed), until it leaves. */
void imap_session_run(struct daemon *d, int root, struct client *c);

/* What main.c names: service.h says when each is called. */
void imapd_prepare(struct daemon *d);
void imapd_serve(struct daemon *d, struct client *c);

/* --- session.c: saying things ------------------------------------------ */

/* Untagged text; a client that is gone ends the session. */
void imap_say(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void imap_say_view(struct imap_session *s, struct view text);

/* The command's answer, behind its tag. */
void imap_ok(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void imap_no(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void imap_bad(struct imap_session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* NO with the response code that `why` stands for (RFC 5530) and the sentence;
 * `create`: a missing mailbox could be made first (TRYCREATE). A failure that
 * is not the client's is logged. */
void imap_refuse(struct imap_session *s, enum store_why why, bool create,
                 const struct error *err);

/* NO for a failure of the mailbox that is open; logged. */
void imap_failed(struct imap_session *s, const struct error *err);

/* End the session. */
void imap_end(struct imap_session *s, enum imap_end why);

/* Does all stop? Then the session ends. `woken`: service_wake_fd() can be read;
 * take what master says. */
bool imap_all_stops(struct imap_session *s, bool woken);

/* --- session.c: the mailbox -------------------------------------------- */

/* Tell what changed; with `look` also on the disk. */
void imap_sync(struct imap_session *s, bool look, bool keep_numbers);

/* Close the mailbox; the session is authenticated, not selected. */
void imap_unselect(struct imap_session *s);

/* A mailbox's changes were made by us: tell the other sessions. */
void imap_tell(struct imap_session *s, struct view mailbox);

/* The messages that the set (normalised by this) names, by number or, in a UID
 * command, by UID; gone ones are left out. *indices (of entries, rising) is
 * the caller's. False, with a BAD, for a number that no message has. */
bool imap_messages(struct imap_session *s, struct imap_set *set,
                   size_t **indices, size_t *n);

/* Append "\Seen \Flagged $Junk": the flags in IMAP's words, with blanks. */
void imap_add_flags(struct buf *out, const struct mailbox *m, uint32_t flags,
                    uint64_t keywords);

/* The system flag called `name`; 0 if there is none. */
uint32_t imap_system_flag(struct view name);

/* "* n FETCH (FLAGS (...))" with UID and MODSEQ where they belong. */
void imap_say_flags(struct imap_session *s, size_t index, bool modseq_only);

/* Turn MODSEQ on for the rest of the session (RFC 7162 §3.1). */
void imap_enable_condstore(struct imap_session *s);

/* --- input.c ----------------------------------------------------------- */

enum imap_input {
    IMAP_COMMAND, /* s->command has one */
    IMAP_NONE,    /* there was none; it was answered, or the session ends */
};

/* Read the next command, except the message of an APPEND, whose "{n}" then
 * ends it. */
enum imap_input imap_input(struct imap_session *s);

/* Read and drop `size` bytes of a literal; ends the session when that takes
 * too much. */
void imap_drain(struct imap_session *s, uint64_t size);

/* --- what commands share ----------------------------------------------- */

/* A mailbox's use as an attribute (RFC 6154 §2), "" for none; the use that an
 * attribute names, or STORE_USE_NONE. */
const char *imap_use_name(enum store_use use);
enum store_use imap_use_find(struct view attribute);

/* The parenthesised items of STATUS, as bits (cmd_status.c). */
bool imap_status_items(struct imap_args *a, unsigned *items);

/* "* STATUS name (...)"; false, with *why and *err, when it cannot be had. */
bool imap_say_status(struct imap_session *s, struct view name, unsigned items,
                     enum store_why *why, struct error *err);

/* A flag list, in parentheses or, if `bare` allows it, without: system flags
 * without \Recent, and the names of keywords (`n` of them, at most
 * MAILBOX_KEYWORDS_MAX). */
struct imap_flags {
    uint32_t system;
    struct view keywords[MAILBOX_KEYWORDS_MAX];
    size_t n;
};
bool imap_flag_list(struct imap_args *a, bool bare, struct imap_flags *f);

/* Does `name` match the LIST pattern: "*" for anything, "%" for anything
 * without "."? Time is the product of the lengths at most. */
bool imap_list_match(struct view pattern, struct view name);

#endif
