/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/remote_key.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/sign.h"

#define PROVIDER "postern"
#define PARAM_REMOTE "postern-remote" /* a struct remote, by its bytes */

/* How a key is handed through EVP_PKEY_fromdata(). */
struct remote {
    struct ipc *keyd;
    uint64_t key;
    EVP_PKEY *public_key;
};

/* What OpenSSL holds as our key: `keyd` is NULL when it is only a public one,
 * which it makes to compare a certificate's with ours. */
struct key {
    const char *kind; /* "RSA" or "EC" */
    struct remote r;
};

/* --- keys (provider-keymgmt(7)) ---------------------------------------- */

static void *key_new(const char *kind)
{
    struct key *k = alloc_zero(1, sizeof *k);

    k->kind = kind;
    return k;
}

static void *rsa_new(void *provctx)
{
    (void)provctx;
    return key_new("RSA");
}

static void *ec_new(void *provctx)
{
    (void)provctx;
    return key_new("EC");
}

static void key_free(void *data)
{
    struct key *k = data;

    if (k == NULL)
        return;
    EVP_PKEY_free(k->r.public_key);
    free(k);
}

static int key_has(const void *data, int selection)
{
    const struct key *k = data;

    if (k == NULL || k->r.public_key == NULL)
        return 0;
    return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) ||
           k->r.keyd != NULL;
}

static int key_match(const void *a, const void *b, int selection)
{
    const struct key *x = a, *y = b;

    (void)selection;
    return EVP_PKEY_eq(x->r.public_key, y->r.public_key) == 1;
}

/* A public key in the default provider's form. */
static EVP_PKEY *make_public(const char *kind, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind,
                                                   "provider=default");
    OSSL_PARAM *copy = OSSL_PARAM_dup(params); /* fromdata takes no const */
    EVP_PKEY *p = NULL;

    if (ctx == NULL || copy == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &p, EVP_PKEY_PUBLIC_KEY, copy) <= 0)
        p = NULL;
    OSSL_PARAM_free(copy);
    EVP_PKEY_CTX_free(ctx);
    return p;
}

static int key_import(void *data, int selection, const OSSL_PARAM params[])
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_REMOTE);
    struct key *k = data;

    (void)selection;
    if (p == NULL) {
        k->r.public_key = make_public(k->kind, params);
        return k->r.public_key != NULL;
    }
    if (p->data_size != sizeof k->r)
        return 0;
    memcpy(&k->r, p->data, sizeof k->r);
    return EVP_PKEY_up_ref(k->r.public_key);
}

static const OSSL_PARAM *key_import_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_octet_string(PARAM_REMOTE, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)selection;
    return types;
}

/* Sizes and the curve are the public half's. */
static int key_get_params(void *data, OSSL_PARAM params[])
{
    const struct key *k = data;

    return EVP_PKEY_get_params(k->r.public_key, params);
}

static const OSSL_PARAM *key_gettable(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return gettable;
}

static const char *ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

/* --- signatures (provider-signature(7)) -------------------------------- */

struct signing {
    const struct key *key;
    char digest[33];
    unsigned padding; /* enum sign_padding */
};

static void *signing_new(void *provctx, const char *properties)
{
    (void)provctx;
    (void)properties;
    return alloc_zero(1, sizeof(struct signing));
}

static void signing_free(void *ctx)
{
    free(ctx);
}

/* The padding comes as a number or as its name. Salt and mask follow from the
 * digest in TLS (RFC 8446 §4.2.3), and keyd knows no other. */
static int signing_set(void *ctx, const OSSL_PARAM params[])
{
    struct signing *s = ctx;
    const OSSL_PARAM *p =
        params ? OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)
               : NULL;
    int mode = RSA_PKCS1_PADDING;

    if (p == NULL)
        return 1;
    if (p->data_type == OSSL_PARAM_UTF8_STRING)
        mode = view_is((struct view){ p->data, p->data_size }, "pss")
                   ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    else if (!OSSL_PARAM_get_int(p, &mode))
        return 0;
    s->padding = mode == RSA_PKCS1_PSS_PADDING ? SIGN_PSS : SIGN_PLAIN;
    return mode == RSA_PKCS1_PSS_PADDING || mode == RSA_PKCS1_PADDING;
}

static const OSSL_PARAM *signing_settable(void *ctx, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)ctx;
    (void)provctx;
    return settable;
}

static int signing_begin(void *ctx, const char *digest, void *key,
                         const OSSL_PARAM params[])
{
    struct signing *s = ctx;

    if (key != NULL)
        s->key = key;
    if (s->key == NULL || s->key->r.keyd == NULL || digest == NULL ||
        !view_copy(view_of(digest), s->digest, sizeof s->digest))
        return 0;
    return signing_set(ctx, params);
}

static int signing_sign(void *ctx, unsigned char *out, size_t *len,
                        size_t size, const unsigned char *text,
                        size_t text_len)
{
    const struct signing *s = ctx;
    const struct remote *r = &s->key->r;
    struct sign_ask ask = { .key = r->key, .padding = s->padding,
                            .digest = view_of(s->digest),
                            .text = { (const char *)text, text_len } };
    struct sign_answer a;
    struct error err;

    if (out == NULL) {
        *len = (size_t)EVP_PKEY_get_size(r->public_key);
        return 1;
    }
    if (ipc_call(r->keyd, &sign_ask_type, &ask, &sign_answer_type, &a, &err) <
        0) {
        log_warning("no signature from keyd: %s", err.text);
        ipc_release(r->keyd);
        return 0;
    }
    if (a.signature.len == 0 || a.signature.len > size) {
        log_warning("keyd signs nothing: %.*s", VIEW_ARG(a.why));
        return 0;
    }
    memcpy(out, a.signature.data, a.signature.len);
    *len = a.signature.len;
    return 1;
}

/* --- the provider (provider(7)) ---------------------------------------- */

#define FN(id, f) { id, (void (*)(void))(f) }

static const OSSL_DISPATCH rsa_keys[] = {
    FN(OSSL_FUNC_KEYMGMT_NEW, rsa_new),
    FN(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FN(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FN(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FN(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
    FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),
    FN(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FN(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    { 0, NULL },
};

static const OSSL_DISPATCH ec_keys[] = {
    FN(OSSL_FUNC_KEYMGMT_NEW, ec_new),
    FN(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FN(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FN(OSSL_FUNC_KEYMGMT_MATCH, key_match),
    FN(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
    FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),
    FN(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
    FN(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation),
    { 0, NULL },
};

static const OSSL_DISPATCH signatures[] = {
    FN(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
    FN(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
    FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_begin),
    FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_sign),
    FN(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set),
    FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable),
    { 0, NULL },
};

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM keys[] = {
        { "RSA:rsaEncryption", "provider=" PROVIDER, rsa_keys, "" },
        { "EC:id-ecPublicKey", "provider=" PROVIDER, ec_keys, "" },
        { NULL, NULL, NULL, NULL },
    };
    static const OSSL_ALGORITHM signing[] = {
        { "RSA:rsaEncryption", "provider=" PROVIDER, signatures, "" },
        { "ECDSA", "provider=" PROVIDER, signatures, "" },
        { NULL, NULL, NULL, NULL },
    };

    (void)provctx;
    *no_cache = 0;
    if (operation == OSSL_OP_KEYMGMT)
        return keys;
    return operation == OSSL_OP_SIGNATURE ? signing : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle,
                         const OSSL_DISPATCH *core, const OSSL_DISPATCH **out,
                         void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        FN(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
        { 0, NULL },
    };

    (void)core;
    *out = functions;
    *provctx = (void *)(uintptr_t)handle;
    return 1;
}

/* OpenSSL has them as long as the process lives, and frees at its end only
 * what nobody holds. */
static OSSL_PROVIDER *held[2];

static void let_go(void)
{
    OSSL_PROVIDER_unload(held[1]);
    OSSL_PROVIDER_unload(held[0]);
}

/* Everything but a key of ours is the default provider's business. */
int remote_key_prepare(struct error *err)
{
    held[0] = OSSL_PROVIDER_load(NULL, "default");
    if (held[0] == NULL ||
        !OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init))
        goto failed;
    held[1] = OSSL_PROVIDER_load(NULL, PROVIDER);
    if (held[1] == NULL || atexit(let_go) != 0 ||
        !EVP_set_default_properties(NULL, "?provider=default"))
        goto failed;
    return 0;
failed:
    return error_set(err, FAIL_PERM, "OpenSSL takes no provider of ours");
}

EVP_PKEY *remote_key_new(struct ipc *keyd, uint64_t key, EVP_PKEY *public_key)
{
    struct remote r = { keyd, key, public_key };
    const char *kind = EVP_PKEY_is_a(public_key, "RSA") ? "RSA"
                       : EVP_PKEY_is_a(public_key, "EC") ? "EC" : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(PARAM_REMOTE, &r, sizeof r),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx;
    EVP_PKEY *p = NULL;

    if (kind == NULL)
        return NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, "provider=" PROVIDER);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &p, EVP_PKEY_KEYPAIR, params) <= 0)
        p = NULL;
    EVP_PKEY_CTX_free(ctx);
    return p;
}
