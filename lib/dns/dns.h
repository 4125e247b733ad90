/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h - asking dnsd, for straight-line programs.
 *
 * Errors:   "no such name" is an answer (DNS_NONE); -1 means that dnsd could
 *           not be asked, or did not answer in time.
 * Blocking: until dnsd is joined and answers, each at most the given time.
 */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "proto/dns.h"
#include "service/service.h"

struct dns {
    struct daemon *daemon;
    struct ipc channel;  /* joined when first needed */
    unsigned timeout_ms;
    uint32_t ticket;
};

/* Nothing is asked yet. */
void dns_init(struct dns *d, struct daemon *daemon, unsigned timeout_ms);
void dns_release(struct dns *d);

/* Ask one question. The answer's texts live until the next. */
int dns_ask(struct dns *d, enum dns_kind kind, struct view name,
            struct dns_answer *answer, struct error *err);

#endif
