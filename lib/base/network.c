/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/network.h"

#include <arpa/inet.h>

bool network_address_parse(struct view text, struct network_address *a)
{
    char copy[INET6_ADDRSTRLEN + 1];

    *a = (struct network_address){ .family = AF_INET };
    if (!view_copy(text, copy, sizeof copy))
        return false;
    if (view_index(text, ':') < text.len)
        a->family = AF_INET6;
    return inet_pton(a->family, copy, a->bytes) == 1;
}

static unsigned width(int family)
{
    return family == AF_INET ? 32 : 128;
}

/* Clear every bit behind the mask; true when one was set. */
static bool cut_host_bits(struct network *n)
{
    bool any = false;

    for (unsigned i = 0; i < width(n->base.family) / 8; i++) {
        unsigned kept = n->bits > i * 8 ? n->bits - i * 8 : 0;
        unsigned char mask = kept >= 8 ? 0xff : (unsigned char)(0xff00 >> kept);

        any |= n->base.bytes[i] & (unsigned char)~mask;
        n->base.bytes[i] &= mask;
    }
    return any;
}

static int refuse_host_bits(struct view text, const struct network *n,
                            struct error *err)
{
    char should[INET6_ADDRSTRLEN];

    inet_ntop(n->base.family, n->base.bytes, should, sizeof should);
    return error_set(err, FAIL_PERM,
                     "non-null host address bits in \"%.*s\", perhaps you "
                     "should use \"%s/%u\" instead", VIEW_ARG(text), should,
                     n->bits);
}

int network_parse(struct view text, struct network *n, struct error *err)
{
    size_t slash = view_rindex(text, '/');
    struct view host = view_sub(text, 0, slash);
    uint64_t bits;

    if (host.len >= 2 && host.data[0] == '[' &&
        host.data[host.len - 1] == ']')
        host = view_sub(host, 1, host.len - 1);
    if (!network_address_parse(host, &n->base))
        return error_set(err, FAIL_PERM, "bad address pattern: \"%.*s\"",
                         VIEW_ARG(text));
    n->bits = width(n->base.family);
    if (slash == text.len)
        return 0;
    if (!view_number(view_sub(text, slash + 1, text.len), n->bits, &bits))
        return error_set(err, FAIL_PERM, "bad mask length in \"%.*s\"",
                         VIEW_ARG(text));
    n->bits = (unsigned)bits;
    if (cut_host_bits(n))
        return refuse_host_bits(text, n, err);
    return 0;
}

bool network_has(const struct network *n, const struct network_address *a)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (n->base.family != a->family ||
        memcmp(n->base.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((n->base.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

unsigned network_protocols(const char *words)
{
    struct view rest = view_of(words), word;
    unsigned set = 0;

    while (view_word(&rest, ", \t", &word)) {
        if (view_is(word, "all"))
            set |= NETWORK_IPV4 | NETWORK_IPV6;
        else if (view_is(word, "ipv4"))
            set |= NETWORK_IPV4;
        else if (view_is(word, "ipv6"))
            set |= NETWORK_IPV6;
        else
            return 0;
    }
    return set;
}
