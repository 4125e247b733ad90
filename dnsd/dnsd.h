/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsd.h - questions to c-ares, answers as text that others can trust.
 *
 *     dnsd.c     life, c-ares in our loop
 *     answer.c   what came from the network, made into records
 */
#ifndef DNSD_DNSD_H
#define DNSD_DNSD_H

#include "proto/dns.h"
#include "service/service.h"

struct dnsd_conf {
    char *dns_servers;
    unsigned dns_timeout; /* seconds */
    unsigned dns_tries;
};

extern struct dnsd_conf dnsd_conf;
extern const struct param dnsd_params[];
extern const struct ipc_rule dnsd_rules[];

/* A client and its questions that are not answered yet. */
struct dns_peer {
    struct peer peer;
    struct list questions;
};

void dnsd_prepare(struct daemon *d);
void dnsd_start(struct daemon *d);
void dnsd_joined(struct daemon *d, struct peer *p, const struct stamp *s);
void dnsd_parted(struct daemon *d, struct peer *p);

/* Append the records of a reply of this kind; DNS_NONE when it holds none,
 * DNS_LATER when it makes no sense. */
enum dns_result answer_records(enum dns_kind kind, const unsigned char *reply,
                               int len, struct buf *out);

#endif
