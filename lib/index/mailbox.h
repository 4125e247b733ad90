/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox.h - one session's view of one mailbox.
 *
 * A view is an array of messages ordered by UID: message sequence number n is
 * entries[n - 1]. It changes only inside mailbox_sync() (and by the session's
 * own calls, which change flags and modseq in place but never remove an
 * entry), so that numbers stay what the client believes (RFC 3501 §7.4.1).
 * What other sessions or other programs did meanwhile is in the index and on
 * the disk, and is taken over by mailbox_sync(), which tells each change.
 *
 * Speed: opening reads one packed record a message and no message file; a
 * second look at an unchanged Maildir reads no directory. 100,000 messages
 * open in tens of milliseconds.
 *
 * Life:      mailbox_open, calls, mailbox_close.
 * Ownership: entries are the view's, valid until the next mailbox_sync().
 * Errors:    as store.h says. A message whose file is gone is no error: it is
 *            told as MAILBOX_GONE, and the next sync expunges it.
 * Blocking:  on the disk and on the lock.
 */
#ifndef INDEX_MAILBOX_H
#define INDEX_MAILBOX_H

#include "index/store.h"

enum mailbox_flag { /* the system flags, as Maildir keeps them but \Recent */
    MAILBOX_SEEN = 1 << 0,
    MAILBOX_ANSWERED = 1 << 1,
    MAILBOX_FLAGGED = 1 << 2,
    MAILBOX_DELETED = 1 << 3,
    MAILBOX_DRAFT = 1 << 4,
    MAILBOX_RECENT = 1 << 5, /* in this view only; cannot be set */
};

#define MAILBOX_KEYWORDS_MAX 64 /* of one mailbox */
#define MAILBOX_KEYWORD_MAX 100 /* bytes of one */

struct mailbox_entry {
    uint32_t uid;
    uint32_t flags;    /* enum mailbox_flag */
    uint64_t keywords; /* bit i: keyword i of the mailbox */
    uint64_t modseq;
    uint64_t size;     /* bytes as clients see: each line end is CRLF */
    uint32_t date;     /* INTERNALDATE, seconds since 1970 */
    bool is_gone;      /* its file is not there; expunged at the next sync */
};

struct mailbox {
    struct store *store;
    char name[STORE_NAME_MAX + 1];
    bool read_only;
    uint32_t uid_validity, uid_next;
    uint64_t highest_modseq;
    struct mailbox_entry *entries;
    size_t n;
    size_t n_recent;
    size_t first_unseen;  /* its number when opened; 0: none, or not near */
    char *keywords[MAILBOX_KEYWORDS_MAX]; /* NULL: not in use */
    struct mailbox_private *p;
};

/* Open a view (with the state of now: no sync is needed). A read-only view
 * (EXAMINE) takes no \Recent away. NULL on error. */
struct mailbox *mailbox_open(struct store *s, struct view name,
                             bool read_only, enum store_why *why,
                             struct error *err);
void mailbox_close(struct mailbox **mp);

/* The same in two steps, so that a client need not wait for the second, which
 * takes as long as the mailbox is large: after the first all is there but the
 * entries. mailbox_load() must be the next call; between the two a read
 * transaction is open. -1: only mailbox_close() may follow. */
struct mailbox *mailbox_begin(struct store *s, struct view name,
                              bool read_only, enum store_why *why,
                              struct error *err);
int mailbox_load(struct mailbox *m, enum store_why *why, struct error *err);
bool mailbox_is_loaded(const struct mailbox *m);

/* The entry with this UID, or the first above it: an index into entries, n
 * when there is none. */
size_t mailbox_find(const struct mailbox *m, uint32_t uid);

/* --- changes of others ------------------------------------------------- */

enum mailbox_sync_result {
    MAILBOX_SAME,
    MAILBOX_CHANGED,
    MAILBOX_LOST,   /* the mailbox was deleted, renamed or rebuilt: reopen */
    MAILBOX_FAILED, /* *err says why; the view is as before */
};

/* What changed; any may be NULL. In this order: expunged (with the number it
 * has at that moment, highest first, or ascending as they are called: each
 * call's number counts those before it as gone), then changed flags, then new
 * messages (once, with the new count). */
struct mailbox_changes {
    void (*expunged)(struct mailbox *m, size_t number, uint32_t uid,
                     void *arg);
    void (*flags)(struct mailbox *m, size_t index, void *arg);
    void (*exists)(struct mailbox *m, size_t n, void *arg);
    void *arg;
};

/* Take over what changed in the index and, with `look`, on the disk as well.
 * With `keep_numbers` expunges wait for a later call (RFC 3501 §7.4.1: no
 * EXPUNGE during FETCH, STORE, SEARCH). Cheap when nothing changed: without
 * `look` one read of the index, with it two stats more. */
enum mailbox_sync_result
mailbox_sync(struct mailbox *m, bool look, bool keep_numbers,
             const struct mailbox_changes *changes, struct error *err);

/* UIDs that were expunged after `modseq` (QRESYNC later, and VANISHED): not
 * kept yet; nothing here. */

/* --- changing ---------------------------------------------------------- */

enum mailbox_how { MAILBOX_SET, MAILBOX_ADD, MAILBOX_REMOVE };

struct mailbox_change {
    enum mailbox_how how;
    uint32_t flags;           /* without MAILBOX_RECENT */
    uint64_t keywords;
    bool has_unchanged;       /* CONDSTORE's UNCHANGEDSINCE */
    uint64_t unchanged_since;
};

/* The bit of keyword `name` (any case), added to the mailbox if `create`; 0
 * if it is not there, no keyword's name or there is no room. */
uint64_t mailbox_keyword(struct mailbox *m, struct view name, bool create,
                         struct error *err);

/* Change the flags of the `n` messages at `indices`, in one commit. Sets
 * modified[i] when message i was skipped because of unchanged_since, or is
 * gone. Entries show the new state. */
int mailbox_store(struct mailbox *m, const size_t *indices, size_t n,
                  const struct mailbox_change *c, bool *modified,
                  struct error *err);

/* Expunge those of `indices` (NULL: all) that are \Deleted: their files go,
 * durably. Numbers change at the next mailbox_sync(). */
int mailbox_expunge(struct mailbox *m, const size_t *indices, size_t n,
                    struct error *err);

/* --- adding ------------------------------------------------------------ */

/* A message to append: `len` bytes of `fd` from offset 0. */
struct mailbox_new {
    int fd;
    uint64_t len;
    uint32_t flags;
    struct view *keywords; /* names */
    size_t n_keywords;
    uint32_t date;         /* seconds since 1970 */
};

/* Append all of them or none, durably; uids[i] is the UID of message i. */
int mailbox_append(struct store *s, struct view name,
                   const struct mailbox_new *list, size_t n,
                   uint32_t *uid_validity, uint32_t *uids,
                   enum store_why *why, struct error *err);

/* Copy the messages at `indices` with flags, keywords and dates to `to`
 * (hard links, so no byte is read), or move them: all or none of what the
 * client sees; uids[i] is the new UID. A message that is gone gets 0. */
int mailbox_copy(struct mailbox *m, const size_t *indices, size_t n,
                 struct view to, bool move, uint32_t *uid_validity,
                 uint32_t *uids, enum store_why *why, struct error *err);

/* --- reading ----------------------------------------------------------- */

/* What was learned from a message, kept in the index after the first time;
 * without a line the client has not asked for. Texts are ready for IMAP. */
enum mailbox_fact {
    MAILBOX_ENVELOPE,      /* the parenthesised list (RFC 3501 §7.4.2) */
    MAILBOX_BODY,          /* BODY's list */
    MAILBOX_BODYSTRUCTURE, /* BODYSTRUCTURE's list */
    MAILBOX_HEADER,        /* its header fields, raw, at most 64 KiB */
};

/* Append a fact about message `index`: from the index, or parsed now and then
 * kept. 1, 0 when the message is gone (entry.is_gone is set), -1. */
int mailbox_fact(struct mailbox *m, size_t index, enum mailbox_fact fact,
                 struct buf *out, struct error *err);

/* Open the file of message `index` for reading: a descriptor (the caller's),
 * -1 with is_gone set when it is not there, -1 with *err otherwise. The file
 * may have LF line ends: then *bare is how many CRs are missing, else 0. */
int mailbox_file(struct mailbox *m, size_t index, uint64_t *len,
                 uint64_t *bare, struct error *err);

#endif
