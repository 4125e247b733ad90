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
    char *dns_servers, *inet_protocols;
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

/* What main.c names: service.h says when each is called. */
void dnsd_prepare(struct daemon *d);
void dnsd_start(struct daemon *d);
void dnsd_joined(struct daemon *d, struct peer *p, const struct stamp *s);
void dnsd_parted(struct daemon *d, struct peer *p);

/* Append the records of a reply to a question of this type (ns_t_a, ns_t_aaaa,
 * ns_t_mx, ns_t_ptr, ns_t_txt); DNS_NONE when it holds none, DNS_LATER when it
 * makes no sense. */
enum dns_result answer_records(int type, const unsigned char *reply, int len,
                               struct buf *out);

#endif
