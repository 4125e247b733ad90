/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtp.h - one delivery to another site (RFC 5321), and its pieces.
 *
 *     deliver.c   a delivery: hosts in order, recipients until each has a fate
 *     hosts.c     where to: MX, addresses (RFC 5321 §5.1)
 *     dialogue.c  one connection
 *     content.c   the message itself
 *
 * A recipient's fate is decided by a server's answer (2xx delivered, 4xx
 * deferred, 5xx bounced) or, when no server could be reached, by why not.
 */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include "dns/dns.h"
#include "net/stream.h"
#include "queue/agent.h"

enum preference { PREFER_ANY, PREFER_IPV4, PREFER_IPV6 };
enum tls_level { TLS_NONE, TLS_MAY, TLS_ENCRYPT, TLS_VERIFY };

struct smtp_conf {
    char *myhostname, *smtp_helo_name, *smtp_tls_CAfile;
    unsigned smtp_tls_security_level; /* enum tls_level */
    unsigned smtp_starttls_timeout;   /* seconds */
    unsigned smtp_mx_address_limit, smtp_tcp_port;
    unsigned smtp_address_preference; /* enum preference */
    unsigned smtp_connect_timeout, smtp_helo_timeout; /* seconds */
    unsigned smtp_mail_timeout, smtp_data_xfer_timeout;
    unsigned smtp_data_done_timeout, ipc_timeout;
    unsigned smtp_line_length_limit; /* bytes, without CR LF */
};

extern struct smtp_conf smtp_conf;
extern const struct param smtp_params[];

/* A server to try. */
struct host {
    char name[DNS_NAME_MAX + 1];
    char address[46]; /* numeric */
    unsigned port;
};

struct hosts {
    struct host *list; /* owned */
    size_t n;
};

/* Why a host, or a destination, could not be used. */
struct trouble {
    bool is_permanent;
    char dsn[17];
    struct buf text;
};

/* Say why. The last trouble counts, but none for good in place of one that may
 * pass: while one server is away, another's refusal of us decides nothing. */
void trouble_set(struct trouble *t, bool is_permanent, const char *dsn,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The servers of a next hop ("domain", "[host]", with ":port"), in the order
 * to try; -1 with *t when there are none. */
int hosts_find(struct dns *dns, const char *nexthop, struct hosts *h,
               struct trouble *t);
void hosts_release(struct hosts *h);

/* The recipients of a delivery that have no fate yet. */
struct work {
    struct delivery *d;
    bool *done; /* one a recipient */
    size_t left;
};

/* Try one host. Every recipient that its server decided about gets its
 * result; those left are for the next host, and *t says why. */
void dialogue_run(struct work *w, const struct host *h, struct trouble *t);

/* Give a recipient its result. */
void work_result(struct work *w, size_t i, const struct agent_status *s);

/* What main.c names: service.h says when each is called. */
void smtp_prepare(struct daemon *d);
void smtp_serve(struct daemon *d, struct client *c);

/* Send the message and the dot that ends it; -1 when the connection broke, or
 * when the message cannot be read. */
int content_send(struct stream *s, const struct delivery_begin *b,
                 struct error *err);

#endif
