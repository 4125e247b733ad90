/* SPDX-License-Identifier: BSD-2-Clause */
/* FETCH (RFC 3501 §6.4.5, RFC 7162 §3.1.4). */
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/fetch.h"
#include "mail/date.h"

#define SEEN_AT_ONCE 256 /* messages marked \Seen in one commit */

/* One message's facts, in the order of enum mailbox_fact. */
struct facts {
    struct buf text[MAILBOX_BODYSTRUCTURE + 1];
};

static const struct {
    enum fetch_kind kind;
    enum mailbox_fact fact;
} facts_of[] = {
    { FETCH_ENVELOPE, MAILBOX_ENVELOPE },
    { FETCH_BODY, MAILBOX_BODY },
    { FETCH_BODYSTRUCTURE, MAILBOX_BODYSTRUCTURE },
};
#define N_FACTS (sizeof facts_of / sizeof *facts_of)

static enum fetch_result load_facts(struct imap_session *s,
                                    const struct fetch *f, size_t index,
                                    struct facts *facts, struct error *err)
{
    for (size_t i = 0; i < N_FACTS; i++) {
        enum mailbox_fact fact = facts_of[i].fact;
        int got;

        buf_reset(&facts->text[fact]);
        if (!(f->kinds & (1u << facts_of[i].kind)))
            continue;
        got = mailbox_fact(s->box, index, fact, &facts->text[fact], err);
        if (got <= 0)
            return got == 0 ? FETCH_GONE : FETCH_FAILED;
    }
    return FETCH_OK;
}

/* --- one item ---------------------------------------------------------- */

static void say_date(struct buf *out, const struct mailbox_entry *e)
{
    buf_add_text(out, "INTERNALDATE \"");
    date_format_imap(out, date_local(e->date));
    buf_add_char(out, '"');
}

static void say_fact(struct buf *out, const char *name, const struct buf *fact)
{
    buf_add_text(out, name);
    buf_add_char(out, ' ');
    buf_add_view(out, buf_view(fact));
}

static void say_item(struct imap_session *s, const struct fetch *f,
                     const struct fetch_item *item, struct fetch_message *m,
                     const struct facts *facts)
{
    const struct mailbox_entry *e = &s->box->entries[m->index];
    struct buf *out = &s->stream.out;

    switch (item->kind) {
    case FETCH_FLAGS:
        buf_add_text(out, "FLAGS (");
        imap_add_flags(out, s->box, e->flags, e->keywords);
        buf_add_char(out, ')');
        return;
    case FETCH_INTERNALDATE:
        say_date(out, e);
        return;
    case FETCH_SIZE:
        buf_addf(out, "RFC822.SIZE %llu", (unsigned long long)e->size);
        return;
    case FETCH_UID:
        buf_addf(out, "UID %u", e->uid);
        return;
    case FETCH_MODSEQ:
        buf_addf(out, "MODSEQ (%llu)", (unsigned long long)e->modseq);
        return;
    case FETCH_ENVELOPE:
        say_fact(out, "ENVELOPE", &facts->text[MAILBOX_ENVELOPE]);
        return;
    case FETCH_BODY:
        say_fact(out, "BODY", &facts->text[MAILBOX_BODY]);
        return;
    case FETCH_BODYSTRUCTURE:
        say_fact(out, "BODYSTRUCTURE", &facts->text[MAILBOX_BODYSTRUCTURE]);
        return;
    case FETCH_SECTION:
        fetch_section(s, f, item, m);
        return;
    }
}

/* --- one message ------------------------------------------------------- */

/* Fetching set \Seen: the client hears of it though it did not ask. */
static void say_seen(struct imap_session *s, const struct fetch *f,
                     const struct mailbox_entry *e)
{
    struct buf *out = &s->stream.out;

    if (!(f->kinds & (1u << FETCH_FLAGS))) {
        buf_add_text(out, " FLAGS (");
        imap_add_flags(out, s->box, e->flags, e->keywords);
        buf_add_char(out, ')');
    }
    if (s->condstore && !(f->kinds & (1u << FETCH_MODSEQ)))
        buf_addf(out, " MODSEQ (%llu)", (unsigned long long)e->modseq);
}

static enum fetch_result fetch_one(struct imap_session *s,
                                   const struct fetch *f, size_t index,
                                   bool newly_seen, struct facts *facts,
                                   struct error *err)
{
    struct fetch_message m = { .index = index, .fd = -1 };
    enum fetch_result r = load_facts(s, f, index, facts, err);

    if (r == FETCH_OK)
        r = fetch_message_load(s, f, &m, err);
    if (r == FETCH_OK) {
        buf_addf(&s->stream.out, "* %zu FETCH (", index + 1);
        for (size_t i = 0; i < f->n && s->end == IMAP_GOING_ON; i++) {
            if (i > 0)
                buf_add_char(&s->stream.out, ' ');
            say_item(s, f, &f->items[i], &m, facts);
        }
        if (newly_seen)
            say_seen(s, f, &s->box->entries[index]);
        imap_say_view(s, VIEW(")\r\n"));
    }
    fetch_message_release(&m);
    buf_release(&m.header);
    return r;
}

/* --- all of them ------------------------------------------------------- */

/* Mark those of `n` messages \Seen that are not; newly[i] tells which. */
static int mark_seen(struct imap_session *s, const size_t *indices, size_t n,
                     bool *newly, struct error *err)
{
    struct mailbox_change change = { .how = MAILBOX_ADD,
                                     .flags = MAILBOX_SEEN };
    size_t unseen[SEEN_AT_ONCE], count = 0;
    bool modified[SEEN_AT_ONCE] = { false };

    for (size_t i = 0; i < n; i++) {
        newly[i] = !(s->box->entries[indices[i]].flags & MAILBOX_SEEN);
        if (newly[i])
            unseen[count++] = indices[i];
    }
    if (count == 0)
        return 0;
    if (mailbox_store(s->box, unseen, count, &change, modified, err) < 0)
        return -1;
    imap_tell(s, view_of(s->box->name));
    return 0;
}

static enum fetch_result fetch_some(struct imap_session *s,
                                    const struct fetch *f,
                                    const size_t *indices, size_t n,
                                    struct facts *facts, struct error *err)
{
    bool newly[SEEN_AT_ONCE] = { false };

    if (f->sets_seen && !s->box->read_only &&
        mark_seen(s, indices, n, newly, err) < 0)
        return FETCH_FAILED;
    for (size_t i = 0; i < n && s->end == IMAP_GOING_ON; i++) {
        enum fetch_result r = fetch_one(s, f, indices[i], newly[i], facts,
                                        err);

        if (r == FETCH_FAILED)
            return r;
        s->lost_some = s->lost_some || r == FETCH_GONE;
    }
    return FETCH_OK;
}

/* Keep those that CHANGEDSINCE asks for; returns how many. */
static size_t keep_changed(const struct imap_session *s, const struct fetch *f,
                           size_t *indices, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (s->box->entries[indices[i]].modseq > f->changed_since)
            indices[kept++] = indices[i];
    return kept;
}

static void run(struct imap_session *s, const struct fetch *f,
                size_t *indices, size_t n)
{
    struct facts facts = { 0 };
    enum fetch_result r = FETCH_OK;
    struct error err;

    if (f->has_changed_since)
        n = keep_changed(s, f, indices, n);
    for (size_t at = 0; at < n && r == FETCH_OK && s->end == IMAP_GOING_ON;
         at += SEEN_AT_ONCE)
        r = fetch_some(s, f, indices + at,
                       n - at < SEEN_AT_ONCE ? n - at : SEEN_AT_ONCE, &facts,
                       &err);
    for (size_t i = 0; i < N_FACTS; i++)
        buf_release(&facts.text[facts_of[i].fact]);
    if (r == FETCH_FAILED)
        imap_failed(s, &err);
    else if (s->lost_some)
        imap_no(s, "[EXPUNGEISSUED] Some of the messages are gone.");
    else
        imap_ok(s, "Fetch completed.");
}

void imap_cmd_fetch(struct imap_session *s, struct imap_args *a)
{
    struct fetch f;
    size_t *indices = NULL, n;

    if (!fetch_parse(a, s->uid, &f))
        goto out;
    if (f.kinds & (1u << FETCH_MODSEQ))
        imap_enable_condstore(s);
    if (imap_messages(s, &f.set, &indices, &n))
        run(s, &f, indices, n);
out:
    fetch_release(&f);
    free(indices);
}
