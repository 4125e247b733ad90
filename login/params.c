/* SPDX-License-Identifier: BSD-2-Clause */
#include "login/login.h"

const struct param login_params[] = {
    PARAM_TEXT(login_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_CHOICE(login_conf, login_protocol, "imap", "imap pop3",
        "what a login service of master.cf speaks"),
    PARAM_TEXT(login_conf, login_greeting, "$mail_name ready.",
        "the text of the greeting"),
    PARAM_TEXT(login_conf, login_mechanisms,
        "PLAIN LOGIN SCRAM-SHA-256",
        "the SASL mechanisms offered to IMAP and POP3 clients; there is also "
        "SCRAM-SHA-256-PLUS, which some clients choose and then fail with"),
    PARAM_BOOL(login_conf, login_tls_wrappermode, "no",
        "speak TLS from the first byte (ports 993 and 995)"),
    PARAM_BOOL(login_conf, disable_plaintext_auth, "yes",
        "take passwords only where TLS protects them"),
    PARAM_UINT(login_conf, login_client_limit, "200", "1", "10000",
        "the most clients of one process, which passes on their bytes; 1: "
        "a process for each"),
    PARAM_UINT(login_conf, login_bad_command_limit, "20", "1", "1000",
        "after this many senseless commands the connection is closed"),
    PARAM_UINT(login_conf, login_auth_limit, "10", "1", "1000",
        "after this many failed logins the connection is closed"),
    PARAM_TIME(login_conf, login_timeout, "3m", "1s", "1h",
        "how long a client may take to log in"),
    PARAM_TIME(login_conf, auth_timeout, "60s", "1s", "1h",
        "how long a login waits for authd, which answers wrong passwords "
        "late (auth_failure_delay_max); then the client may try again"),
    PARAM_TIME(login_conf, key_timeout, "5s", "1s", "1m",
        "how long a TLS handshake waits for keyd"),
    PARAM_TIME(login_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
