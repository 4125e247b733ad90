/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

const struct param mapd_params[] = {
    PARAM_TEXT(mapd_conf, relay_domains, "",
        "domains that mail is relayed to, for any sender; subdomains "
        "included"),
    PARAM_TEXT(mapd_conf, relayhost, "",
        "send all mail for other sites to this host: a name, [name] without "
        "an MX lookup, or name:port; empty: use MX records"),
    PARAM_TEXT(mapd_conf, virtual_transport, "local",
        "the service that delivers to our accounts' mailboxes"),
    PARAM_TEXT(mapd_conf, relay_transport, "smtp",
        "the service that delivers to relay_domains"),
    PARAM_TEXT(mapd_conf, default_transport, "smtp",
        "the service that delivers to other sites"),
    PARAM_UINT(mapd_conf, virtual_alias_recursion_limit, "10", "1", "1000",
        "how many aliases may stand behind one another"),
    PARAM_UINT(mapd_conf, virtual_alias_expansion_limit, "1000", "1",
        "50000",
        "the most recipients that one recipient may stand for"),
    PARAM_TIME(mapd_conf, ipc_timeout, "300s", "1s", "1d",
        "how long one program waits for another one's answer"),
    PARAM_END
};
