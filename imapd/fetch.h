/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch.h - FETCH: what the client asks for, and one message's part of it
 * (RFC 3501 §6.4.5, §7.4.2).
 *
 *     fetch_parse.c    the request
 *     cmd_fetch.c      message by message
 *     fetch_section.c  BODY[...] of one message
 *
 * All that can fail for a message is done before the first byte of its answer:
 * a message that is gone is left out, not cut short.
 */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/imapd.h"
#include "mail/mime.h"

#define FETCH_ITEMS_MAX  200
#define FETCH_FIELDS_MAX 500 /* names of header fields in one item */

enum fetch_kind {
    FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_UID, FETCH_MODSEQ,
    FETCH_ENVELOPE, FETCH_BODY, FETCH_BODYSTRUCTURE, FETCH_SECTION,
};

struct fetch_item {
    enum fetch_kind kind;
    /* Of FETCH_SECTION: */
    struct span label;      /* "BODY[1.2]<0>", as the answer names it */
    struct view section;    /* without the list of fields */
    bool is_fields, is_not; /* HEADER.FIELDS, HEADER.FIELDS.NOT */
    bool is_root_fields;    /* of the message itself, not of a part */
    size_t first_field, n_fields;
    bool is_partial;
    uint64_t from, count;
};

struct fetch {
    struct imap_set set;
    struct fetch_item items[FETCH_ITEMS_MAX];
    size_t n;
    unsigned kinds;         /* bit: 1 << enum fetch_kind */
    bool sets_seen;
    bool needs_file;        /* some section is not in the index */
    bool needs_mime;        /* and not the whole message either */
    bool has_changed_since;
    uint64_t changed_since;
    struct view *fields;    /* names, of all items */
    size_t n_fields, cap_fields;
    struct buf labels;
};

/* Parse all of FETCH's arguments; `uid`: add UID if it was not asked for.
 * fetch_release() in any case. */
bool fetch_parse(struct imap_args *a, bool uid, struct fetch *f);
void fetch_release(struct fetch *f);

/* --- one message ------------------------------------------------------- */

struct fetch_message {
    size_t index;
    int fd;                 /* -1: not opened */
    uint64_t len, bare;     /* of the file */
    bool is_parsed;
    struct mime mime;
    struct buf header;      /* from the index; empty: not loaded */
};

enum fetch_result { FETCH_OK, FETCH_GONE, FETCH_FAILED };

/* Open and parse what the sections need. fetch_message_release() after. */
enum fetch_result fetch_message_load(struct imap_session *s,
                                     const struct fetch *f,
                                     struct fetch_message *m,
                                     struct error *err);
void fetch_message_release(struct fetch_message *m);

/* Say "BODY[...] {n}" and the bytes. A file that cannot be read any more ends
 * the session, since the number of bytes was promised. */
void fetch_section(struct imap_session *s, const struct fetch *f,
                   const struct fetch_item *item, struct fetch_message *m);

#endif
