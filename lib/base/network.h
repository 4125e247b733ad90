/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network.h - IP addresses and the networks they are in.
 *
 * Written as Postfix's cidr: tables and mynetworks have them: "192.0.2.0/24",
 * "2001:db8::/32", "[2001:db8::]/32", or an address alone, which is a network
 * of one. Leading zeros and host bits behind the mask are errors (RFC 4632
 * §3.1). IPv4 and IPv6 are kept apart: "::ffff:192.0.2.1" is in no IPv4
 * network.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/error.h"
#include "base/view.h"

struct network_address {
    int family; /* AF_INET or AF_INET6 */
    unsigned char bytes[16];
};

struct network {
    struct network_address base;
    unsigned bits;
};

/* Read an address as inet_pton(3) takes it; false when it is none. */
bool network_address_parse(struct view text, struct network_address *a);

/* Read a network. */
int network_parse(struct view text, struct network *n, struct error *err);

/* Is `a` in `n`? Not when the families differ. */
bool network_has(const struct network *n, const struct network_address *a);

enum network_protocol { NETWORK_IPV4 = 1, NETWORK_IPV6 = 2 };

/* The set that inet_protocols names: "all", "ipv4", "ipv6", or both with a
 * comma between them; 0 when it names none of these. */
unsigned network_protocols(const char *words);

#endif
