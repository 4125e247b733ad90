/* SPDX-License-Identifier: BSD-2-Clause */
#include "dnsd/dnsd.h"

const struct param dnsd_params[] = {
    PARAM_TEXT_RESTART(dnsd_conf, dns_servers, "",
        "the resolvers to ask, each an address or address:port; empty: those "
        "of /etc/resolv.conf"),
    PARAM_TEXT_RESTART(dnsd_conf, inet_protocols, "all",
        "which protocols to use: all, ipv4, ipv6"),
    PARAM_TIME(dnsd_conf, dns_timeout, "5s", "1s", "60s",
        "how long to wait for a resolver before the next is asked"),
    PARAM_UINT(dnsd_conf, dns_tries, "2", "1", "10",
        "how often each resolver is asked"),
    PARAM_END
};
