/* SPDX-License-Identifier: BSD-2-Clause */
/* GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 2087): one root for all mailboxes. */
#include "imapd/commands.h"
#include "mail/imap_string.h"

#define ROOT "User quota"

static bool say_quota(struct imap_session *s)
{
    unsigned long long limit = s->quota / 1024;
    uint64_t bytes, messages;
    struct error err;

    if (limit == 0) {
        imap_say(s, "* QUOTA \"" ROOT "\" ()\r\n");
        return true;
    }
    if (store_usage(s->store, &bytes, &messages, &err) < 0) {
        imap_failed(s, &err);
        return false;
    }
    imap_say(s, "* QUOTA \"" ROOT "\" (STORAGE %llu %llu)\r\n",
             (unsigned long long)(bytes + 1023) / 1024, limit);
    return true;
}

void imap_cmd_getquota(struct imap_session *s, struct imap_args *a)
{
    struct view root;

    if (!imap_args_space(a) || !imap_args_astring(a, &root) ||
        !imap_args_end(a))
        return;
    if (!view_is(root, ROOT))
        imap_no(s, "[NONEXISTENT] There is no such quota root.");
    else if (say_quota(s))
        imap_ok(s, "Getquota completed.");
}

void imap_cmd_getquotaroot(struct imap_session *s, struct imap_args *a)
{
    struct buf out = BUF_INIT;
    struct view name;

    if (!imap_args_space(a) || !imap_args_mailbox(a, &name) ||
        !imap_args_end(a))
        return;
    buf_add_text(&out, "* QUOTAROOT ");
    imap_string_add(&out, name);
    buf_add_text(&out, " \"" ROOT "\"\r\n");
    imap_say_view(s, buf_view(&out));
    buf_release(&out);
    if (say_quota(s))
        imap_ok(s, "Getquotaroot completed.");
}

void imap_cmd_setquota(struct imap_session *s, struct imap_args *a)
{
    (void)a;
    imap_no(s, "[NOPERM] Quotas are the administrator's.");
}
