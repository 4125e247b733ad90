/* SPDX-License-Identifier: BSD-2-Clause */
/* Where to: the MX records of a domain, or its address (RFC 5321 §5.1). */
#include <arpa/inet.h>
#include <stdarg.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "smtp/smtp.h"

void trouble_set(struct trouble *t, bool is_permanent, const char *dsn,
                 const char *fmt, ...)
{
    char text[1000];
    va_list ap;

    if (is_permanent && !t->is_permanent && t->text.len > 0)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    t->is_permanent = is_permanent;
    snprintf(t->dsn, sizeof t->dsn, "%s", dsn);
    buf_reset(&t->text);
    buf_add_text(&t->text, text);
}

void hosts_release(struct hosts *h)
{
    free(h->list);
    *h = (struct hosts){ .n = 0 };
}

static void add(struct hosts *h, const char *name, const char *address,
                unsigned port)
{
    struct host *new;

    if (h->n >= smtp_conf.smtp_mx_address_limit)
        return;
    h->list = alloc_resize(h->list, h->n + 1, sizeof *h->list);
    new = &h->list[h->n++];
    *new = (struct host){ .port = port };
    snprintf(new->name, sizeof new->name, "%s", name);
    snprintf(new->address, sizeof new->address, "%s", address);
}

/* The answer to a question, or why there is none: a name that is not there
 * stays so, everything else may change. */
static int ask(struct dns *dns, enum dns_kind kind, const char *name,
               struct dns_answer *a, struct trouble *t)
{
    struct error err;

    if (dns_ask(dns, kind, view_of(name), a, &err) < 0) {
        trouble_set(t, false, "4.4.3", "%s", err.text);
        return -1;
    }
    if (a->result == DNS_LATER) {
        trouble_set(t, false, "4.4.3", "Host or domain name not found. Name "
                    "service error for name=%s type=%s: %.*s", name,
                    kind == DNS_MX ? "MX" : "A", VIEW_ARG(a->text));
        return -1;
    }
    return 0;
}

static uint32_t random_number(void)
{
    uint32_t r = 0;
    ssize_t ignored = getrandom(&r, sizeof r, 0);

    (void)ignored;
    return r;
}

/* The next address of the family; false when there is none left. */
static bool next_address(struct view *records, bool is_ipv6, char *out,
                         size_t size)
{
    struct view line;

    while (view_cut(records, '\n', &line))
        if (line.len > 0 && (view_index(line, ':') < line.len) == is_ipv6 &&
            view_copy(line, out, size))
            return true;
    return false;
}

/* The protocols take turns, so that a host that cannot be reached by one is
 * soon tried by the other (RFC 5321 section 5.2). */
static void add_by_turns(struct hosts *h, const char *name, unsigned port,
                         struct view records)
{
    struct view rest[2] = { records, records }; /* for IPv4, for IPv6 */
    bool turn = smtp_conf.smtp_address_preference == PREFER_ANY
                    ? random_number() & 1
                    : smtp_conf.smtp_address_preference == PREFER_IPV6;
    char address[46];

    for (unsigned missed = 0; missed < 2; turn = !turn) {
        if (!next_address(&rest[turn], turn, address, sizeof address)) {
            missed++;
            continue;
        }
        missed = 0;
        add(h, name, address, port);
    }
}

static int add_addresses(struct dns *dns, const char *name, unsigned port,
                         struct hosts *h, struct trouble *t)
{
    struct dns_answer a;
    struct in6_addr any;

    if (inet_pton(AF_INET, name, &any) == 1 ||
        inet_pton(AF_INET6, name, &any) == 1) {
        add(h, name, name, port);
        return 0;
    }
    if (ask(dns, DNS_ADDRESS, name, &a, t) < 0)
        return -1;
    if (a.result == DNS_NONE) {
        trouble_set(t, true, "5.4.4", "Host or domain name not found. Name "
                    "service error for name=%s type=A: Host not found", name);
        return -1;
    }
    add_by_turns(h, name, port, a.records);
    return 0;
}

/* Servers of one preference share the load: any may be first. */
static void shuffle(char (*names)[DNS_NAME_MAX + 1], size_t n)
{
    for (size_t i = n; i > 1; i--) {
        char swap[DNS_NAME_MAX + 1];
        size_t j = random_number() % i;

        memcpy(swap, names[i - 1], sizeof swap);
        memcpy(names[i - 1], names[j], sizeof swap);
        memcpy(names[j], swap, sizeof swap);
    }
}

/* No name, though it looks like one: an exchanger has a name (RFC 5321
 * section 5.1), and who writes 127.0.0.1 there means our own. */
static bool is_address(struct view v)
{
    char text[DNS_NAME_MAX + 1];
    struct in6_addr any;

    return view_copy(v, text, sizeof text) &&
           (inet_pton(AF_INET, text, &any) == 1 ||
            inet_pton(AF_INET6, text, &any) == 1);
}

#define MX_MAX 20 /* of one domain; the best ones */

/* Parse "preference host" lines into names, those of one preference in random
 * order; -1 for a null MX (RFC 7505). */
static int parse_mx(struct view records, char (*names)[DNS_NAME_MAX + 1],
                    size_t *n)
{
    struct view line, word;
    uint64_t before = 0, preference = 0;
    size_t start = 0;

    *n = 0;
    while (view_cut(&records, '\n', &line) && *n < MX_MAX) {
        if (!view_word(&line, " ", &word) ||
            !view_number(word, 65535, &preference) ||
            !view_word(&line, " ", &word))
            continue;
        if (view_is(word, "."))
            return -1;
        if (is_address(word))
            continue;
        if (preference != before) {
            shuffle(names + start, *n - start);
            start = *n;
            before = preference;
        }
        if (view_copy(word, names[*n], sizeof names[*n]))
            ++*n;
    }
    shuffle(names + start, *n - start);
    return 0;
}

/* We are in the list: mail for the domain ends here or at better servers;
 * ours and worse ones are no way forward. */
static size_t cut_at_ourselves(char (*names)[DNS_NAME_MAX + 1], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (view_is_nocase(view_of(names[i]), smtp_conf.myhostname))
            return i;
    return n;
}

static int add_mx(struct dns *dns, const char *domain, unsigned port,
                  struct hosts *h, struct trouble *t)
{
    char names[MX_MAX][DNS_NAME_MAX + 1];
    struct dns_answer a;
    size_t n, usable;

    if (ask(dns, DNS_MX, domain, &a, t) < 0)
        return -1;
    if (a.result == DNS_NONE)
        return add_addresses(dns, domain, port, h, t);
    if (parse_mx(a.records, names, &n) < 0) {
        trouble_set(t, true, "5.1.10", "Domain %s does not accept mail "
                    "(nullMX)", domain);
        return -1;
    }
    usable = cut_at_ourselves(names, n);
    if (usable == 0 && n > 0) {
        trouble_set(t, true, "5.4.6", "mail for %s loops back to myself",
                    domain);
        return -1;
    }
    for (size_t i = 0; i < usable; i++)
        add_addresses(dns, names[i], port, h, t);
    if (h->n == 0 && t->text.len > 0) {
        t->is_permanent = false; /* the domain is there; its servers may be */
        t->dsn[0] = '4';
        return -1;
    }
    return 0;
}

/* There was an answer, but maybe nothing in it that we could use. */
static int conclude(const struct hosts *h, const char *name,
                    struct trouble *t)
{
    if (h->n > 0)
        return 0;
    trouble_set(t, false, "4.4.3", "Host or domain name not found. Name "
                "service error for name=%s: no usable record", name);
    return -1;
}

int hosts_find(struct dns *dns, const char *nexthop, struct hosts *h,
               struct trouble *t)
{
    struct view v = view_of(nexthop);
    bool literal = view_starts(v, "[");
    size_t end = literal ? view_index(v, ']') : view_index(v, ':');
    struct view port_text = view_sub(v, literal ? end + 1 : end, v.len);
    char name[DNS_NAME_MAX + 1];
    uint64_t port = smtp_conf.smtp_tcp_port;

    *h = (struct hosts){ .n = 0 };
    if (view_starts(port_text, ":") &&
        !view_number(view_sub(port_text, 1, port_text.len), 65535, &port))
        port = 0;
    if (port == 0 ||
        !view_copy(view_sub(v, literal ? 1 : 0, end), name, sizeof name) ||
        name[0] == '\0') {
        trouble_set(t, true, "5.4.4", "\"%s\" is no next hop", nexthop);
        return -1;
    }
    if (strncasecmp(name, "IPv6:", 5) == 0)
        memmove(name, name + 5, strlen(name + 5) + 1);
    if ((literal ? add_addresses(dns, name, (unsigned)port, h, t)
                 : add_mx(dns, name, (unsigned)port, h, t)) < 0)
        return -1;
    return conclude(h, name, t);
}
