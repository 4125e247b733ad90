/* SPDX-License-Identifier: BSD-2-Clause */
/* HELO, EHLO (RFC 5321 §4.1.1.1) and the small commands. */
#include "base/ascii.h"
#include "base/log.h"
#include "sasl/mechanism.h"
#include "smtpd/smtpd.h"

/* What a client calls itself is only ever logged and written into Received:
 * visible ASCII, and not too much of it. */
static bool take_helo(struct smtp_session *s, struct view args,
                      const char *verb)
{
    bool good = args.len > 0;

    for (size_t i = 0; i < args.len; i++)
        good = good && ascii_is_visible(args.data[i]) &&
               strchr("()<>\\\"", args.data[i]) == NULL;
    if (good && view_copy(args, s->helo, sizeof s->helo))
        return true;
    smtp_reply(s, 501, "5.5.4", "Syntax: %s hostname", verb);
    return false;
}

void cmd_helo(struct smtp_session *s, struct view args)
{
    if (!take_helo(s, args, "HELO"))
        return;
    s->state = SMTP_READY;
    smtp_reset(s);
    s->is_esmtp = false;
    smtp_reply(s, 250, "", "%s", smtpd_conf.myhostname);
}

static bool may_auth(const struct smtp_session *s)
{
    return smtpd_conf.smtpd_sasl_auth_enable && s->account[0] == '\0' &&
           (s->is_tls || !smtpd_conf.smtpd_tls_auth_only);
}

void cmd_ehlo(struct smtp_session *s, struct view args)
{
    struct error err;
    struct buf out = BUF_INIT;

    if (!take_helo(s, args, "EHLO"))
        return;
    s->state = SMTP_READY;
    smtp_reset(s);
    s->is_esmtp = true;
    buf_addf(&out, "250-%s\r\n", smtpd_conf.myhostname);
    buf_add_text(&out, "250-PIPELINING\r\n");
    buf_addf(&out, "250-SIZE %llu\r\n",
             (unsigned long long)smtpd_conf.message_size_limit);
    if (!smtpd_conf.disable_vrfy_command)
        buf_add_text(&out, "250-VRFY\r\n");
    if (!s->is_tls && !s->is_local && tls_is_ready(s))
        buf_add_text(&out, "250-STARTTLS\r\n");
    if (may_auth(s)) {
        buf_add_text(&out, "250-AUTH");
        mechanism_add(&out, smtpd_conf.smtpd_sasl_mechanisms, s->is_tls, " ",
                      "");
        buf_add_text(&out, "\r\n");
    }
    buf_add_text(&out, "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
                       "250-DSN\r\n");
    if (smtpd_conf.smtputf8_enable)
        buf_add_text(&out, "250-SMTPUTF8\r\n");
    buf_add_text(&out, "250 CHUNKING\r\n");
    if (stream_write(&s->stream, buf_view(&out), &err) < 0)
        smtp_end(s, END_LOST);
    buf_release(&out);
}

void cmd_rset(struct smtp_session *s, struct view args)
{
    if (args.len > 0) {
        smtp_reply(s, 501, "5.5.4", "Syntax: RSET");
        return;
    }
    smtp_reset(s);
    smtp_reply(s, 250, "2.0.0", "Ok");
}

void cmd_noop(struct smtp_session *s, struct view args)
{
    (void)args;
    smtp_reply(s, 250, "2.0.0", "Ok");
}

/* RFC 5321 §7.3: a server may say that it does not tell. */
void cmd_vrfy(struct smtp_session *s, struct view args)
{
    if (smtpd_conf.disable_vrfy_command)
        smtp_reply(s, 502, "5.5.1", "VRFY command is disabled");
    else if (args.len == 0)
        smtp_reply(s, 501, "5.5.4", "Syntax: VRFY address");
    else
        smtp_reply(s, 252, "2.0.0", "Send some mail, I'll try my best");
}

void cmd_quit(struct smtp_session *s, struct view args)
{
    if (args.len > 0) {
        smtp_reply(s, 501, "5.5.4", "Syntax: QUIT");
        return;
    }
    smtp_reply(s, 221, "2.0.0", "Bye");
    smtp_end(s, END_QUIT);
}
