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

static int join(struct dns *d, struct error *err)
{
    if (d->channel.fd >= 0)
        return 0;
    return service_connect_soon(d->daemon, "dnsd", d->timeout_ms, &d->channel,
                                err);
}

int dns_ask(struct dns *d, enum dns_kind kind, struct view name,
            struct dns_answer *answer, struct error *err)
{
    struct dns_ask q = { ++d->ticket, kind, name };

    /* The other end of a line that was kept may have gone meanwhile. */
    if (!ipc_is_open(&d->channel))
        ipc_release(&d->channel);
    if (join(d, err) == 0 &&
        ipc_call(&d->channel, &dns_ask_type, &q, &dns_answer_type, answer,
                 err) == 0)
        return 0;
    ipc_release(&d->channel);
    return -1;
}
