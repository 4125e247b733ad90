/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is at the other end: its address from the kernel, its name from DNS. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/network.h"
#include "smtpd/access.h"
#include "smtpd/smtpd.h"

#define NAMES_MAX 5 /* of one address, that are looked up */

/* --- the name ---------------------------------------------------------- */

static bool same_address(struct view text, const char *address)
{
    struct network_address a, b;

    return network_address_parse(text, &a) &&
           network_address_parse(view_of(address), &b) &&
           a.family == b.family && memcmp(a.bytes, b.bytes,
                                          a.family == AF_INET ? 4 : 16) == 0;
}

static bool has_address(struct view records, const char *address)
{
    struct view line;

    while (view_cut(&records, '\n', &line))
        if (same_address(line, address))
            return true;
    return false;
}

/* Whoever has the address writes its name; only who has the name can say that
 * it is theirs. */
static bool confirm(struct smtp_session *s, const char *name)
{
    struct network_address number;
    struct dns_answer a;
    struct error err;

    if (network_address_parse(view_of(name), &number))
        return false;
    if (dns_ask(&smtp_lines.dns, DNS_ADDRESS, view_of(name), &a, &err) == 0 &&
        a.result == DNS_OK && has_address(a.records, s->client_address))
        return true;
    log_warning("hostname %s does not resolve to address %s", name,
                s->client_address);
    return false;
}

static void find_name(struct smtp_session *s)
{
    char names[NAMES_MAX][DNS_NAME_MAX + 1];
    struct dns_answer a;
    struct error err;
    struct view line;
    size_t n = 0;

    if (dns_ask(&smtp_lines.dns, DNS_PTR, view_of(s->client_address), &a,
                &err) < 0 || a.result != DNS_OK)
        return;
    while (n < NAMES_MAX && view_cut(&a.records, '\n', &line))
        if (line.len > 0 && view_copy(line, names[n], sizeof names[n]))
            n++;
    for (size_t i = 0; i < n; i++) {
        if (!confirm(s, names[i]))
            continue;
        view_copy(view_of(names[i]), s->client_name, sizeof s->client_name);
        return;
    }
}

/* --- the address ------------------------------------------------------- */

static void name_internet_client(struct smtp_session *s)
{
    /* RFC 6761 section 6.3: no question to any server. */
    if (strcmp(s->client_address, "127.0.0.1") == 0 ||
        strcmp(s->client_address, "::1") == 0)
        snprintf(s->client_name, sizeof s->client_name, "localhost");
    else if (smtpd_conf.smtpd_peername_lookup)
        find_name(s);
}

static void name_local_client(struct smtp_session *s)
{
    struct ucred who;
    socklen_t len = sizeof who;

    if (getsockopt(s->stream.fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
        return;
    s->is_local = true;
    s->uid = who.uid;
    snprintf(s->client_name, sizeof s->client_name, "localhost");
    snprintf(s->client_address, sizeof s->client_address, "127.0.0.1");
}

void smtp_name_client(struct smtp_session *s)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage space;
    } a = { .space = { .ss_family = AF_UNSPEC } };
    socklen_t len = sizeof a;

    snprintf(s->client_name, sizeof s->client_name, "unknown");
    snprintf(s->client_address, sizeof s->client_address, "unknown");
    if (getpeername(s->stream.fd, &a.sa, &len) < 0)
        return;
    if (a.sa.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a.in.sin_addr, s->client_address,
                  sizeof s->client_address);
        s->client_port = ntohs(a.in.sin_port);
        name_internet_client(s);
    } else if (a.sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a.in6.sin6_addr, s->client_address,
                  sizeof s->client_address);
        s->client_port = ntohs(a.in6.sin6_port);
        name_internet_client(s);
    } else if (a.sa.sa_family == AF_UNIX) {
        name_local_client(s);
    }
    s->in_mynetworks = s->is_local ||
                       access_in_networks(smtpd_conf.mynetworks,
                                          s->client_address);
}
