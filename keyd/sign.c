/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/log.h"
#include "keyd/keyd.h"

struct keyd_conf keyd_conf;

/* Algorithms are fetched once here: later no file can be opened. */
void keyd_prepare(struct daemon *d)
{
    (void)d;
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
                            OPENSSL_INIT_LOAD_CONFIG, NULL);
    if (RAND_status() != 1)
        log_fatal("OpenSSL has no random numbers");
}

static void on_cert(struct peer *p, const void *msg)
{
    const struct cert_ask *q = msg;
    struct cert_answer a = { 0 };
    const struct pair *pair;
    char name[256] = "";

    view_copy(q->name, name, sizeof name);
    pair = keys_for_name(name);
    if (pair != NULL) {
        a.key = pair->id;
        a.chain = buf_view(&pair->chain);
    }
    peer_send(p, &cert_answer_type, &a);
}

/* SHA-1 is not among them (RFC 9155). */
static bool is_digest(struct view name)
{
    static const char *const good[] = { "SHA256", "SHA2-256", "SHA384",
                                        "SHA2-384", "SHA512", "SHA2-512" };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (view_is_nocase(name, good[i]))
            return true;
    return false;
}

static bool compute(EVP_PKEY *key, unsigned padding, const char *digest,
                    struct view text, unsigned char *out, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    bool good = ctx != NULL &&
                EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key,
                                      NULL) == 1;

    if (good && padding == SIGN_PSS)
        good = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) ==
                   1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
                                                RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestSign(ctx, out, len,
                                  (const unsigned char *)text.data,
                                  text.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

static void on_sign(struct peer *p, const void *msg)
{
    const struct sign_ask *q = msg;
    const struct pair *pair = keys_by_id(q->key);
    const char *why = text_problem(q->text);
    unsigned char out[SIGNATURE_MAX];
    struct sign_answer a = { 0 };
    size_t len = sizeof out;
    char digest[33] = "";

    if (pair == NULL)
        why = "there is no such key any more";
    else if (!is_digest(q->digest) ||
             !view_copy(q->digest, digest, sizeof digest))
        why = "a digest that is not used";
    else if (q->padding == SIGN_PSS && !EVP_PKEY_is_a(pair->key, "RSA"))
        why = "PSS is for RSA keys";
    else if (why == NULL &&
             !compute(pair->key, q->padding, digest, q->text, out, &len))
        why = "OpenSSL cannot sign that";
    if (why != NULL) {
        log_warning("%s[%u]: no signature: %s", p->role, p->pid, why);
        a.why = view_of(why);
    } else {
        a.signature = (struct view){ (const char *)out, len };
    }
    peer_send(p, &sign_answer_type, &a);
}

const struct ipc_rule keyd_rules[] = {
    { &cert_ask_type, "smtpd login", on_cert },
    { &sign_ask_type, "smtpd login", on_sign },
    { NULL, NULL, NULL },
};
