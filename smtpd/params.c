/* SPDX-License-Identifier: BSD-2-Clause */
#include "smtpd/smtpd.h"

const struct param smtpd_params[] = {
    PARAM_TEXT(smtpd_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TEXT(smtpd_conf, mail_name, "Postern",
        "the name in the banner and in Received headers"),
    PARAM_TEXT(smtpd_conf, smtpd_banner, "$myhostname ESMTP $mail_name",
        "the text behind 220 in the greeting; it must begin with the host's "
        "name"),
    PARAM_TEXT(smtpd_conf, mynetworks, "127.0.0.0/8 [::1]/128",
        "networks whose clients may send to everybody"),
    PARAM_BOOL(smtpd_conf, smtpd_peername_lookup, "yes",
        "look up the client's name, and whether it is the client's; without, "
        "or when it is not, the name is \"unknown\""),
    PARAM_TIME(smtpd_conf, smtpd_peername_timeout, "10s", "1s", "1h",
        "how long to wait for each answer about the client's name"),
    PARAM_TEXT(smtpd_conf, smtpd_client_restrictions, "",
        "which clients may send mail at all: words of permit_mynetworks, "
        "permit_sasl_authenticated, permit, reject; the first that fits"),
    PARAM_TEXT(smtpd_conf, smtpd_relay_restrictions,
        "permit_mynetworks permit_sasl_authenticated "
        "reject_unauth_destination",
        "which clients may send to other sites: words as above and "
        "reject_unauth_destination, defer_unauth_destination; without any "
        "of these it is never permitted"),
    PARAM_TEXT(smtpd_conf, smtpd_sasl_mechanisms,
        "PLAIN LOGIN SCRAM-SHA-256",
        "the SASL mechanisms offered to SMTP clients; there is also "
        "SCRAM-SHA-256-PLUS, which some clients choose and then fail with"),
    PARAM_TEXT(smtpd_conf, cleanup_service_name, "cleanup",
        "the service that puts messages into the queue"),
    PARAM_BOOL(smtpd_conf, smtpd_sasl_auth_enable, "no",
        "offer AUTH"),
    PARAM_BOOL(smtpd_conf, smtpd_tls_auth_only, "yes",
        "offer AUTH only where TLS protects the password"),
    PARAM_CHOICE(smtpd_conf, smtpd_tls_security_level, "may",
        "none may encrypt",
        "offer STARTTLS: never, when there is a certificate, or require it"),
    PARAM_BOOL(smtpd_conf, smtpd_tls_wrappermode, "no",
        "speak TLS from the first byte (port 465)"),
    PARAM_TIME(smtpd_conf, smtpd_starttls_timeout, "300s", "1s", "1h",
        "how long a TLS handshake may take"),
    PARAM_BOOL(smtpd_conf, smtpd_helo_required, "no",
        "refuse MAIL before HELO or EHLO"),
    PARAM_BOOL(smtpd_conf, disable_vrfy_command, "yes",
        "do not say whether an address exists"),
    PARAM_BOOL(smtpd_conf, smtpd_sender_login_check, "yes",
        "an authenticated client may only send as one of its account's own "
        "addresses"),
    PARAM_BOOL(smtpd_conf, smtputf8_enable, "yes",
        "take UTF-8 addresses and headers (RFC 6531)"),
    PARAM_SIZE(smtpd_conf, message_size_limit, "10240000", "1024", "1000G",
        "the largest message that is taken, in bytes"),
    PARAM_SIZE(smtpd_conf, content_memory_limit, "1M", "64k", "64M",
        "content travels between programs in memory files of at most this "
        "size"),
    PARAM_TIME(smtpd_conf, smtpd_timeout, "300s", "1s", "1d",
        "how long to wait for a client's next command or bytes"),
    PARAM_TIME(smtpd_conf, smtpd_data_timeout, "1h", "1s", "1d",
        "how long a whole message may take to arrive"),
    PARAM_TIME(smtpd_conf, auth_timeout, "60s", "1s", "1h",
        "how long a login waits for authd, which answers wrong passwords "
        "late (auth_failure_delay_max); then the client may try again"),
    PARAM_TIME(smtpd_conf, key_timeout, "5s", "1s", "1m",
        "how long a TLS handshake waits for keyd"),
    PARAM_TIME(smtpd_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_UINT(smtpd_conf, smtpd_recipient_limit, "1000", "1", "50000",
        "the most recipients of one message"),
    PARAM_UINT(smtpd_conf, smtpd_soft_error_limit, "10", "1", "1000",
        "after this many errors each reply is slowed down"),
    PARAM_UINT(smtpd_conf, smtpd_hard_error_limit, "20", "1", "1000",
        "after this many errors the connection is closed"),
    PARAM_TIME(smtpd_conf, smtpd_error_sleep_time, "1s", "0", "60s",
        "how long an error's reply waits beyond the soft limit"),
    PARAM_UINT(smtpd_conf, smtpd_junk_command_limit, "100", "1", "100000",
        "more commands than this that deliver nothing (NOOP, RSET, VRFY) "
        "count as errors"),
    PARAM_UINT(smtpd_conf, line_length_limit, "2048", "512", "100000",
        "the longest command line, in bytes"),
    PARAM_END
};
