/* SPDX-License-Identifier: BSD-2-Clause */
/* STORE (RFC 3501 §6.4.6, RFC 7162 §3.1.3). */
#include "base/alloc.h"
#include "imapd/commands.h"

static bool take_flag(struct imap_args *a, struct imap_flags *f)
{
    struct view name;
    uint32_t flag;

    if (!imap_args_flag(a, &name))
        return false;
    flag = imap_system_flag(name);
    if (flag == MAILBOX_RECENT || (flag == 0 && name.data[0] == '\\'))
        return imap_args_fail(a, "There is no such flag, or it cannot be "
                                 "set.");
    f->system |= flag;
    if (flag != 0)
        return true;
    if (name.len > MAILBOX_KEYWORD_MAX)
        return imap_args_fail(a, "A keyword is too long.");
    if (f->n == MAILBOX_KEYWORDS_MAX)
        return imap_args_fail(a, "There are too many keywords.");
    f->keywords[f->n++] = name;
    return true;
}

bool imap_flag_list(struct imap_args *a, bool bare, struct imap_flags *f)
{
    bool list = imap_args_next_is(a, '(');

    *f = (struct imap_flags){ .n = 0 };
    if (!list && !bare)
        return imap_args_char(a, '(');
    if (list) {
        imap_args_char(a, '(');
        if (imap_args_next_is(a, ')'))
            return imap_args_char(a, ')');
    }
    for (;;) {
        if (!take_flag(a, f))
            return false;
        if (!imap_args_next_is(a, ' '))
            return !list || imap_args_char(a, ')');
        imap_args_space(a);
    }
}

struct request {
    struct imap_set set;
    struct mailbox_change change;
    struct imap_flags flags;
    bool silent;
};

/* " (UNCHANGEDSINCE n)" */
static bool take_modifiers(struct imap_args *a, struct mailbox_change *c)
{
    if (!imap_args_space(a))
        return false;
    if (!imap_args_next_is(a, '('))
        return true;
    imap_args_char(a, '(');
    if (!imap_args_word(a, "UNCHANGEDSINCE"))
        return imap_args_fail(a, "There is no such modifier.");
    c->has_unchanged = true;
    return imap_args_space(a) &&
           imap_args_number(a, INT64_MAX, &c->unchanged_since) &&
           imap_args_char(a, ')') && imap_args_space(a);
}

static bool parse(struct imap_args *a, struct request *st)
{
    if (!imap_args_space(a) || !imap_set_parse(a, &st->set) ||
        !take_modifiers(a, &st->change))
        return false;
    if (imap_args_next_is(a, '+') || imap_args_next_is(a, '-')) {
        char how = a->rest.data[0];

        imap_args_char(a, how);
        st->change.how = how == '+' ? MAILBOX_ADD : MAILBOX_REMOVE;
    }
    st->silent = imap_args_word(a, "FLAGS.SILENT");
    if (!st->silent && !imap_args_word(a, "FLAGS"))
        return imap_args_fail(a, "Flags are all that can be stored.");
    if (!imap_args_space(a) || !imap_flag_list(a, true, &st->flags))
        return false;
    st->change.flags = st->flags.system;
    return imap_args_end(a);
}

/* The bits of the keywords; false with the answer said. Removing a keyword
 * that the mailbox does not have is no reason to make it. */
static bool find_keywords(struct imap_session *s, struct request *st)
{
    for (size_t i = 0; i < st->flags.n; i++) {
        struct error err = { .text = "" };
        bool create = st->change.how != MAILBOX_REMOVE;
        uint64_t bit = mailbox_keyword(s->box, st->flags.keywords[i], create,
                                       &err);

        if (bit == 0 && create) {
            imap_no(s, "[LIMIT] The mailbox has no room for the keyword.");
            return false;
        }
        st->change.keywords |= bit;
    }
    return true;
}

/* The messages that were not changed, as the client numbers them. */
static void answer(struct imap_session *s, const size_t *indices, size_t n,
                   const bool *modified)
{
    uint32_t *numbers = alloc_zero(n + 1, sizeof *numbers);
    struct buf set = BUF_INIT;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const struct mailbox_entry *e = &s->box->entries[indices[i]];

        if (e->is_gone)
            s->lost_some = true;
        else if (modified[i])
            numbers[count++] = s->uid ? e->uid : (uint32_t)indices[i] + 1;
    }
    imap_set_format(&set, numbers, count);
    if (count > 0)
        imap_ok(s, "[MODIFIED %s] Some were changed meanwhile.",
                buf_text(&set));
    else if (s->lost_some)
        imap_no(s, "[EXPUNGEISSUED] Some of the messages are gone.");
    else
        imap_ok(s, "Store completed.");
    buf_release(&set);
    free(numbers);
}

static void run(struct imap_session *s, struct request *st,
                const size_t *indices, size_t n)
{
    bool *modified = alloc_zero(n + 1, sizeof *modified);
    struct error err;

    if (mailbox_store(s->box, indices, n, &st->change, modified, &err) < 0) {
        imap_failed(s, &err);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        if (modified[i] || s->box->entries[indices[i]].is_gone)
            continue;
        if (st->change.how != MAILBOX_REMOVE &&
            (st->change.flags & MAILBOX_DELETED))
            s->counts.deleted++;
        if (!st->silent || s->condstore)
            imap_say_flags(s, indices[i], st->silent);
    }
    if (n > 0)
        imap_tell(s, view_of(s->box->name));
    answer(s, indices, n, modified);
out:
    free(modified);
}

void imap_cmd_store(struct imap_session *s, struct imap_args *a)
{
    struct request st = { .change = { .how = MAILBOX_SET } };
    size_t *indices = NULL, n;

    if (!parse(a, &st))
        goto out;
    if (st.change.has_unchanged)
        imap_enable_condstore(s);
    if (s->box->read_only)
        imap_no(s, "The mailbox is open for reading only.");
    else if (imap_messages(s, &st.set, &indices, &n) && find_keywords(s, &st))
        run(s, &st, indices, n);
out:
    imap_set_release(&st.set);
    free(indices);
}
