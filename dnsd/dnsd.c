/* SPDX-License-Identifier: BSD-2-Clause */
#include "dnsd/dnsd.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/network.h"

#define SOCKETS_MAX   256
#define QUESTIONS_MAX 5000

struct dnsd_conf dnsd_conf;

/* A question; `owner` is NULL once nobody waits for it. One for addresses is
 * two at c-ares. */
struct question {
    struct list link;
    struct dns_peer *owner;
    uint32_t ticket;
    enum dns_kind kind;
    char name[DNS_NAME_MAX + 1];
    struct lookup {
        struct question *q;
        int type; /* ns_t_... */
        enum dns_result result;
        struct buf records;
    } lookups[2];
    unsigned n_lookups, n_open;
    char why[200]; /* of the last that failed */
};

/* The daemon's one context. */
static struct {
    struct daemon *daemon;
    ares_channel channel;
    struct watch sockets[SOCKETS_MAX]; /* fd -1: free */
    struct timer timer;
    unsigned n_questions;
    unsigned protocols; /* of enum network_protocol */
} dns;

/* --- c-ares in our loop ------------------------------------------------ */

static void set_timer(void)
{
    struct timeval tv, *next = ares_timeout(dns.channel, NULL, &tv);

    if (next == NULL)
        timer_cancel(&dns.daemon->loop, &dns.timer);
    else
        timer_set(&dns.daemon->loop, &dns.timer,
                  (uint64_t)next->tv_sec * 1000 +
                      (uint64_t)next->tv_usec / 1000 + 1);
}

static void on_socket(struct watch *w, uint32_t events)
{
    int fd = w->fd;

    ares_process_fd(dns.channel,
                    events & (EPOLLIN | EPOLLHUP | EPOLLERR)
                        ? fd : ARES_SOCKET_BAD,
                    events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
    set_timer();
}

static void on_timer(struct timer *t)
{
    (void)t;
    ares_process_fd(dns.channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer();
}

static struct watch *find_socket(int fd)
{
    for (int i = 0; i < SOCKETS_MAX; i++)
        if (dns.sockets[i].fd == fd)
            return &dns.sockets[i];
    return NULL;
}

/* c-ares opened, closed, or wants other events of a socket. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct watch *w = find_socket(fd);
    uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);

    (void)arg;
    if (events == 0 && w != NULL) {
        loop_unwatch(&dns.daemon->loop, w);
        w->fd = -1;
    } else if (events != 0) {
        if (w == NULL)
            w = find_socket(-1);
        if (w == NULL)
            return; /* the question will time out */
        w->fd = fd;
        w->ready = on_socket;
        loop_watch(&dns.daemon->loop, w, events);
    }
}

void dnsd_prepare(struct daemon *d)
{
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = (int)dnsd_conf.dns_timeout * 1000,
        .tries = (int)dnsd_conf.dns_tries,
        .lookups = (char *)(uintptr_t)"b",
        .sock_state_cb = on_state,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
               ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    int rc;

    dns.daemon = d;
    dns.protocols = network_protocols(dnsd_conf.inet_protocols);
    for (int i = 0; i < SOCKETS_MAX; i++)
        dns.sockets[i].fd = -1;
    dns.timer.fire = on_timer;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
        ares_init_options(&dns.channel, &o, mask) != ARES_SUCCESS)
        log_fatal("cannot prepare the resolver");
    if (dnsd_conf.dns_servers[0] == '\0')
        return;
    rc = ares_set_servers_ports_csv(dns.channel, dnsd_conf.dns_servers);
    if (rc != ARES_SUCCESS)
        log_fatal("main.cf: dns_servers = %s: %s", dnsd_conf.dns_servers,
                  ares_strerror(rc));
}

void dnsd_start(struct daemon *d)
{
    (void)d;
}

/* --- questions --------------------------------------------------------- */

static void reply(struct question *q, enum dns_result result,
                  struct view records, const char *why)
{
    struct dns_answer a = { q->ticket, result, records, view_of(why) };

    if (q->owner != NULL)
        peer_send(&q->owner->peer, &dns_answer_type, &a);
}

static void question_free(struct question *q)
{
    for (unsigned i = 0; i < q->n_lookups; i++)
        buf_release(&q->lookups[i].records);
    list_remove(&q->link);
    free(q);
    dns.n_questions--;
}

/* Any records are an answer. Without any, "none" is one only if all lookups
 * say so. */
static void conclude(struct question *q)
{
    struct buf all = BUF_INIT;
    enum dns_result r = DNS_NONE;

    for (unsigned i = 0; i < q->n_lookups; i++) {
        const struct lookup *l = &q->lookups[i];

        if (l->result == DNS_LATER)
            r = DNS_LATER;
        if (all.len + l->records.len <= DNS_RECORDS_MAX)
            buf_add_view(&all, buf_view(&l->records));
    }
    if (all.len > 0)
        r = DNS_OK;
    reply(q, r, buf_view(&all), r == DNS_OK ? ""
                              : r == DNS_NONE ? "Host or domain name not found"
                                              : q->why);
    buf_release(&all);
}

static void on_reply(void *arg, int status, int timeouts,
                     unsigned char *abuf, int alen)
{
    struct lookup *l = arg;
    struct question *q = l->q;

    (void)timeouts;
    l->result = DNS_LATER;
    if (status == ARES_SUCCESS)
        l->result = answer_records(l->type, abuf, alen, &l->records);
    else if (status == ARES_ENODATA || status == ARES_ENOTFOUND)
        l->result = DNS_NONE;
    if (l->result == DNS_LATER)
        snprintf(q->why, sizeof q->why, "name service error: %s",
                 status == ARES_SUCCESS ? "the answer makes no sense"
                                        : ares_strerror(status));
    if (--q->n_open > 0)
        return;
    conclude(q);
    question_free(q);
}

/* "192.0.2.1" as "1.2.0.192.in-addr.arpa", and likewise for IPv6. */
static bool reverse_name(const char *address, char *out, size_t size)
{
    unsigned char ip[16];
    size_t n = 0;

    if (inet_pton(AF_INET, address, ip) == 1) {
        snprintf(out, size, "%u.%u.%u.%u.in-addr.arpa", ip[3], ip[2], ip[1],
                 ip[0]);
        return true;
    }
    if (inet_pton(AF_INET6, address, ip) != 1)
        return false;
    for (int i = 15; i >= 0; i--)
        n += (size_t)snprintf(out + n, size - n, "%x.%x.", ip[i] & 15,
                              ip[i] >> 4);
    snprintf(out + n, size - n, "ip6.arpa");
    return true;
}

static void add_lookup(struct question *q, int type)
{
    q->lookups[q->n_lookups++] = (struct lookup){ .q = q, .type = type };
}

static void choose_lookups(struct question *q)
{
    static const int types[] = { [DNS_MX] = ns_t_mx, [DNS_PTR] = ns_t_ptr,
                                 [DNS_TXT] = ns_t_txt };

    if (q->kind != DNS_ADDRESS) {
        add_lookup(q, types[q->kind]);
        return;
    }
    if (dns.protocols & NETWORK_IPV6)
        add_lookup(q, ns_t_aaaa);
    if (dns.protocols & NETWORK_IPV4)
        add_lookup(q, ns_t_a);
}

/* Answers may come before ares_query() returns, and the last frees `q`. */
static void ask(struct question *q)
{
    char name[DNS_NAME_MAX + 1];
    unsigned n;

    if (q->kind != DNS_PTR) {
        snprintf(name, sizeof name, "%s", q->name);
    } else if (!reverse_name(q->name, name, sizeof name)) {
        reply(q, DNS_NONE, VIEW(""), "that is no address");
        question_free(q);
        return;
    }
    choose_lookups(q);
    n = q->n_open = q->n_lookups;
    for (unsigned i = 0; i < n; i++)
        ares_query(dns.channel, name, ns_c_in, q->lookups[i].type, on_reply,
                   &q->lookups[i]);
    set_timer();
}

static void on_ask(struct peer *p, const void *msg)
{
    const struct dns_ask *m = msg;
    struct question *q;

    if (m->kind > DNS_TXT || dns.n_questions >= QUESTIONS_MAX) {
        struct dns_answer a = { m->ticket, DNS_LATER, VIEW(""),
                                VIEW("too many questions") };

        peer_send(p, &dns_answer_type, &a);
        return;
    }
    q = alloc_zero(1, sizeof *q);
    q->owner = list_entry(p, struct dns_peer, peer);
    q->ticket = m->ticket;
    q->kind = (enum dns_kind)m->kind;
    view_copy(m->name, q->name, sizeof q->name);
    list_append(&q->owner->questions, &q->link);
    dns.n_questions++;
    ask(q);
}

const struct ipc_rule dnsd_rules[] = {
    { &dns_ask_type, "smtp smtpd", on_ask },
    { NULL, NULL, NULL },
};

void dnsd_joined(struct daemon *d, struct peer *p, const struct stamp *s)
{
    (void)d;
    (void)s;
    list_init(&list_entry(p, struct dns_peer, peer)->questions);
}

/* c-ares still has its questions; their answers go nowhere. */
void dnsd_parted(struct daemon *d, struct peer *p)
{
    (void)d;
    list_each_safe (l, &list_entry(p, struct dns_peer, peer)->questions) {
        list_entry(l, struct question, link)->owner = NULL;
        list_remove(l);
    }
}
