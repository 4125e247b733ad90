/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/dns.h"

void dns_init(struct dns *d, struct daemon *daemon, unsigned timeout_ms)
{
    *d = (struct dns){ .daemon = daemon, .channel = { .fd = -1 },
                       .timeout_ms = timeout_ms };
}

void dns_release(struct dns *d)
{
    ipc_release(&d->channel);
}

int dns_ask(struct dns *d, enum dns_kind kind, struct view name,
            struct dns_answer *answer, struct error *err)
{
    struct dns_ask q = { ++d->ticket, kind, name };

    if (d->channel.fd < 0 &&
        service_connect(d->daemon, "dnsd", "", d->timeout_ms, &d->channel,
                        err) < 0)
        return -1;
    if (ipc_call(&d->channel, &dns_ask_type, &q, &dns_answer_type, answer,
                 err) < 0) {
        ipc_release(&d->channel);
        return -1;
    }
    return 0;
}
