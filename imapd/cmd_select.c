/* SPDX-License-Identifier: BSD-2-Clause */
/* SELECT, EXAMINE, CLOSE, UNSELECT, EXPUNGE (RFC 3501 §6.3.1, §6.3.2, §6.4.2,
 * §6.4.3; RFC 3691; RFC 4315 §2.1; RFC 7162 §3.1.8). */
#include "base/alloc.h"
#include "imapd/commands.h"

#define SYSTEM_FLAGS \
    (MAILBOX_ANSWERED | MAILBOX_FLAGGED | MAILBOX_DELETED | MAILBOX_SEEN | \
     MAILBOX_DRAFT)

static void describe_flags(struct imap_session *s)
{
    struct mailbox *m = s->box;
    struct buf flags = BUF_INIT;

    imap_add_flags(&flags, m, SYSTEM_FLAGS, UINT64_MAX);
    imap_say_view(s, VIEW("* FLAGS ("));
    imap_say_view(s, buf_view(&flags));
    imap_say_view(s, VIEW(")\r\n* OK [PERMANENTFLAGS ("));
    if (!m->read_only) {
        imap_say_view(s, buf_view(&flags));
        imap_say_view(s, VIEW(" \\*"));
    }
    imap_say_view(s, VIEW(")] Flags that are kept.\r\n"));
    buf_release(&flags);
}

static void describe(struct imap_session *s)
{
    struct mailbox *m = s->box;

    describe_flags(s);
    imap_say(s, "* %zu EXISTS\r\n* %zu RECENT\r\n", m->n, m->n_recent);
    if (m->first_unseen > 0)
        imap_say(s, "* OK [UNSEEN %zu] First unseen.\r\n", m->first_unseen);
    imap_say(s, "* OK [UIDVALIDITY %u] UIDs valid.\r\n"
                "* OK [UIDNEXT %u] Predicted next UID.\r\n"
                "* OK [HIGHESTMODSEQ %llu] Highest.\r\n",
             m->uid_validity, m->uid_next,
             (unsigned long long)m->highest_modseq);
}

/* The parameters of RFC 4466 §2.1; of those there are we know one. */
static bool take_params(struct imap_args *a, bool *condstore)
{
    *condstore = false;
    if (a->rest.len == 0)
        return true;
    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    if (!imap_args_word(a, "CONDSTORE"))
        return imap_args_fail(a, "There is no such parameter.");
    *condstore = true;
    return imap_args_char(a, ')') && imap_args_end(a);
}

static void open_mailbox(struct imap_session *s, struct imap_args *a,
                         bool read_only)
{
    enum store_why why = STORE_OK;
    struct view name;
    struct error err;
    bool condstore;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !take_params(a, &condstore))
        return;
    if (s->box != NULL)
        imap_say(s, "* OK [CLOSED] The previous mailbox is closed.\r\n");
    imap_unselect(s); /* even if the new one cannot be opened (§6.3.1) */
    s->box = mailbox_begin(s->store, name, read_only, &why, &err);
    if (s->box == NULL) {
        imap_refuse(s, why, false, &err);
        return;
    }
    s->condstore = s->condstore || condstore;
    describe(s);
    imap_ok(s, "[READ-%s] %s completed.", read_only ? "ONLY" : "WRITE",
            read_only ? "Examine" : "Select");
}

void imap_cmd_select(struct imap_session *s, struct imap_args *a)
{
    open_mailbox(s, a, false);
}

void imap_cmd_examine(struct imap_session *s, struct imap_args *a)
{
    open_mailbox(s, a, true);
}

/* --- expunging --------------------------------------------------------- */

static size_t count_deleted(const struct imap_session *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->box->n; i++)
        n += (s->box->entries[i].flags & MAILBOX_DELETED) != 0;
    return n;
}

static bool expunge(struct imap_session *s, const size_t *indices, size_t n)
{
    size_t deleted = count_deleted(s);
    struct error err;

    if (deleted == 0)
        return true;
    if (mailbox_expunge(s->box, indices, n, &err) < 0) {
        imap_failed(s, &err);
        return false;
    }
    s->counts.expunged += indices == NULL || n > deleted ? deleted : n;
    imap_tell(s, view_of(s->box->name));
    return true;
}

void imap_cmd_expunge(struct imap_session *s, struct imap_args *a)
{
    struct imap_set set = { .n = 0 };
    size_t *indices = NULL, n = 0;

    if (s->uid && (!imap_args_space(a) || !imap_set_parse(a, &set)))
        goto out;
    if (!imap_args_end(a))
        goto out;
    if (s->box->read_only) {
        imap_no(s, "The mailbox is open for reading only.");
        goto out;
    }
    if (s->uid && !imap_messages(s, &set, &indices, &n))
        goto out;
    if ((s->uid && n == 0) || expunge(s, indices, n))
        imap_ok(s, "Expunge completed.");
out:
    imap_set_release(&set);
    free(indices);
}

/* Expunges, and tells nothing of it (§6.4.2). */
void imap_cmd_close(struct imap_session *s, struct imap_args *a)
{
    if (!imap_args_end(a))
        return;
    if (!s->box->read_only && !expunge(s, NULL, 0)) {
        imap_unselect(s);
        return;
    }
    imap_unselect(s);
    imap_ok(s, "Close completed.");
}

void imap_cmd_unselect(struct imap_session *s, struct imap_args *a)
{
    if (!imap_args_end(a))
        return;
    imap_unselect(s);
    imap_ok(s, "Unselect completed.");
}
