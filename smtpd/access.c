/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may send where. */
#include "smtpd/access.h"

#include "base/network.h"

/* Take the next network off a list; `*no` when a "!" stands before it. */
static bool next_network(struct view *rest, struct view *text, bool *no)
{
    if (!view_word(rest, ", \t", text))
        return false;
    *no = view_starts(*text, "!");
    if (*no)
        *text = view_sub(*text, 1, text->len);
    return true;
}

bool access_in_networks(const char *networks, const char *address)
{
    struct view rest = view_of(networks), text;
    struct network_address client;
    struct network n;
    struct error err;
    bool no;

    if (!network_address_parse(view_of(address), &client))
        return false;
    while (next_network(&rest, &text, &no))
        if (network_parse(text, &n, &err) == 0 && network_has(&n, &client))
            return !no;
    return false;
}

/* --- restrictions ------------------------------------------------------ */

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
    struct view rest = view_of(conf->mynetworks), text;
    struct network n;
    bool no;

    while (next_network(&rest, &text, &no))
        if (network_parse(text, &n, err) < 0)
            return error_prefix(err, "main.cf: mynetworks");
    if (check_words("smtpd_client_restrictions",
                    conf->smtpd_client_restrictions, true, err) < 0)
        return -1;
    return check_words("smtpd_relay_restrictions",
                       conf->smtpd_relay_restrictions, false, err);
}
