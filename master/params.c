/* SPDX-License-Identifier: BSD-2-Clause */
#include "master/params.h"

const struct param master_params[] = {
    PARAM_TEXT_RESTART(master_conf, queue_directory, "/var/spool/postern",
        "where queued mail, sockets and the process id file are"),
    PARAM_TEXT_RESTART(master_conf, daemon_directory,
        POSTERN_LIBEXEC,
        "where the daemons' programs are"),
    PARAM_TEXT_RESTART(master_conf, data_directory, "/var/lib/postern",
        "where the accounts' database is"),
    PARAM_TEXT_RESTART(master_conf, virtual_mailbox_base,
        "/var/mail/postern",
        "the mail store: below it <tenant>/<domain>/<user>; nothing is "
        "delivered unless its file .postern-store has this instance's id"),
    PARAM_TEXT(master_conf, maillog_file, "/var/log/postern.log",
        "the log file; \"syslog\" is the system's logger, /dev/stdout what "
        "\"postern start-fg\" was given"),
    PARAM_TEXT(master_conf, smtpd_tls_chain_files, "",
        "files in PEM form, each with private keys and certificates and "
        "what leads up from them; the certificate for the name that a "
        "client asks for is used, or the first; read by keyd alone"),
    PARAM_TEXT(master_conf, smtpd_tls_cert_file, "",
        "one more such file, with the server's certificate"),
    PARAM_TEXT(master_conf, smtpd_tls_key_file, "$smtpd_tls_cert_file",
        "and one with its private key"),
    PARAM_TEXT_RESTART(master_conf, inet_interfaces, "all",
        "the addresses to listen on: all, loopback-only, or numeric "
        "addresses"),
    PARAM_TEXT_RESTART(master_conf, inet_protocols, "all",
        "which protocols to use: all, ipv4, ipv6"),
    PARAM_TEXT(master_conf, syslog_name, "postfix",
        "the name that log lines of the mail side begin with; log tools "
        "look for \"postfix\""),
    PARAM_TEXT(master_conf, access_syslog_name, "dovecot",
        "the name that log lines of logins and mailbox sessions begin with; "
        "log tools look for \"dovecot\""),
    PARAM_TEXT(master_conf, sandbox_walls,
        "root landlock seccomp network uid",
        "the walls around each daemon; leaving one out is for tests and "
        "needs sandbox_required = no"),
    PARAM_BOOL(master_conf, sandbox_required, "yes",
        "refuse to start a daemon that cannot get all its walls"),
    PARAM_UINT(master_conf, default_process_limit, "100", "1", "10000",
        "the most processes of one service, where master.cf says -"),
    PARAM_UINT_RESTART(master_conf, role_uid_base, "1878982656", "1000",
        "4000000000",
        "the first of a range of 16 user ids, one a program, that nothing "
        "else on the machine uses"),
    PARAM_UINT_RESTART(master_conf, tenant_uid_base, "1879048192", "1000",
        "4000000000",
        "the first of the range of user ids that tenants' mail is kept "
        "under, one a tenant, never used again"),
    PARAM_TIME(master_conf, max_idle, "100s", "1s", "1d",
        "end a process that is not needed any more after it was idle for "
        "this long"),
    PARAM_TIME(master_conf, service_throttle_time, "60s", "0", "1h",
        "the longest pause before a program that keeps failing is started "
        "again; meanwhile who needs it is told so, and does not wait"),
    PARAM_TIME(master_conf, reload_timeout, "10s", "1s", "1h",
        "how long \"postern reload\" waits for each program to accept the "
        "new configuration; then the old one stays"),
    PARAM_TIME(master_conf, stop_timeout, "10s", "1s", "1h",
        "how long \"postern stop\" lets sessions finish the command that they "
        "are in, and deliveries end, before it ends them"),
    PARAM_END
};
