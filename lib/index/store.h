/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h - one account's mail: a Maildir++ and its index (DESIGN §6).
 *
 * The files are the truth about which messages exist. The index, an LMDB
 * environment in the directory `index/` of the account, is the truth about
 * what IMAP adds: UIDs, flags, keywords, MODSEQ, and what was learned from the
 * messages. A mailbox is a Maildir: INBOX is the account's directory itself,
 * A.B is `.A.B` in it. Names are as IMAP writes them (modified UTF-7, RFC 3501
 * §5.1.3), on disk too; the hierarchy delimiter is ".".
 *
 * Damage:    every value carries a checksum over account, key and value, every
 *            mailbox a count. When one does not fit, or LMDB reports an error,
 *            the index is set aside and rebuilt from the files; every mailbox
 *            then gets a UIDVALIDITY above any that was ever given (kept in a
 *            small synced file beside the index). Views that are open end with
 *            MAILBOX_LOST.
 * Locks:     writers take our own OFD lock with a deadline of `lock_ms`, never
 *            held over reading or parsing messages or waiting for a client. No
 *            read transaction outlives a call, but mailbox_begin()'s.
 * Durable:   what a call reports (a UID, a MODSEQ, a flag) is on disk before
 *            it returns.
 * Life:      store_open, calls, store_close. Views are closed before it.
 * Errors:    FAIL_TEMP for disk, lock and space; FAIL_PERM for what is asked
 *            wrongly (enum store_why says which, for IMAP's response codes).
 * Blocking:  on the disk and on the lock.
 */
#ifndef INDEX_STORE_H
#define INDEX_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"

#define STORE_NAME_MAX 240  /* bytes of a mailbox name */
#define STORE_DEPTH_MAX 32  /* levels of its hierarchy */
#define STORE_MAILBOXES_MAX 10000

struct store;

/* Why a call was refused, beside the sentence (RFC 5530's codes). */
enum store_why {
    STORE_OK,
    STORE_LATER,      /* the disk, a lock: try again; no code, or INUSE */
    STORE_MISSING,    /* NONEXISTENT, or TRYCREATE */
    STORE_EXISTS,     /* ALREADYEXISTS */
    STORE_BAD_NAME,   /* CANNOT */
    STORE_LIMIT,      /* LIMIT */
    STORE_OVER_QUOTA, /* OVERQUOTA */
    STORE_HAS_CHILDREN,
    STORE_DAMAGED,    /* the index was set aside; open again */
};

struct store_options {
    const char *account; /* "user@domain"; borrowed */
    const char *path;    /* the account's directory by its name, which LMDB
                          * needs; NULL: it is the working directory, as in a
                          * jail; borrowed */
    const char *host;    /* for new file names; borrowed */
    unsigned lock_ms;    /* wait at most this long for the lock */
    uint64_t quota;      /* bytes, 0: no limit */
    uint64_t life;       /* which start of the suite it is. What was noted of a
                          * directory's time in another one is not believed: a
                          * crash between may have brought a name back without
                          * the time that it was made (btrfs does so) */
};

/* Open the account whose directory is `dir` (borrowed), making the Maildir and
 * the index if they are missing. NULL on error. */
struct store *store_open(int dir, const struct store_options *o,
                         struct error *err);
void store_close(struct store **sp);

/* Before the jail: what store_open() must find prepared (nameless files). */
void store_prepare(void);

/* Is it a name that a mailbox may have? ("INBOX" in any case is.) */
bool store_is_name(struct view name);

/* --- the tree of mailboxes --------------------------------------------- */

/* A mailbox's use (RFC 6154), or 0. Kept in the index; a new account's Sent,
 * Drafts, Junk, Trash and Archive get theirs by name. */
enum store_use {
    STORE_USE_NONE, STORE_USE_ALL, STORE_USE_ARCHIVE, STORE_USE_DRAFTS,
    STORE_USE_FLAGGED, STORE_USE_JUNK, STORE_USE_SENT, STORE_USE_TRASH,
};

struct store_entry {
    struct view name;   /* valid during the call */
    bool exists;        /* else: only a parent of some, or only subscribed */
    bool subscribed;
    bool has_children;
    enum store_use use;
};

/* Call `each` for all mailboxes, their parents, and subscribed names that do
 * not exist, ordered by name with INBOX first. */
int store_each(struct store *s,
               void (*each)(const struct store_entry *e, void *arg),
               void *arg, struct error *err);

/* Make a mailbox, and no parent of it (a missing parent is no mailbox). */
int store_create(struct store *s, struct view name, enum store_use use,
                 enum store_why *why, struct error *err);

/* Remove a mailbox with its messages. INBOX cannot be; one with children
 * becomes a name only. */
int store_delete(struct store *s, struct view name, enum store_why *why,
                 struct error *err);

/* Rename it with its children; UIDs and UIDVALIDITY go along. Renaming INBOX
 * moves its messages and leaves it empty (RFC 3501 §6.3.5). */
int store_rename(struct store *s, struct view from, struct view to,
                 enum store_why *why, struct error *err);

/* Subscribe or unsubscribe; the name need not exist. */
int store_subscribe(struct store *s, struct view name, bool on,
                    enum store_why *why, struct error *err);

/* --- status, without opening (RFC 3501 §6.3.10, RFC 7162 §3.1.2, RFC 8438)  */

struct store_status {
    uint32_t messages, recent, unseen, deleted;
    uint32_t uid_next, uid_validity;
    uint64_t highest_modseq, size; /* bytes, as clients see them */
};

/* The status after taking in what changed on disk. */
int store_status(struct store *s, struct view name, struct store_status *st,
                 enum store_why *why, struct error *err);

/* Was a message whose file's name begins with `base` expunged lately? For a
 * delivery in doubt; makes no index where there is none. */
int store_was_expunged(int dir, const struct store_options *o,
                       struct view base, bool *was, struct error *err);

/* Bytes and messages of the whole account, for QUOTA. */
int store_usage(struct store *s, uint64_t *bytes, uint64_t *messages,
                struct error *err);

#endif
