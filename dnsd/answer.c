/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies into records. c-ares parses the packet; what it gives is checked
 * again here, since names from the network end up in log lines, commands and
 * headers: letters, digits, hyphen, underscore and dot, nothing else.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ares.h>

#include "base/ascii.h"
#include "dnsd/dnsd.h"

#define RECORDS_MAX 100 /* addresses or preferences of one answer */
#define ANSWER_MAX (DNS_RECORDS_MAX - DNS_NAME_MAX - 10) /* then one more */

static bool is_host_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(name[i]) && strchr("-_.", name[i]) == NULL)
            return false;
    return len > 0 && len <= DNS_NAME_MAX;
}

static enum dns_result from_status(int status)
{
    if (status == ARES_SUCCESS)
        return DNS_OK;
    return status == ARES_ENODATA || status == ARES_ENOTFOUND ? DNS_NONE
                                                              : DNS_LATER;
}

/* By preference, the best of those for which there is room; a "." (null MX,
 * RFC 7505) stays what it is. */
static enum dns_result mx_records(const unsigned char *reply, int len,
                                  struct buf *out)
{
    struct ares_mx_reply *list = NULL;
    enum dns_result r = from_status(ares_parse_mx_reply(reply, len, &list));
    unsigned done = 0;

    for (unsigned n = 0;
         r == DNS_OK && n < RECORDS_MAX && out->len < ANSWER_MAX; n++) {
        const struct ares_mx_reply *best;
        unsigned low = 0x10000;

        /* Selection by preference: few records, no need for more. */
        for (struct ares_mx_reply *m = list; m != NULL; m = m->next)
            if (m->priority >= done && m->priority < low)
                low = m->priority;
        if (low == 0x10000)
            break;
        for (best = list; best != NULL && out->len < ANSWER_MAX;
             best = best->next) {
            if (best->priority != low)
                continue;
            if (best->host[0] == '\0')
                buf_addf(out, "%u .\n", low);
            else if (is_host_name(best->host))
                buf_addf(out, "%u %s\n", low, best->host);
        }
        done = low + 1;
    }
    if (list != NULL)
        ares_free_data(list);
    return r;
}

static enum dns_result a_records(const unsigned char *reply, int len,
                                 struct buf *out)
{
    struct ares_addrttl list[RECORDS_MAX];
    int n = RECORDS_MAX;
    enum dns_result r = from_status(
        ares_parse_a_reply(reply, len, NULL, list, &n));

    for (int i = 0; r == DNS_OK && i < n; i++) {
        char text[INET_ADDRSTRLEN];

        inet_ntop(AF_INET, &list[i].ipaddr, text, sizeof text);
        buf_addf(out, "%s\n", text);
    }
    return r;
}

static enum dns_result aaaa_records(const unsigned char *reply, int len,
                                    struct buf *out)
{
    struct ares_addr6ttl list[RECORDS_MAX];
    int n = RECORDS_MAX;
    enum dns_result r = from_status(
        ares_parse_aaaa_reply(reply, len, NULL, list, &n));

    for (int i = 0; r == DNS_OK && i < n; i++) {
        char text[INET6_ADDRSTRLEN];

        inet_ntop(AF_INET6, &list[i].ip6addr, text, sizeof text);
        buf_addf(out, "%s\n", text);
    }
    return r;
}

static enum dns_result ptr_records(const unsigned char *reply, int len,
                                   struct buf *out)
{
    struct hostent *h = NULL;
    enum dns_result r = from_status(
        ares_parse_ptr_reply(reply, len, NULL, 0, AF_INET, &h));

    for (char **name = h ? h->h_aliases : NULL;
         r == DNS_OK && name != NULL && *name != NULL &&
         out->len < ANSWER_MAX; name++)
        if (is_host_name(*name))
            buf_addf(out, "%s\n", *name);
    if (h != NULL)
        ares_free_hostent(h);
    return r;
}

static enum dns_result txt_records(const unsigned char *reply, int len,
                                   struct buf *out)
{
    struct ares_txt_ext *list = NULL;
    enum dns_result r = from_status(
        ares_parse_txt_reply_ext(reply, len, &list));
    bool first = true;

    for (struct ares_txt_ext *t = list; t != NULL && out->len < ANSWER_MAX;
         t = t->next) {
        if (t->record_start && !first)
            buf_add_char(out, '\n');
        first = false;
        for (size_t i = 0; i < t->length && out->len < ANSWER_MAX; i++)
            buf_add_char(out, ascii_is_control((char)t->txt[i])
                                  ? ' ' : (char)t->txt[i]);
    }
    if (!first)
        buf_add_char(out, '\n');
    if (list != NULL)
        ares_free_data(list);
    return r;
}

static enum dns_result read_records(int type, const unsigned char *reply,
                                    int len, struct buf *out)
{
    switch (type) {
    case ns_t_mx:
        return mx_records(reply, len, out);
    case ns_t_a:
        return a_records(reply, len, out);
    case ns_t_aaaa:
        return aaaa_records(reply, len, out);
    case ns_t_ptr:
        return ptr_records(reply, len, out);
    case ns_t_txt:
        return txt_records(reply, len, out);
    }
    return DNS_LATER;
}

enum dns_result answer_records(int type, const unsigned char *reply, int len,
                               struct buf *out)
{
    enum dns_result r = read_records(type, reply, len, out);

    return r == DNS_OK && out->len == 0 ? DNS_NONE : r;
}
