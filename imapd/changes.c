/* SPDX-License-Identifier: BSD-2-Clause */
/* The selected mailbox: its flags in words, and changes as they are told. */
#include "base/alloc.h"
#include "base/log.h"
#include "imapd/imapd.h"

static const struct {
    const char *name;
    uint32_t flag;
} system_flags[] = {
    { "\\Answered", MAILBOX_ANSWERED }, { "\\Flagged", MAILBOX_FLAGGED },
    { "\\Deleted", MAILBOX_DELETED },   { "\\Seen", MAILBOX_SEEN },
    { "\\Draft", MAILBOX_DRAFT },       { "\\Recent", MAILBOX_RECENT },
};
#define N_SYSTEM_FLAGS (sizeof system_flags / sizeof *system_flags)

uint32_t imap_system_flag(struct view name)
{
    for (size_t i = 0; i < N_SYSTEM_FLAGS; i++)
        if (view_is_nocase(name, system_flags[i].name))
            return system_flags[i].flag;
    return 0;
}

void imap_add_flags(struct buf *out, const struct mailbox *m, uint32_t flags,
                    uint64_t keywords)
{
    const char *blank = "";

    for (size_t i = 0; i < N_SYSTEM_FLAGS; i++) {
        if (!(flags & system_flags[i].flag))
            continue;
        buf_add_text(out, blank);
        buf_add_text(out, system_flags[i].name);
        blank = " ";
    }
    for (size_t i = 0; keywords != 0; i++, keywords >>= 1) {
        if (!(keywords & 1) || m->keywords[i] == NULL)
            continue;
        buf_add_text(out, blank);
        buf_add_text(out, m->keywords[i]);
        blank = " ";
    }
}

void imap_say_flags(struct imap_session *s, size_t index, bool modseq_only)
{
    const struct mailbox_entry *e = &s->box->entries[index];
    struct buf *out = &s->stream.out;
    const char *blank = "";

    buf_addf(out, "* %zu FETCH (", index + 1);
    if (s->uid) {
        buf_addf(out, "UID %u", e->uid);
        blank = " ";
    }
    if (!modseq_only) {
        buf_addf(out, "%sFLAGS (", blank);
        imap_add_flags(out, s->box, e->flags, e->keywords);
        buf_add_char(out, ')');
        blank = " ";
    }
    if (s->condstore || modseq_only)
        buf_addf(out, "%sMODSEQ (%llu)", blank, (unsigned long long)e->modseq);
    imap_say_view(s, VIEW(")\r\n"));
}

void imap_enable_condstore(struct imap_session *s)
{
    if (!s->condstore && s->box != NULL)
        imap_say(s, "* OK [HIGHESTMODSEQ %llu] Highest.\r\n",
                 (unsigned long long)s->box->highest_modseq);
    s->condstore = true;
}

/* --- changes of others ------------------------------------------------- */

static void on_expunged(struct mailbox *m, size_t number, uint32_t uid,
                        void *arg)
{
    (void)m;
    (void)uid;
    imap_say(arg, "* %zu EXPUNGE\r\n", number);
}

static void on_flags(struct mailbox *m, size_t index, void *arg)
{
    (void)m;
    imap_say_flags(arg, index, false);
}

static void on_exists(struct mailbox *m, size_t n, void *arg)
{
    imap_say(arg, "* %zu EXISTS\r\n* %zu RECENT\r\n", n, m->n_recent);
}

void imap_sync(struct imap_session *s, bool look, bool keep_numbers)
{
    struct mailbox_changes changes = { on_expunged, on_flags, on_exists, s };
    struct error err;

    if (s->box == NULL)
        return;
    switch (mailbox_sync(s->box, look, keep_numbers, &changes, &err)) {
    case MAILBOX_SAME:
    case MAILBOX_CHANGED:
        s->behind = false;
        return;
    case MAILBOX_LOST:
        imap_say(s, "* BYE The mailbox was deleted, renamed or rebuilt.\r\n");
        imap_end(s, IMAP_BYE);
        return;
    case MAILBOX_FAILED: /* the next command tries again */
        log_error("imap(%s): %s", s->account, err.text);
        s->behind = true;
        return;
    }
}

void imap_unselect(struct imap_session *s)
{
    if (s->box != NULL)
        mailbox_close(&s->box);
    s->behind = false;
}

/* --- sets of messages -------------------------------------------------- */

static size_t first_of(const struct imap_session *s, uint32_t from)
{
    return s->uid ? mailbox_find(s->box, from) : from > 0 ? from - 1u : 0;
}

static bool is_within(const struct imap_session *s, size_t index, uint32_t to)
{
    return index < s->box->n &&
           (s->uid ? s->box->entries[index].uid <= to : index < to);
}

bool imap_messages(struct imap_session *s, struct imap_set *set,
                   size_t **indices, size_t *n)
{
    struct mailbox *m = s->box;
    uint32_t last = m->n == 0 ? 0 : s->uid ? m->entries[m->n - 1].uid
                                           : (uint32_t)m->n;

    *indices = NULL;
    *n = 0;
    /* It may know a UID that we do not, from APPEND or COPY. */
    if (s->uid && s->behind) {
        imap_no(s, "[UNAVAILABLE] The mailbox cannot be looked at now.");
        return false;
    }
    if (!s->uid && imap_set_largest(set) > m->n) {
        imap_bad(s, "There is no message of that number.");
        return false;
    }
    imap_set_normalise(set, last);
    *indices = alloc_zero(m->n + 1, sizeof **indices);
    for (size_t r = 0; r < set->n; r++) {
        size_t i = first_of(s, set->ranges[r].from);

        for (; is_within(s, i, set->ranges[r].to); i++) {
            if (m->entries[i].is_gone)
                s->lost_some = true;
            else
                (*indices)[(*n)++] = i;
        }
    }
    return true;
}
