/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

const struct param mapd_params[] = {
    PARAM_TEXT(mapd_conf, myorigin, "$myhostname",
        "the domain that mail from local programs seems to come from"),
    PARAM_TEXT(mapd_conf, mydestination, "",
        "domains whose users alias_maps and the accounts of that domain "
        "are: names and tables; the domains of \"postern domain\" need not "
        "stand here"),
    PARAM_TEXT(mapd_conf, recipient_delimiter, "",
        "the characters that part an account's name from an extension: with "
        "+, user+ext@domain is delivered to user@domain"),
    PARAM_TEXT(mapd_conf, propagate_unmatched_extensions,
        "canonical, virtual",
        "which tables (virtual, alias) pass an extension on that they do not "
        "have"),
    PARAM_TEXT(mapd_conf, virtual_alias_maps, "",
        "tables that replace a recipient address of any domain by others; "
        "keys user@domain, user, @domain"),
    PARAM_TEXT(mapd_conf, virtual_alias_domains, "$virtual_alias_maps",
        "domains, or tables of them, whose addresses all are in "
        "virtual_alias_maps"),
    PARAM_TEXT(mapd_conf, virtual_mailbox_domains, "directory:",
        "domains, or tables of them, whose users have mailboxes; directory: "
        "has those of \"postern domain\""),
    PARAM_TEXT(mapd_conf, virtual_mailbox_maps, "directory:",
        "tables of the addresses that have mailboxes; directory: has those "
        "of \"postern user\", another table's value may name the account"),
    PARAM_TEXT(mapd_conf, alias_maps, "",
        "tables, made by postalias, of the aliases in mydestination; they "
        "name addresses, commands and files are refused"),
    PARAM_TEXT(mapd_conf, alias_database, "$alias_maps",
        "the tables that newaliases makes anew from their sources"),
    PARAM_TEXT(mapd_conf, local_recipient_maps, "$alias_maps",
        "tables of the users of mydestination that local_transport knows, "
        "beside aliases and accounts"),
    PARAM_TEXT(mapd_conf, relay_domains, "",
        "domains, or tables of them, that mail is relayed to, for any "
        "sender; subdomains included"),
    PARAM_TEXT(mapd_conf, relay_recipient_maps, "",
        "tables of the addresses in relay_domains; empty: all are taken"),
    PARAM_TEXT(mapd_conf, transport_maps, "",
        "tables that say transport:nexthop for an address or domain, over "
        "what follows from its class; error:5.1.2 text bounces"),
    PARAM_TEXT(mapd_conf, relayhost, "",
        "send all mail for other sites to this host: a name, [name] without "
        "an MX lookup, or name:port; empty: use MX records"),
    PARAM_TEXT(mapd_conf, local_transport, "local",
        "the service, or service:nexthop, that delivers to mydestination"),
    PARAM_TEXT(mapd_conf, virtual_transport, "local",
        "the service that delivers to our accounts' mailboxes"),
    PARAM_TEXT(mapd_conf, relay_transport, "smtp",
        "the service that delivers to relay_domains"),
    PARAM_TEXT(mapd_conf, default_transport, "smtp",
        "the service that delivers to other sites"),
    PARAM_TEXT(mapd_conf, smtp_tls_policy_maps, "",
        "tables of the TLS security levels of other sites, which smtp may "
        "ask for"),
    PARAM_TEXT(mapd_conf, smtp_sasl_password_maps, "",
        "tables of user:password for other servers, which smtp alone may "
        "ask for"),
    PARAM_TEXT(mapd_conf, smtpd_sender_login_maps, "",
        "tables of who may send as an address, which smtpd may ask for"),
    PARAM_UINT(mapd_conf, virtual_alias_recursion_limit, "10", "1", "1000",
        "how many aliases may stand behind one another"),
    PARAM_UINT(mapd_conf, virtual_alias_expansion_limit, "1000", "1",
        "50000",
        "the most recipients that one recipient may stand for"),
    PARAM_TIME(mapd_conf, directory_timeout, "10s", "1s", "1h",
        "how long a question about an account waits for authd; then, and at "
        "once until authd answers again, who asks is told to try later"),
    PARAM_TIME(mapd_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
