/* SPDX-License-Identifier: BSD-2-Clause */
/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7,
 * RFC 6154 §3). */
#include "imapd/commands.h"

static const struct {
    enum store_use use;
    const char *name;
} uses[] = {
    { STORE_USE_ALL, "\\All" },       { STORE_USE_ARCHIVE, "\\Archive" },
    { STORE_USE_DRAFTS, "\\Drafts" }, { STORE_USE_FLAGGED, "\\Flagged" },
    { STORE_USE_JUNK, "\\Junk" },     { STORE_USE_SENT, "\\Sent" },
    { STORE_USE_TRASH, "\\Trash" },
};
#define N_USES (sizeof uses / sizeof *uses)

const char *imap_use_name(enum store_use use)
{
    for (size_t i = 0; i < N_USES; i++)
        if (uses[i].use == use)
            return uses[i].name;
    return "";
}

enum store_use imap_use_find(struct view attribute)
{
    for (size_t i = 0; i < N_USES; i++)
        if (view_is_nocase(attribute, uses[i].name))
            return uses[i].use;
    return STORE_USE_NONE;
}

/* --- CREATE ------------------------------------------------------------ */

/* " (USE (\Sent))". A mailbox of ours has one use, and a view of others (\All,
 * \Flagged) cannot be made: *can says whether we can. */
static bool take_use(struct imap_args *a, enum store_use *use, bool *can)
{
    struct view attribute;

    *use = STORE_USE_NONE;
    *can = true;
    if (a->rest.len == 0)
        return true;
    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    if (!imap_args_word(a, "USE"))
        return imap_args_fail(a, "There is no such parameter.");
    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    for (bool first = true; !imap_args_next_is(a, ')'); first = false) {
        if ((!first && !imap_args_space(a)) ||
            !imap_args_flag(a, &attribute))
            return false;
        *can = *can && first;
        *use = imap_use_find(attribute);
        if (*use == STORE_USE_NONE || *use == STORE_USE_ALL ||
            *use == STORE_USE_FLAGGED)
            *can = false;
    }
    /* Each takes one. NOLINTNEXTLINE(misc-redundant-expression) */
    return imap_args_char(a, ')') && imap_args_char(a, ')') &&
           imap_args_end(a);
}

void imap_cmd_create(struct imap_session *s, struct imap_args *a)
{
    enum store_why why = STORE_OK;
    enum store_use use;
    struct view name;
    struct error err;
    bool can;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !take_use(a, &use, &can))
        return;
    if (!can) {
        imap_no(s, "[USEATTR] A mailbox cannot have that use.");
        return;
    }
    /* A client may say that it will make children (§6.3.3). */
    if (view_ends(name, "."))
        name.len--;
    if (store_create(s->store, name, use, &why, &err) < 0)
        imap_refuse(s, why, false, &err);
    else
        imap_ok(s, "Create completed.");
}

/* --- the others -------------------------------------------------------- */

/* The selected mailbox has lost its name: better closed by us, with a word,
 * than found missing by the next command. */
static void close_if(struct imap_session *s, struct view name, bool children)
{
    struct view box;

    if (s->box == NULL)
        return;
    box = view_of(s->box->name);
    if (!view_eq(box, name) &&
        !(children && box.len > name.len && box.data[name.len] == '.' &&
          view_eq(view_sub(box, 0, name.len), name)))
        return;
    imap_unselect(s);
    imap_say(s, "* OK [CLOSED] The selected mailbox is closed.\r\n");
}

void imap_cmd_delete(struct imap_session *s, struct imap_args *a)
{
    enum store_why why = STORE_OK;
    struct view name;
    struct error err;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !imap_args_end(a))
        return;
    if (store_delete(s->store, name, &why, &err) < 0) {
        imap_refuse(s, why, false, &err);
        return;
    }
    close_if(s, name, false);
    imap_tell(s, name);
    imap_ok(s, "Delete completed.");
}

void imap_cmd_rename(struct imap_session *s, struct imap_args *a)
{
    enum store_why why = STORE_OK;
    struct view from, to;
    struct error err;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &from) ||
        !imap_args_space(a) || !imap_args_mailbox(a, &to) ||
        !imap_args_end(a))
        return;
    if (view_ends(to, "."))
        to.len--;
    if (store_rename(s->store, from, to, &why, &err) < 0) {
        imap_refuse(s, why, false, &err);
        return;
    }
    if (!view_is(from, "INBOX")) /* which stays, empty (§6.3.5) */
        close_if(s, from, true);
    imap_tell(s, from);
    imap_ok(s, "Rename completed.");
}

static void subscribe(struct imap_session *s, struct imap_args *a, bool on)
{
    enum store_why why = STORE_OK;
    struct view name;
    struct error err;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !imap_args_end(a))
        return;
    if (store_subscribe(s->store, name, on, &why, &err) < 0)
        imap_refuse(s, why, false, &err);
    else
        imap_ok(s, on ? "Subscribe completed." : "Unsubscribe completed.");
}

void imap_cmd_subscribe(struct imap_session *s, struct imap_args *a)
{
    subscribe(s, a, true);
}

void imap_cmd_unsubscribe(struct imap_session *s, struct imap_args *a)
{
    subscribe(s, a, false);
}
