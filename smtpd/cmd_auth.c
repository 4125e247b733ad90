/* SPDX-License-Identifier: BSD-2-Clause */
/* AUTH (RFC 4954): the client's and authd's messages, passed on in base64. */
#include "base/encode.h"
#include "base/log.h"
#include "net/tls.h"
#include "sasl/mechanism.h"
#include "smtpd/smtpd.h"

#define AUTH_LINE_MAX (AUTH_DATA_MAX * 4 / 3 + 8)

/* "=" stands for an empty initial response (RFC 4954 §4). */
static bool decode(struct view text, struct buf *out)
{
    if (view_is(text, "="))
        return true;
    return text.len <= AUTH_LINE_MAX && decode_base64(out, text) == 0 &&
           out->len <= AUTH_DATA_MAX;
}

/* Send a challenge and read the answer into `out`. False: the exchange is
 * over and the client was told. */
static bool challenge(struct smtp_session *s, struct view data,
                      struct buf *out)
{
    struct buf coded = BUF_INIT;
    struct view line;
    enum stream_end end;
    enum stream_result r;
    struct error err;
    int rc;

    encode_base64(&coded, data);
    rc = stream_printf(&s->stream, &err, "334 %s\r\n", buf_text(&coded));
    buf_release(&coded);
    r = rc < 0 ? STREAM_BROKEN
               : stream_line(&s->stream, AUTH_LINE_MAX, &line, &end, &err);
    if (r == STREAM_LONG) {
        smtp_reply(s, 500, "5.5.6", "Authentication exchange line is too "
                   "long");
        smtp_end(s, END_CLOSE);
        return false;
    }
    if (r != STREAM_LINE) {
        smtp_end(s, r == STREAM_TIMEOUT ? END_TIMEOUT : END_LOST);
        return false;
    }
    if (view_is(line, "*")) {
        smtp_reply(s, 501, "5.7.0", "Authentication aborted");
        return false;
    }
    if (end != STREAM_CRLF || !decode(line, out)) {
        smtp_reply(s, 501, "5.5.2", "Cannot decode the base64 text");
        return false;
    }
    return true;
}

static void log_failure(const struct smtp_session *s, const char *mechanism,
                        const struct auth_done *done)
{
    log_warning("%s[%s]: SASL %s authentication failed: authentication "
                "failure, sasl_username=%.*s", s->client_name,
                s->client_address, mechanism, VIEW_ARG(done->name));
}

static void conclude(struct smtp_session *s, const char *mechanism,
                     const struct auth_done *done)
{
    switch (done->result) {
    case AUTH_OK:
        view_copy(done->account, s->account, sizeof s->account);
        snprintf(s->sasl_method, sizeof s->sasl_method, "%s", mechanism);
        smtp_reply(s, 235, "2.7.0", "Authentication successful");
        return;
    case AUTH_MALFORMED:
        log_failure(s, mechanism, done);
        smtp_reply(s, 501, "5.5.2", "Malformed authentication data");
        return;
    case AUTH_LATER:
        smtp_reply(s, 454, "4.7.0", "Temporary authentication failure");
        return;
    case AUTH_TOO_MANY:
        log_failure(s, mechanism, done);
        smtp_reply(s, 454, "4.7.0", "Temporary authentication failure: too "
                   "many failed logins");
        return;
    case AUTH_NO_MECHANISM:
        smtp_reply(s, 504, "5.5.4", "Unrecognized authentication type");
        return;
    default:
        log_failure(s, mechanism, done);
        smtp_reply(s, 535, "5.7.8", "Error: authentication failed");
        return;
    }
}

static void cancel(void)
{
    struct auth_cancel c = { smtp_lines.ticket };
    struct error err;

    if (ipc_send(&smtp_lines.authd, &auth_cancel_type, &c, &err) < 0)
        ipc_release(&smtp_lines.authd);
}

/* Carry messages between the client and authd until authd has decided; false
 * when the client ended it. -1 when authd is gone. */
static int exchange(struct smtp_session *s, const char *mechanism,
                    struct error *err)
{
    struct buf data = BUF_INIT;
    int rc = 0;

    for (;;) {
        struct ipc_packet p;
        struct auth_challenge c;
        struct auth_done done;
        struct auth_response r = { .ticket = smtp_lines.ticket };

        rc = ipc_recv(&smtp_lines.authd, &p, err);
        if (rc == 0)
            rc = error_set(err, FAIL_TEMP, "authd went away");
        if (rc < 0)
            break;
        if (ipc_id(p.bytes) == auth_done_type.id) {
            rc = ipc_packet_decode(&p, &auth_done_type, &done, err);
            if (rc == 0)
                conclude(s, mechanism, &done);
            break;
        }
        rc = ipc_packet_decode(&p, &auth_challenge_type, &c, err);
        if (rc < 0)
            break;
        buf_reset(&data);
        if (!challenge(s, c.data, &data)) {
            cancel();
            break;
        }
        r.data = buf_view(&data);
        rc = ipc_send(&smtp_lines.authd, &auth_response_type, &r, err);
        if (rc < 0)
            break;
    }
    buf_wipe(&data);
    return rc;
}

static int begin(struct smtp_session *s, const char *mechanism,
                 bool has_initial, struct view initial, struct error *err)
{
    struct buf exporter = BUF_INIT, endpoint = BUF_INIT;
    struct auth_begin b = {
        .ticket = ++smtp_lines.ticket,
        .service = VIEW("smtp"),
        .mechanism = view_of(mechanism),
        .client_address = view_of(s->client_address),
        .session = view_of(s->session_id),
        .is_tls = s->is_tls,
        .has_initial = has_initial,
        .data = initial,
        .session_fd = -1,
    };

    int rc = smtp_need(s, "authd", smtpd_conf.auth_timeout,
                       &smtp_lines.authd, err);

    tls_bindings(&s->stream, &exporter, &endpoint);
    b.exporter = buf_view(&exporter);
    b.endpoint = buf_view(&endpoint);
    b.plus_offered = mechanism_is_offered(smtpd_conf.smtpd_sasl_mechanisms,
                                          VIEW("SCRAM-SHA-256-PLUS"),
                                          s->is_tls);
    if (rc == 0)
        rc = ipc_send(&smtp_lines.authd, &auth_begin_type, &b, err);
    buf_wipe(&exporter);
    buf_release(&endpoint);
    return rc;
}

static bool may_auth(struct smtp_session *s)
{
    if (!smtpd_conf.smtpd_sasl_auth_enable)
        smtp_reply(s, 503, "5.5.1", "Error: authentication not enabled");
    else if (s->account[0] != '\0')
        smtp_reply(s, 503, "5.5.1", "Error: already authenticated");
    else if (!s->is_tls && smtpd_conf.smtpd_tls_auth_only)
        smtp_reply(s, 538, "5.7.11", "Encryption required for requested "
                   "authentication mechanism");
    else
        return true;
    return false;
}

void cmd_auth(struct smtp_session *s, struct view args)
{
    struct buf initial = BUF_INIT;
    struct view name, text, extra;
    char mechanism[33];
    bool has_initial;
    struct error err;

    if (!may_auth(s))
        return;
    if (!view_word(&args, " ", &name) ||
        !view_copy(name, mechanism, sizeof mechanism) ||
        !mechanism_is_offered(smtpd_conf.smtpd_sasl_mechanisms, name,
                              s->is_tls)) {
        smtp_reply(s, 504, "5.5.4", "Unrecognized authentication type");
        return;
    }
    has_initial = view_word(&args, " ", &text);
    if (view_word(&args, " ", &extra) ||
        (has_initial && !decode(text, &initial))) {
        smtp_reply(s, 501, "5.5.2", "Cannot decode the base64 text");
    } else if (begin(s, mechanism, has_initial, buf_view(&initial), &err) <
                   0 || exchange(s, mechanism, &err) < 0) {
        log_warning("cannot authenticate %s[%s]: %s", s->client_name,
                    s->client_address, err.text);
        ipc_release(&smtp_lines.authd);
        smtp_reply(s, 454, "4.7.0", "Temporary authentication failure");
    }
    buf_wipe(&initial);
}
