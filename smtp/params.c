/* SPDX-License-Identifier: BSD-2-Clause */
#include "smtp/smtp.h"

const struct param smtp_params[] = {
    PARAM_TEXT(smtp_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TEXT(smtp_conf, smtp_helo_name, "$myhostname",
        "the name to greet other servers with"),
    PARAM_CHOICE(smtp_conf, smtp_tls_security_level, "may",
        "none may encrypt verify",
        "TLS to other servers: never, if they offer it, always, or always "
        "and only with a trusted certificate for the server's name"),
    PARAM_TEXT(smtp_conf, smtp_tls_CAfile,
        "/etc/ssl/certs/ca-certificates.crt",
        "the certificates of the authorities that verify trusts"),
    PARAM_TIME(smtp_conf, smtp_starttls_timeout, "300s", "1s", "1h",
        "how long a TLS handshake may take"),
    PARAM_UINT(smtp_conf, smtp_mx_address_limit, "5", "1", "100",
        "how many addresses of a destination are tried in one attempt"),
    PARAM_CHOICE(smtp_conf, smtp_address_preference, "any", "any ipv4 ipv6",
        "which of a server's addresses is tried first; those of the two "
        "protocols take turns"),
    PARAM_UINT(smtp_conf, smtp_tcp_port, "25", "1", "65535",
        "the port of other sites' servers, where a next hop names none"),
    PARAM_TIME(smtp_conf, smtp_connect_timeout, "30s", "1s", "10m",
        "how long to wait for a connection"),
    PARAM_TIME(smtp_conf, smtp_helo_timeout, "300s", "1s", "1h",
        "how long to wait for the greeting and the answer to EHLO"),
    PARAM_TIME(smtp_conf, smtp_mail_timeout, "300s", "1s", "1h",
        "how long to wait for the answers to MAIL and RCPT"),
    PARAM_TIME(smtp_conf, smtp_data_xfer_timeout, "180s", "1s", "1h",
        "how long to wait for the server to take some content"),
    PARAM_TIME(smtp_conf, smtp_data_done_timeout, "600s", "1s", "1h",
        "how long to wait for the answer to the end of the content"),
    PARAM_UINT(smtp_conf, smtp_line_length_limit, "998", "80", "100000000",
        "lines of a message that are longer, in bytes, are broken by a line "
        "end and a blank: other servers refuse them (RFC 5321)"),
    PARAM_TIME(smtp_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
