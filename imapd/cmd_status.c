/* SPDX-License-Identifier: BSD-2-Clause */
/* STATUS (RFC 3501 §6.3.10, RFC 7162 §3.1.2, RFC 8438). */
#include "imapd/commands.h"
#include "mail/imap_string.h"

enum item {
    MESSAGES = 1 << 0,
    RECENT = 1 << 1,
    UIDNEXT = 1 << 2,
    UIDVALIDITY = 1 << 3,
    UNSEEN = 1 << 4,
    HIGHESTMODSEQ = 1 << 5,
    SIZE = 1 << 6,
};

static const struct {
    const char *name;
    enum item item;
} names[] = {
    { "MESSAGES", MESSAGES },       { "RECENT", RECENT },
    { "UIDNEXT", UIDNEXT },         { "UIDVALIDITY", UIDVALIDITY },
    { "UNSEEN", UNSEEN },           { "HIGHESTMODSEQ", HIGHESTMODSEQ },
    { "SIZE", SIZE },
};
#define N_NAMES (sizeof names / sizeof *names)

static bool take_item(struct imap_args *a, unsigned *items)
{
    for (size_t i = 0; i < N_NAMES; i++) {
        if (imap_args_word(a, names[i].name)) {
            *items |= names[i].item;
            return true;
        }
    }
    return imap_args_fail(a, "There is no such status item.");
}

bool imap_status_items(struct imap_args *a, unsigned *items)
{
    *items = 0;
    if (!imap_args_char(a, '(') || !take_item(a, items))
        return false;
    while (imap_args_next_is(a, ' '))
        if (!imap_args_space(a) || !take_item(a, items))
            return false;
    return imap_args_char(a, ')');
}

static uint64_t value(const struct store_status *st, enum item item)
{
    switch (item) {
    case MESSAGES: return st->messages;
    case RECENT: return st->recent;
    case UIDNEXT: return st->uid_next;
    case UIDVALIDITY: return st->uid_validity;
    case UNSEEN: return st->unseen;
    case HIGHESTMODSEQ: return st->highest_modseq;
    case SIZE: return st->size;
    }
    return 0;
}

bool imap_say_status(struct imap_session *s, struct view name, unsigned items,
                     enum store_why *why, struct error *err)
{
    struct buf out = BUF_INIT;
    struct store_status st;
    const char *blank = "";

    *why = STORE_OK;
    if (store_status(s->store, name, &st, why, err) < 0)
        return false;
    buf_add_text(&out, "* STATUS ");
    imap_string_add(&out, name);
    buf_add_text(&out, " (");
    for (size_t i = 0; i < N_NAMES; i++) {
        if (!(items & names[i].item))
            continue;
        buf_addf(&out, "%s%s %llu", blank, names[i].name,
                 (unsigned long long)value(&st, names[i].item));
        blank = " ";
    }
    buf_add_text(&out, ")\r\n");
    if (items & HIGHESTMODSEQ)
        imap_enable_condstore(s);
    imap_say_view(s, buf_view(&out));
    buf_release(&out);
    return true;
}

void imap_cmd_status(struct imap_session *s, struct imap_args *a)
{
    enum store_why why;
    struct view name;
    struct error err;
    unsigned items;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !imap_args_space(a) || !imap_status_items(a, &items) ||
        !imap_args_end(a))
        return;
    if (imap_say_status(s, name, items, &why, &err))
        imap_ok(s, "Status completed.");
    else
        imap_refuse(s, why, false, &err);
}
