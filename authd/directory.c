/* SPDX-License-Identifier: BSD-2-Clause */
/* What mapd, smtpd and master ask. */
#include "authd/authd.h"

#include "base/ascii.h"
#include "base/log.h"

void directory_fold(struct buf *out, struct view address)
{
    for (size_t i = 0; i < address.len; i++)
        buf_add_char(out, ascii_lower(address.data[i]));
}

/* "user+ext@domain" as "user@domain"; false when it has no extension. */
static bool without_extension(struct buf *out, struct view address)
{
    size_t at = view_rindex(address, '@');
    const char *delimiters = authd_conf.recipient_delimiter;

    for (size_t i = 1; i < at; i++) {
        if (strchr(delimiters, address.data[i]) == NULL)
            continue;
        buf_add_view(out, view_sub(address, 0, i));
        buf_add_view(out, view_sub(address, at, address.len));
        return true;
    }
    return false;
}

/* Look the whole name up, then the one without its extension. */
static int find(struct view address,
                int (*lookup)(struct view, void *, struct error *), void *out,
                struct error *err)
{
    struct buf folded = BUF_INIT, plain = BUF_INIT;
    int rc;

    directory_fold(&folded, address);
    rc = lookup(buf_view(&folded), out, err);
    if (rc == 0 && without_extension(&plain, buf_view(&folded)))
        rc = lookup(buf_view(&plain), out, err);
    buf_release(&folded);
    buf_release(&plain);
    return rc;
}

static int lookup_account(struct view v, void *out, struct error *err)
{
    return database_account(v, out, err);
}

static int lookup_alias(struct view v, void *out, struct error *err)
{
    return database_alias(v, out, err);
}

int directory_account(struct view address, struct account *a,
                      struct error *err)
{
    return find(address, lookup_account, a, err);
}

static int find_domain(struct view address, char tenant[321],
                       struct error *err)
{
    struct buf folded = BUF_INIT;
    int rc;

    directory_fold(&folded, view_sub(address, view_rindex(address, '@') + 1,
                                     address.len));
    rc = database_domain(buf_view(&folded), tenant, err);
    buf_release(&folded);
    return rc;
}

static enum directory_kind ask(struct view address,
                               struct directory_answer *answer,
                               struct account *a, struct buf *targets,
                               struct error *err)
{
    static char tenant[321];
    int rc = find_domain(address, tenant, err);

    if (rc <= 0)
        return rc < 0 ? DIRECTORY_LATER : DIRECTORY_NONE;
    answer->tenant = view_of(tenant);
    rc = find(address, lookup_alias, targets, err);
    if (rc < 0)
        return DIRECTORY_LATER;
    answer->targets = buf_view(targets);
    rc = directory_account(address, a, err);
    if (rc < 0)
        return DIRECTORY_LATER;
    if (rc > 0) {
        answer->account = view_of(a->address);
        answer->quota = a->quota;
        answer->enabled = a->enabled;
        return DIRECTORY_ACCOUNT;
    }
    return targets->len > 0 ? DIRECTORY_ALIAS : DIRECTORY_UNKNOWN;
}

void on_directory_ask(struct peer *p, const void *msg)
{
    const struct directory_ask *q = msg;
    struct directory_answer answer = { .kind = DIRECTORY_LATER };
    struct buf targets = BUF_INIT;
    struct account a = { .uid = 0 };
    struct error err;

    answer.kind = ask(q->address, &answer, &a, &targets, &err);
    if (answer.kind == DIRECTORY_LATER)
        log_error("auth: %s", err.text);
    peer_send(p, &directory_answer_type, &answer);
    account_wipe(&a);
    buf_release(&targets);
}

static bool leads_to(struct view targets, const char *account)
{
    struct view line;

    while (view_cut(&targets, '\n', &line))
        if (view_is_nocase(line, account))
            return true;
    return false;
}

/* An account may send as itself, with any extension, and as every alias that
 * leads to it. */
void on_sender_ask(struct peer *p, const void *msg)
{
    const struct sender_ask *q = msg;
    struct sender_answer answer = { 0, 0 };
    struct buf targets = BUF_INIT;
    struct account own = { .uid = 0 }, other = { .uid = 0 };
    struct error err;
    int rc = directory_account(q->account, &own, &err);

    if (rc > 0)
        rc = directory_account(q->sender, &other, &err);
    if (rc > 0)
        answer.allowed = strcmp(own.address, other.address) == 0;
    if (rc >= 0 && !answer.allowed) {
        rc = find(q->sender, lookup_alias, &targets, &err);
        answer.allowed = rc > 0 && leads_to(buf_view(&targets), own.address);
    }
    answer.later = rc < 0;
    peer_send(p, &sender_answer_type, &answer);
    account_wipe(&own);
    account_wipe(&other);
    buf_release(&targets);
}

void on_whereis(struct peer *p, const void *msg)
{
    const struct control_whereis *q = msg;
    struct control_here here = { .ticket = q->ticket };
    struct account a = { .uid = 0 };
    struct error err;
    int rc = directory_account(q->account, &a, &err);

    if (rc > 0) {
        here.tenant = view_of(a.tenant);
        here.uid = a.uid;
    }
    here.retry = rc < 0;
    peer_send(p, &control_here_type, &here);
    account_wipe(&a);
}
