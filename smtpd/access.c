/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may send where. */
#include <arpa/inet.h>

#include "smtpd/smtpd.h"

/* --- networks ----------------------------------------------------------------------- */

static int parse_ip(struct view v, unsigned char out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (view_starts(v, "[") && view_ends(v, "]"))
        v = view_sub(v, 1, v.len - 1);
    if (!view_copy(v, text, sizeof text))
        return 0;
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* "192.0.2.0/24", "[2001:db8::]/32", or an address alone. */
static bool parse_network(struct view v, unsigned char net[16], int *len,
                          unsigned *bits)
{
    size_t slash = view_rindex(v, '/');
    uint64_t n;

    *len = parse_ip(view_sub(v, 0, slash), net);
    *bits = (unsigned)*len * 8;
    if (*len == 0)
        return false;
    if (slash == v.len)
        return true;
    if (!view_number(view_sub(v, slash + 1, v.len), *bits, &n))
        return false;
    *bits = (unsigned)n;
    return true;
}

static bool same_bits(const unsigned char *a, const unsigned char *b,
                      unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 &&
           (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

bool access_in_networks(const char *networks, const char *address)
{
    struct view words = view_of(networks), w;
    unsigned char ip[16], net[16];
    int len = parse_ip(view_of(address), ip), net_len;
    unsigned bits;

    while (len > 0 && view_word(&words, ", \t", &w)) {
        bool no = view_starts(w, "!");

        if (no)
            w = view_sub(w, 1, w.len);
        if (parse_network(w, net, &net_len, &bits) && net_len == len &&
            same_bits(ip, net, bits))
            return !no;
    }
    return false;
}

/* --- restrictions ----------------------------------------------------------------------*/

enum fits { NO, YES };

/* A restriction: does it fit, and what does it decide then? */
struct restriction {
    const char *name;
    enum fits (*fits)(const struct smtp_session *s, enum resolve_class class);
    enum verdict verdict;
    bool for_client; /* makes sense without a recipient */
};

static enum fits always(const struct smtp_session *s, enum resolve_class class)
{
    (void)s;
    (void)class;
    return YES;
}

static enum fits in_networks(const struct smtp_session *s,
                             enum resolve_class class)
{
    (void)class;
    return s->in_mynetworks ? YES : NO;
}

static enum fits authenticated(const struct smtp_session *s,
                               enum resolve_class class)
{
    (void)class;
    return s->account[0] != '\0' ? YES : NO;
}

static enum fits elsewhere(const struct smtp_session *s,
                           enum resolve_class class)
{
    (void)s;
    return class == CLASS_DEFAULT ? YES : NO;
}

static const struct restriction restrictions[] = {
    { "permit", always, PERMIT, true },
    { "reject", always, REJECT, true },
    { "permit_mynetworks", in_networks, PERMIT, true },
    { "permit_sasl_authenticated", authenticated, PERMIT, true },
    { "reject_unauth_destination", elsewhere, REJECT, false },
    { "defer_unauth_destination", elsewhere, DEFER, false },
    { NULL, NULL, PERMIT, false },
};

static const struct restriction *find(struct view name)
{
    for (const struct restriction *r = restrictions; r->name != NULL; r++)
        if (view_is(name, r->name))
            return r;
    return NULL;
}

/* The first word that fits decides; `otherwise` when none does. */
static enum verdict decide(const char *words, const struct smtp_session *s,
                           enum resolve_class class, enum verdict otherwise)
{
    struct view rest = view_of(words), w;

    while (view_word(&rest, ", \t", &w)) {
        const struct restriction *r = find(w);

        if (r != NULL && r->fits(s, class) == YES)
            return r->verdict;
    }
    return otherwise;
}

enum verdict access_client(const struct smtp_session *s)
{
    return decide(smtpd_conf.smtpd_client_restrictions, s, CLASS_LOCAL,
                  PERMIT);
}

/* Whatever the words say or forget, strangers do not relay: an open relay
 * takes more than an empty parameter. */
enum verdict access_relay(const struct smtp_session *s,
                          enum resolve_class class)
{
    return decide(smtpd_conf.smtpd_relay_restrictions, s, class,
                  class == CLASS_DEFAULT ? REJECT : PERMIT);
}

static int check_words(const char *name, const char *words, bool for_client,
                       struct error *err)
{
    struct view rest = view_of(words), w;

    while (view_word(&rest, ", \t", &w)) {
        const struct restriction *r = find(w);

        if (r == NULL || (for_client && !r->for_client))
            return error_set(err, FAIL_PERM, "main.cf: %s: \"%.*s\" is not a "
                             "restriction that can stand here", name,
                             VIEW_ARG(w));
    }
    return 0;
}

int access_check(const struct smtpd_conf *conf, struct error *err)
{
    struct view rest = view_of(conf->mynetworks), w;
    unsigned char net[16];
    unsigned bits;
    int len;

    while (view_word(&rest, ", \t", &w))
        if (!parse_network(view_starts(w, "!") ? view_sub(w, 1, w.len) : w,
                           net, &len, &bits))
            return error_set(err, FAIL_PERM, "main.cf: mynetworks: \"%.*s\" "
                             "is not a network like 192.0.2.0/24 or "
                             "[2001:db8::]/32", VIEW_ARG(w));
    if (check_words("smtpd_client_restrictions",
                    conf->smtpd_client_restrictions, true, err) < 0)
        return -1;
    return check_words("smtpd_relay_restrictions",
                       conf->smtpd_relay_restrictions, false, err);
}
