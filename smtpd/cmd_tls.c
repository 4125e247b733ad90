/* SPDX-License-Identifier: BSD-2-Clause */
/* STARTTLS (RFC 3207) and TLS from the first byte (RFC 8314). */
#include "base/log.h"
#include "net/tls.h"
#include "smtpd/smtpd.h"

/* Kept from one client to the next: certificates are public. */
static struct {
    struct ipc keyd;
    struct tls_server *server;
} tls = { .keyd = { .fd = -1 } };

void tls_start(void)
{
    if (smtpd_conf.smtpd_tls_security_level == TLS_NONE &&
        !smtpd_conf.smtpd_tls_wrappermode)
        return;
    tls_prepare("");
    tls.server = tls_server_new(&tls.keyd);
}

bool tls_is_ready(struct smtp_session *s)
{
    struct error err;

    if (tls.server == NULL)
        return false;
    if (smtp_need(s, "keyd", smtpd_conf.key_timeout, &tls.keyd, &err) < 0) {
        log_warning("no TLS: %s", err.text);
        return false;
    }
    if (tls_server_ready(tls.server, &err))
        return true;
    if (smtpd_conf.smtpd_tls_security_level == TLS_ENCRYPT ||
        smtpd_conf.smtpd_tls_wrappermode || err.kind == FAIL_TEMP)
        log_warning("no TLS: %s", err.text);
    return false;
}

bool tls_is_missing(const struct smtp_session *s)
{
    return smtpd_conf.smtpd_tls_security_level == TLS_ENCRYPT && !s->is_tls &&
           !s->is_local;
}

bool tls_shake(struct smtp_session *s)
{
    struct error err;

    s->stream.timeout_ms = smtpd_conf.smtpd_starttls_timeout * 1000;
    if (tls_accept(&s->stream, tls.server, "smtp", &err) < 0) {
        log_info("SSL_accept error from %s[%s]: %s", s->client_name,
                 s->client_address, err.text);
        smtp_end(s, END_LOST);
        return false;
    }
    s->stream.timeout_ms = smtpd_conf.smtpd_timeout * 1000;
    s->is_tls = true;
    tls_describe(&s->stream, &s->tls_text);
    log_info("Anonymous TLS connection established from %s[%s]: %s",
             s->client_name, s->client_address, buf_text(&s->tls_text));
    return true;
}

/* What the client said in clear is forgotten, all of it (RFC 3207 §4.2). */
void cmd_starttls(struct smtp_session *s, struct view args)
{
    struct error err;

    if (args.len > 0) {
        smtp_reply(s, 501, "5.5.4", "Syntax: STARTTLS");
    } else if (s->is_tls) {
        smtp_reply(s, 554, "5.5.1", "Error: TLS already active");
    } else if (tls.server == NULL) {
        smtp_reply(s, 502, "5.5.1", "Error: command not implemented");
    } else if (!tls_is_ready(s)) {
        smtp_reply(s, 454, "4.7.0", "TLS not available due to local problem");
    } else {
        smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
        if (stream_flush(&s->stream, &err) < 0) {
            smtp_end(s, END_LOST);
            return;
        }
        stream_discard(&s->stream);
        smtp_reset(s);
        s->state = SMTP_HELLO;
        s->is_esmtp = false;
        s->helo[0] = '\0';
        tls_shake(s);
    }
}
