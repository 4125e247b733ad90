/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox_list.h - the addresses in a From, To or Cc field (RFC 5322 §3.4 and
 * §4.4), for showing them: IMAP's ENVELOPE, sorting, searching.
 *
 * Whatever the field says, something is made of it: groups, comments, quoted
 * strings, routes, missing commas and brackets. Encoded words stay raw. For
 * addresses that mail is to be sent to use address.h.
 *
 * Life:      all-zero or MAILBOX_LIST_INIT is a valid empty list;
 *            mailbox_list_release() ends it and leaves an empty one.
 * Ownership: the list owns all text in it.
 * Errors:    none; a list longer than its limit is cut, and says so.
 * Blocking:  never. Time is linear in the value's length.
 */
#ifndef MAIL_MAILBOX_LIST_H
#define MAIL_MAILBOX_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/view.h"
#include "mail/span.h"

#define MAILBOX_LIST_MAX 10000 /* entries, the usual limit */

enum mailbox_kind {
    MAILBOX_ADDRESS,
    MAILBOX_GROUP_START, /* "name:", only the name is set */
    MAILBOX_GROUP_END,   /* ";", nothing is set */
};

/* Local parts and names are unquoted. What is missing is empty: a name where
 * there is none (a comment is taken for one), a domain, a local part. */
struct mailbox {
    enum mailbox_kind kind;
    struct span name, route, local, domain;
};

struct mailbox_list {
    struct mailbox *list;
    size_t count, cap;
    bool truncated; /* more were there than the limit allows */
    struct buf text; /* what the spans are of */
};

#define MAILBOX_LIST_INIT ((struct mailbox_list){ 0 })

/* Append the mailboxes of a field's value (folded or not), until the list has
 * `limit` entries; the end of a group that is cut short comes on top. */
void mailbox_list_parse(struct mailbox_list *l, struct view value,
                        size_t limit);

/* What a span stands for; valid until the list changes. */
struct view mailbox_list_text(const struct mailbox_list *l, struct span s);

/* Free the list, which is empty then. */
void mailbox_list_release(struct mailbox_list *l);

#endif
