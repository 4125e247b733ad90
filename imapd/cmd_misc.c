/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands of a few lines (RFC 3501 §6.1, §6.4.1; RFC 2342, 2971, 5161). */
#include "imapd/commands.h"
#include "proto/imap.h"

#define ID_PAIRS_MAX 30 /* RFC 2971 §3.3 */

void imap_cmd_capability(struct imap_session *s, struct imap_args *a)
{
    if (!imap_args_end(a))
        return;
    imap_say(s, "* CAPABILITY " IMAP_CAPABILITIES "\r\n");
    imap_ok(s, "Capability completed.");
}

/* What it is for, telling changes, is done for every command. */
void imap_cmd_noop(struct imap_session *s, struct imap_args *a)
{
    if (imap_args_end(a))
        imap_ok(s, "NOOP completed.");
}

void imap_cmd_check(struct imap_session *s, struct imap_args *a)
{
    if (imap_args_end(a))
        imap_ok(s, "Check completed.");
}

void imap_cmd_logout(struct imap_session *s, struct imap_args *a)
{
    if (!imap_args_end(a))
        return;
    imap_unselect(s);
    imap_say(s, "* BYE Logging out\r\n");
    imap_ok(s, "Logout completed.");
    imap_end(s, IMAP_LOGOUT);
}

void imap_cmd_namespace(struct imap_session *s, struct imap_args *a)
{
    if (!imap_args_end(a))
        return;
    imap_say(s, "* NAMESPACE ((\"\" \".\")) NIL NIL\r\n");
    imap_ok(s, "Namespace completed.");
}

/* What a client says of itself is checked and not kept. */
static bool take_id(struct imap_args *a)
{
    struct view v;

    if (!imap_args_space(a))
        return false;
    if (imap_args_word(a, "NIL"))
        return imap_args_end(a);
    if (!imap_args_char(a, '('))
        return false;
    for (int i = 0; !imap_args_next_is(a, ')'); i++) {
        if (i == ID_PAIRS_MAX)
            return imap_args_fail(a, "That is too much to say.");
        if ((i > 0 && !imap_args_space(a)) || !imap_args_string(a, &v) ||
            !imap_args_space(a) ||
            (!imap_args_word(a, "NIL") && !imap_args_string(a, &v)))
            return false;
    }
    return imap_args_char(a, ')') && imap_args_end(a);
}

void imap_cmd_id(struct imap_session *s, struct imap_args *a)
{
    if (!take_id(a))
        return;
    imap_say(s, "* ID " IMAP_ID "\r\n");
    imap_ok(s, "ID completed.");
}

void imap_cmd_enable(struct imap_session *s, struct imap_args *a)
{
    bool condstore = false;
    struct view name;

    do {
        if (!imap_args_space(a) || !imap_args_atom(a, &name))
            return;
        condstore = condstore || view_is_nocase(name, "CONDSTORE");
    } while (a->rest.len > 0);
    imap_say(s, "* ENABLED%s\r\n", condstore ? " CONDSTORE" : "");
    if (condstore)
        imap_enable_condstore(s);
    imap_ok(s, "Enabled.");
}
