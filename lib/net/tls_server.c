/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/x509.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/list.h"
#include "base/log.h"
#include "net/remote_key.h"
#include "net/tls_internal.h"
#include "proto/sign.h"

#define CERTIFICATES_MAX 100 /* names kept; strangers choose the names */

/* What keyd answered for a name. */
struct certificate {
    struct list link;
    char name[256];
    X509 *leaf;
    STACK_OF(X509) *chain;
    EVP_PKEY *key;
};

struct tls_server {
    SSL_CTX *ctx;
    struct ipc *keyd;
    struct list certificates;
    size_t n_certificates;
};

/* --- certificates ------------------------------------------------------ */

static void certificate_free(struct tls_server *t, struct certificate *c)
{
    list_remove(&c->link);
    t->n_certificates--;
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    free(c);
}

void tls_server_forget(struct tls_server *t)
{
    list_each_safe (l, &t->certificates)
        certificate_free(t, list_entry(l, struct certificate, link));
}

static bool take_chain(struct certificate *c, struct view der)
{
    const unsigned char *at = (const unsigned char *)der.data;
    const unsigned char *end = at + der.len;

    c->leaf = d2i_X509(NULL, &at, (long)(end - at));
    c->chain = sk_X509_new_null();
    if (c->leaf == NULL || c->chain == NULL)
        return false;
    while (at < end) {
        X509 *next = d2i_X509(NULL, &at, (long)(end - at));

        if (next == NULL || !sk_X509_push(c->chain, next)) {
            X509_free(next);
            return false;
        }
    }
    return true;
}

static struct certificate *ask(struct tls_server *t, const char *name,
                               struct error *err)
{
    struct cert_ask q = { view_of(name) };
    struct cert_answer a;
    struct certificate *c;

    if (t->keyd->fd < 0) {
        error_set(err, FAIL_TEMP, "keyd is not joined");
        return NULL;
    }
    if (ipc_call(t->keyd, &cert_ask_type, &q, &cert_answer_type, &a, err) <
        0) {
        ipc_release(t->keyd);
        return NULL;
    }
    if (a.chain.len == 0) {
        error_set(err, FAIL_PERM, "no certificate is configured; see "
                  "smtpd_tls_chain_files");
        return NULL;
    }
    c = alloc_zero(1, sizeof *c);
    list_prepend(&t->certificates, &c->link);
    t->n_certificates++;
    view_copy(view_of(name), c->name, sizeof c->name);
    if (take_chain(c, a.chain))
        c->key = remote_key_new(t->keyd, a.key, X509_get0_pubkey(c->leaf));
    if (c->key == NULL) {
        error_set(err, FAIL_PERM, "keyd's certificate for \"%s\" cannot be "
                  "used: an RSA or EC key is needed", name);
        certificate_free(t, c);
        return NULL;
    }
    return c;
}

static struct certificate *find(struct tls_server *t, const char *name,
                                struct error *err)
{
    list_each (l, &t->certificates) {
        struct certificate *c = list_entry(l, struct certificate, link);

        if (strcmp(c->name, name) == 0) {
            list_remove(&c->link);
            list_prepend(&t->certificates, &c->link);
            return c;
        }
    }
    if (t->n_certificates >= CERTIFICATES_MAX)
        certificate_free(t, list_entry(t->certificates.prev,
                                       struct certificate, link));
    return ask(t, name, err);
}

bool tls_server_ready(struct tls_server *t, struct error *err)
{
    return find(t, "", err) != NULL;
}

/* A host name as it may stand in a certificate; anything else is "". */
static void clean_name(const char *given, char name[256])
{
    size_t len = given ? strlen(given) : 0;

    if (len > 255)
        len = 0;
    for (size_t i = 0; i < len; i++) {
        name[i] = ascii_lower(given[i]);
        if (!ascii_is_alnum(name[i]) && name[i] != '-' && name[i] != '.' &&
            name[i] != '_')
            len = 0;
    }
    name[len] = '\0';
}

/* OpenSSL asks: which certificate? */
static int on_certificate(SSL *ssl, void *arg)
{
    struct tls_server *t = arg;
    struct certificate *c;
    struct error err;
    char name[256];

    clean_name(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), name);
    c = find(t, name, &err);
    if (c == NULL) {
        log_warning("no certificate for a TLS client: %s", err.text);
        return 0;
    }
    return SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 1);
}

/* RFC 7301 §3.2, and against ALPACA: a client that came for another protocol
 * is sent away. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    const char *protocol = SSL_get_app_data(ssl);
    size_t len = strlen(protocol);

    (void)arg;
    for (unsigned at = 0; at < in_len && at + in[at] < in_len;
         at += in[at] + 1u) {
        if (in[at] == len && memcmp(in + at + 1, protocol, len) == 0) {
            *out = in + at + 1;
            *out_len = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- contexts and streams ---------------------------------------------- */

struct tls_server *tls_server_new(struct ipc *keyd)
{
    struct tls_server *t = alloc_zero(1, sizeof *t);

    t->ctx = tls_context(TLS_server_method());
    t->keyd = keyd;
    list_init(&t->certificates);
    SSL_CTX_set_cert_cb(t->ctx, on_certificate, t);
    SSL_CTX_set_alpn_select_cb(t->ctx, on_alpn, NULL);
    return t;
}

int tls_begin(struct stream *s, struct tls_server *t, const char *protocol,
              struct error *err)
{
    SSL *ssl = SSL_new(t->ctx);

    if (tls_attach(s, ssl, err) < 0)
        return -1;
    SSL_set_app_data(ssl, (void *)(uintptr_t)protocol);
    SSL_set_accept_state(ssl);
    return 0;
}

int tls_accept(struct stream *s, struct tls_server *t, const char *protocol,
               struct error *err)
{
    if (tls_begin(s, t, protocol, err) < 0)
        return -1;
    return tls_handshake(s, err);
}
