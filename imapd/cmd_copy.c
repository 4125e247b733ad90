/* SPDX-License-Identifier: BSD-2-Clause */
/* COPY and MOVE (RFC 3501 §6.4.7, RFC 6851, RFC 4315 §3). */
#include "base/alloc.h"
#include "imapd/commands.h"

/* "[COPYUID validity from to] ": nothing when no message was copied. */
static void add_copyuid(struct buf *out, const struct mailbox *m,
                        const size_t *indices, size_t n, uint32_t validity,
                        const uint32_t *uids)
{
    uint32_t *from = alloc_zero(n + 1, sizeof *from);
    uint32_t *to = alloc_zero(n + 1, sizeof *to);
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (uids[i] == 0)
            continue;
        from[count] = m->entries[indices[i]].uid;
        to[count++] = uids[i];
    }
    if (count > 0) {
        buf_addf(out, "[COPYUID %u ", validity);
        imap_set_format(out, from, count);
        buf_add_char(out, ' ');
        imap_set_format(out, to, count);
        buf_add_text(out, "] ");
    }
    free(from);
    free(to);
}

static void run(struct imap_session *s, const size_t *indices, size_t n,
                struct view to, bool move)
{
    uint32_t validity = 0, *uids = alloc_zero(n + 1, sizeof *uids);
    enum store_why why = STORE_OK;
    struct buf code = BUF_INIT;
    struct error err;

    if (mailbox_copy(s->box, indices, n, to, move, &validity, uids, &why,
                     &err) < 0) {
        imap_refuse(s, why, true, &err);
        goto out;
    }
    add_copyuid(&code, s->box, indices, n, validity, uids);
    imap_tell(s, to);
    if (!move) {
        imap_ok(s, "%sCopy completed.", buf_text(&code));
        goto out;
    }
    /* The code comes before the EXPUNGEs (RFC 6851 §3.3). */
    if (code.len > 0) {
        imap_say_view(s, VIEW("* OK "));
        imap_say_view(s, buf_view(&code));
        imap_say_view(s, VIEW("Moved.\r\n"));
    }
    imap_tell(s, view_of(s->box->name));
    imap_ok(s, "Move completed.");
out:
    buf_release(&code);
    free(uids);
}

static void copy(struct imap_session *s, struct imap_args *a, bool move)
{
    struct imap_set set = { .n = 0 };
    size_t *indices = NULL, n;
    struct view to;

    if (!imap_args_space(a) || !imap_set_parse(a, &set) ||
        !imap_args_space(a) || !imap_args_mailbox(a, &to) ||
        !imap_args_end(a))
        goto out;
    if (move && s->box->read_only)
        imap_no(s, "The mailbox is open for reading only.");
    else if (imap_messages(s, &set, &indices, &n))
        run(s, indices, n, to, move);
out:
    imap_set_release(&set);
    free(indices);
}

void imap_cmd_copy(struct imap_session *s, struct imap_args *a)
{
    copy(s, a, false);
}

void imap_cmd_move(struct imap_session *s, struct imap_args *a)
{
    copy(s, a, true);
}
