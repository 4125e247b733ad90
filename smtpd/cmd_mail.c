/* SPDX-License-Identifier: BSD-2-Clause */
/* MAIL and RCPT (RFC 5321 §4.1.1.2, §4.1.1.3) with their parameters. */
#include "base/ascii.h"
#include "base/log.h"
#include "smtpd/access.h"
#include "smtpd/smtpd.h"

/* "FROM:<path> params" or "TO:<path> params". */
static bool take_path(struct smtp_session *s, struct view *args,
                      const char *word, unsigned flags, struct address *a)
{
    bool is_from = strcmp(word, "FROM:") == 0;
    struct error err;

    if (!view_starts_nocase(*args, word)) {
        smtp_reply(s, 501, "5.5.4", "Syntax: %s %s<address>",
                   is_from ? "MAIL" : "RCPT", word);
        return false;
    }
    *args = view_sub(*args, strlen(word), args->len);
    if (smtpd_conf.smtputf8_enable)
        flags |= ADDRESS_SMTPUTF8; /* refused below unless asked for */
    if (address_parse_path(args, flags, a, &err) < 0) {
        smtp_reply(s, 501, is_from ? "5.1.7" : "5.1.3", "Bad %s address "
                   "syntax: %s", is_from ? "sender" : "recipient", err.text);
        return false;
    }
    return true;
}

/* --- the parameters of MAIL -------------------------------------------- */

static bool mail_size(struct smtp_session *s, const struct esmtp_param *p)
{
    uint64_t size;

    if (!p->has_value || !view_number(p->value, UINT64_MAX, &size)) {
        smtp_reply(s, 501, "5.5.4", "Bad SIZE parameter");
        return false;
    }
    if (size > smtpd_conf.message_size_limit) {
        smtp_reply(s, 552, "5.3.4", "Message size exceeds fixed limit");
        return false;
    }
    s->t.declared = size;
    return true;
}

static bool mail_body(struct smtp_session *s, const struct esmtp_param *p)
{
    if (view_is_nocase(p->value, "8BITMIME"))
        s->t.flags |= ENVELOPE_8BITMIME;
    else if (!view_is_nocase(p->value, "7BIT")) {
        smtp_reply(s, 501, "5.5.4", "Bad BODY parameter");
        return false;
    }
    return true;
}

static bool mail_ret(struct smtp_session *s, const struct esmtp_param *p)
{
    if (view_is_nocase(p->value, "FULL"))
        s->t.ret = ENVELOPE_RET_FULL;
    else if (view_is_nocase(p->value, "HDRS"))
        s->t.ret = ENVELOPE_RET_HDRS;
    else {
        smtp_reply(s, 501, "5.5.4", "Bad RET parameter");
        return false;
    }
    return true;
}

/* RFC 3461 §4.4: at most 100 characters of xtext. Kept as it came. */
static bool mail_envid(struct smtp_session *s, const struct esmtp_param *p)
{
    struct buf plain = BUF_INIT;
    struct error err;
    bool good = p->has_value && p->value.len <= 100 &&
                esmtp_xtext_decode(&plain, p->value, &err) == 0;

    buf_release(&plain);
    if (good)
        buf_add_view(&s->t.envid, p->value);
    else
        smtp_reply(s, 501, "5.5.4", "Bad ENVID parameter");
    return good;
}

static bool mail_smtputf8(struct smtp_session *s, const struct esmtp_param *p)
{
    if (p->has_value || !smtpd_conf.smtputf8_enable) {
        smtp_reply(s, p->has_value ? 501 : 555, "5.5.4",
                   "Bad SMTPUTF8 parameter");
        return false;
    }
    s->t.flags |= ENVELOPE_SMTPUTF8;
    return true;
}

/* RFC 4954 §5: who submitted it first. We have our own way to know. */
static bool mail_auth(struct smtp_session *s, const struct esmtp_param *p)
{
    (void)s;
    (void)p;
    return true;
}

/* --- the parameters of RCPT -------------------------------------------- */

static bool rcpt_notify(struct smtp_session *s, struct view value,
                        uint32_t *notify)
{
    static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE",
                                         "DELAY" };
    struct view w;

    *notify = 0;
    while (view_cut(&value, ',', &w)) {
        uint32_t bit = 0;

        for (unsigned i = 0; i < 4; i++)
            if (view_is_nocase(w, words[i]))
                bit = 1u << i;
        if (bit == 0 || (*notify & bit) ||
            (*notify && (bit | *notify) & ENVELOPE_NOTIFY_NEVER)) {
            smtp_reply(s, 501, "5.5.4", "Bad NOTIFY parameter");
            return false;
        }
        *notify |= bit;
    }
    return *notify != 0;
}

/* RFC 3461 §4.2: a type, a semicolon, xtext. */
static bool rcpt_orcpt(struct smtp_session *s, struct view value)
{
    size_t at = view_index(value, ';');
    struct buf plain = BUF_INIT;
    struct error err;
    bool good = at > 0 && at < value.len && value.len <= ENVELOPE_ORCPT_MAX &&
                esmtp_xtext_decode(&plain, view_sub(value, at + 1, value.len),
                                   &err) == 0 && plain.len > 0;

    buf_release(&plain);
    if (!good)
        smtp_reply(s, 501, "5.5.4", "Bad ORCPT parameter");
    return good;
}

/* --- MAIL -------------------------------------------------------------- */

struct mail_param {
    const char *keyword;
    bool (*take)(struct smtp_session *s, const struct esmtp_param *p);
};

static const struct mail_param mail_params[] = {
    { "SIZE", mail_size },   { "BODY", mail_body },
    { "RET", mail_ret },     { "ENVID", mail_envid },
    { "AUTH", mail_auth },   { "SMTPUTF8", mail_smtputf8 },
};

static bool take_mail_param(struct smtp_session *s,
                            const struct esmtp_param *p)
{
    for (size_t i = 0; i < sizeof mail_params / sizeof *mail_params; i++)
        if (view_is_nocase(p->keyword, mail_params[i].keyword))
            return mail_params[i].take(s, p);
    smtp_reply(s, 555, "5.5.4", "Unsupported option: %.*s",
               VIEW_ARG(p->keyword));
    return false;
}

static bool parse_params(struct smtp_session *s, struct view rest,
                         struct esmtp_params *params)
{
    struct error err;

    if (esmtp_parse(rest, smtpd_conf.smtputf8_enable, params, &err) == 0)
        return true;
    smtp_reply(s, 501, "5.5.4", "%s", err.text);
    return false;
}

static bool may_mail(struct smtp_session *s)
{
    if (s->state == SMTP_HELLO && smtpd_conf.smtpd_helo_required) {
        smtp_reply(s, 503, "5.5.1", "Error: send HELO/EHLO first");
        return false;
    }
    if (access_client(s) != PERMIT) {
        if (s->account[0] == '\0' && smtpd_conf.smtpd_sasl_auth_enable)
            smtp_reject(s, VIEW(""), 530, "5.7.0", "Authentication required");
        else
            smtp_reject(s, VIEW(""), 554, "5.7.1", "<%s[%s]>: Client host "
                        "rejected: Access denied", s->client_name,
                        s->client_address);
        return false;
    }
    return true;
}

/* An account sends as itself and as its aliases (DESIGN §3). */
static bool owns_sender(struct smtp_session *s, struct view sender)
{
    struct sender_ask ask = { view_of(s->account), sender };
    struct sender_answer answer;
    struct error err;

    if (s->account[0] == '\0' || !smtpd_conf.smtpd_sender_login_check ||
        sender.len == 0)
        return true;
    if (service_call(s->daemon, "authd", smtpd_conf.auth_timeout * 1000,
                     &smtp_lines.authd, &sender_ask_type, &ask,
                     &sender_answer_type, &answer, &err) < 0) {
        log_warning("cannot ask authd about <%.*s>: %s", VIEW_ARG(sender),
                    err.text);
        answer.later = 1;
    }
    if (answer.later) {
        smtp_reply(s, 451, "4.3.0", "Error: temporary lookup failure");
        return false;
    }
    if (!answer.allowed)
        smtp_reject(s, VIEW(""), 553, "5.7.1", "<%.*s>: Sender address "
                    "rejected: not owned by user %s", VIEW_ARG(sender),
                    s->account);
    return answer.allowed;
}

static bool take_mail(struct smtp_session *s, struct view args)
{
    struct esmtp_params params;
    struct address a;

    if (!take_path(s, &args, "FROM:", ADDRESS_NULL | ADDRESS_LONG, &a) ||
        !parse_params(s, args, &params))
        return false;
    for (size_t i = 0; i < params.count; i++)
        if (!take_mail_param(s, &params.list[i]))
            return false;
    if (a.utf8 && !(s->t.flags & ENVELOPE_SMTPUTF8)) {
        smtp_reply(s, 553, "5.6.7", "Address needs SMTPUTF8");
        return false;
    }
    address_format(&s->t.sender, &a);
    if (!a.null && a.domain_len == 0) {
        buf_addf(&s->t.sender, "@%s", smtpd_conf.myhostname);
    }
    return owns_sender(s, buf_view(&s->t.sender));
}

void cmd_mail(struct smtp_session *s, struct view args)
{
    if (!may_mail(s))
        return;
    if (!take_mail(s, args)) {
        smtp_reset(s);
        return;
    }
    s->state = SMTP_MAIL;
    smtp_reply(s, 250, "2.1.0", "Ok");
}

/* --- RCPT -------------------------------------------------------------- */

/* Is mail for this address ours to take from this client? */
static bool may_relay(struct smtp_session *s, struct view rcpt)
{
    struct resolve_ask ask = { rcpt };
    struct resolve_answer r;
    struct error err;

    if (service_call(s->daemon, "mapd", smtpd_conf.ipc_timeout * 1000,
                     &smtp_lines.mapd, &resolve_ask_type, &ask,
                     &resolve_answer_type, &r, &err) < 0) {
        log_warning("cannot ask mapd about <%.*s>: %s", VIEW_ARG(rcpt),
                    err.text);
        r.result = RESOLVE_LATER;
    }
    if (r.result == RESOLVE_LATER) {
        smtp_reply(s, 451, "4.3.0", "<%.*s>: Temporary lookup failure",
                   VIEW_ARG(rcpt));
        return false;
    }
    switch (access_relay(s, (enum resolve_class)r.class)) {
    case PERMIT:
        return true;
    case DEFER:
        smtp_reject(s, rcpt, 454, "4.7.1", "<%.*s>: Relay access denied",
                    VIEW_ARG(rcpt));
        return false;
    default:
        smtp_reject(s, rcpt, 554, "5.7.1", "<%.*s>: Relay access denied",
                    VIEW_ARG(rcpt));
        return false;
    }
}

/* cleanup is told of the transaction with its first recipient. */
static int begin(struct smtp_session *s, struct error *err)
{
    struct mail_begin b = {
        .sender = buf_view(&s->t.sender),
        .client_name = view_of(s->client_name),
        .client_address = view_of(s->client_address),
        .client_port = s->client_port,
        .helo = view_of(s->helo),
        .protocol = view_of(smtp_protocol(s)),
        .sasl_method = view_of(s->sasl_method),
        .account = view_of(s->account),
        .envid = buf_view(&s->t.envid),
        .ret = s->t.ret,
        .flags = s->t.flags,
    };

    if (s->t.begun)
        return 0;
    if (s->account[0] != '\0' || s->is_local)
        b.flags |= ENVELOPE_SUBMITTED;
    if (smtp_need(s, smtpd_conf.cleanup_service_name, smtpd_conf.ipc_timeout,
                  &smtp_lines.cleanup, err) < 0 ||
        ipc_send(&smtp_lines.cleanup, &mail_begin_type, &b, err) < 0)
        return -1;
    s->t.begun = true;
    return 0;
}

static void log_client(const struct smtp_session *s)
{
    if (s->account[0] != '\0')
        log_info("%s: client=%s[%s], sasl_method=%s, sasl_username=%s",
                 s->t.queue_id, s->client_name, s->client_address,
                 s->sasl_method, s->account);
    else if (s->is_local)
        log_info("%s: client=%s[%s], uid=%u from=<%s>", s->t.queue_id,
                 s->client_name, s->client_address, s->uid,
                 buf_text(&s->t.sender));
    else
        log_info("%s: client=%s[%s]", s->t.queue_id, s->client_name,
                 s->client_address);
}

static void accepted(struct smtp_session *s, struct view rcpt,
                     const struct mail_reply *r)
{
    if (s->t.queue_id[0] == '\0') {
        view_copy(r->queue_id, s->t.queue_id, sizeof s->t.queue_id);
        buf_add_view(&s->t.first_rcpt, rcpt);
        log_client(s);
    }
    s->t.n_rcpts++;
    s->state = SMTP_RCPT;
    smtp_reply(s, 250, "2.1.5", "Ok");
}

static void offer(struct smtp_session *s, const struct mail_rcpt *rcpt)
{
    struct mail_reply r;
    struct error err;
    char dsn[17];

    if (begin(s, &err) < 0 ||
        ipc_call(&smtp_lines.cleanup, &mail_rcpt_type, rcpt,
                 &mail_reply_type, &r, &err) < 0) {
        log_warning("cannot reach cleanup: %s", err.text);
        ipc_release(&smtp_lines.cleanup);
        s->t.begun = false;
        smtp_reset(s);
        smtp_reply(s, 451, "4.3.0", "Error: queue not available");
        return;
    }
    view_copy(r.dsn, dsn, sizeof dsn);
    if (r.code == 250)
        accepted(s, rcpt->address, &r);
    else if (r.code >= 500)
        smtp_reject(s, rcpt->address, r.code, dsn, "%.*s", VIEW_ARG(r.text));
    else
        smtp_reply(s, r.code, dsn, "%.*s", VIEW_ARG(r.text));
}

static bool take_rcpt_params(struct smtp_session *s, struct view args,
                             struct mail_rcpt *rcpt)
{
    struct esmtp_params params;

    if (!parse_params(s, args, &params))
        return false;
    for (size_t i = 0; i < params.count; i++) {
        const struct esmtp_param *p = &params.list[i];

        if (view_is_nocase(p->keyword, "NOTIFY")) {
            if (!rcpt_notify(s, p->value, &rcpt->notify))
                return false;
        } else if (view_is_nocase(p->keyword, "ORCPT")) {
            if (!rcpt_orcpt(s, p->value))
                return false;
            rcpt->orcpt = p->value;
        } else {
            smtp_reply(s, 555, "5.5.4", "Unsupported option: %.*s",
                       VIEW_ARG(p->keyword));
            return false;
        }
    }
    return true;
}

void cmd_rcpt(struct smtp_session *s, struct view args)
{
    struct buf text = BUF_INIT;
    struct mail_rcpt rcpt = { .notify = 0 };
    struct address a;

    if (s->t.n_rcpts >= smtpd_conf.smtpd_recipient_limit) {
        smtp_reply(s, 452, "4.5.3", "Error: too many recipients");
        return;
    }
    if (!take_path(s, &args, "TO:", 0, &a) ||
        !take_rcpt_params(s, args, &rcpt))
        return;
    if (a.utf8 && !(s->t.flags & ENVELOPE_SMTPUTF8)) {
        smtp_reply(s, 553, "5.6.7", "Address needs SMTPUTF8");
        return;
    }
    address_format(&text, &a);
    if (a.domain_len == 0)
        buf_addf(&text, "@%s", smtpd_conf.myhostname);
    rcpt.address = buf_view(&text);
    if (may_relay(s, rcpt.address))
        offer(s, &rcpt);
    buf_release(&text);
}
