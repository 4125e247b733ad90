/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PEM files, in any order and mix: keys, and certificates each followed by
 * what leads up from it. A certificate whose key is among them is a pair.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "keyd/keyd.h"

#define FILE_MAX  (1u << 20) /* bytes of one PEM file */
#define CHAIN_MAX 10         /* certificates */

static struct list pairs = LIST_INIT(pairs); /* what we serve */

/* What came since the last end of a list. */
static struct {
    STACK_OF(X509) *certificates; /* in their order; NULL before a new file */
    EVP_PKEY **keys;
    size_t n_keys;
} fresh;

/* --- reading ----------------------------------------------------------- */

static void take_key(const unsigned char *der, long len, const char *file)
{
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &der, len);

    if (key == NULL || !(EVP_PKEY_is_a(key, "RSA") ||
                         EVP_PKEY_is_a(key, "EC"))) {
        log_error("%s: a private key that is neither RSA nor EC is not used",
                  file);
        EVP_PKEY_free(key);
        return;
    }
    fresh.keys = alloc_resize(fresh.keys, fresh.n_keys + 1,
                              sizeof *fresh.keys);
    fresh.keys[fresh.n_keys++] = key;
}

static void take_certificate(const unsigned char *der, long len,
                             const char *file)
{
    X509 *cert = d2i_X509(NULL, &der, len);

    if (cert == NULL || !sk_X509_push(fresh.certificates, cert)) {
        log_error("%s: a certificate that makes no sense", file);
        X509_free(cert);
    }
}

static void take_object(const char *what, const char *header,
                        const unsigned char *der, long len, const char *file)
{
    if (view_is(view_of(what), PEM_STRING_X509))
        take_certificate(der, len, file);
    else if (header[0] != '\0' || strcmp(what, PEM_STRING_PKCS8) == 0)
        log_error("%s: the private key is encrypted; store it without a "
                  "password, readable by root alone", file);
    else if (view_ends(view_of(what), "PRIVATE KEY"))
        take_key(der, len, file);
}

static void take_pem(const struct buf *pem, const char *file)
{
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    char *what, *header;
    unsigned char *der;
    long len;
    bool any = false;

    while (PEM_read_bio(bio, &what, &header, &der, &len)) {
        any = true;
        take_object(what, header, der, len, file);
        OPENSSL_free(what);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
    }
    if (!any)
        log_error("%s: nothing in PEM form in it", file);
    BIO_free(bio);
    ERR_clear_error();
}

static void take_file(int fd, struct view name)
{
    char file[201] = "";
    struct buf pem = BUF_INIT;
    struct error err;

    view_copy(name, file, sizeof file);
    if (fresh.certificates == NULL)
        fresh.certificates = sk_X509_new_null();
    if (io_read_all(fd, &pem, FILE_MAX, file, &err) < 0)
        log_error("%s", err.text);
    else
        take_pem(&pem, file);
    buf_wipe(&pem);
}

/* --- pairing ----------------------------------------------------------- */

static EVP_PKEY *key_of(X509 *cert)
{
    for (size_t i = 0; i < fresh.n_keys; i++)
        if (EVP_PKEY_eq(X509_get0_pubkey(cert), fresh.keys[i]) == 1)
            return fresh.keys[i];
    return NULL;
}

static bool add_der(struct buf *out, X509 *cert)
{
    int len = i2d_X509(cert, NULL);
    unsigned char *at;

    if (len <= 0 || out->len + (size_t)len > CERT_CHAIN_MAX)
        return false;
    at = (unsigned char *)buf_room(out, (size_t)len);
    i2d_X509(cert, &at);
    out->len += (size_t)len;
    return true;
}

static uint64_t id_of(X509 *cert)
{
    unsigned char *der = NULL, hash[SHA256_DIGEST_LENGTH];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    uint64_t id = 0;

    if (len <= 0 || SHA256(der, (size_t)len, hash) == NULL)
        out_of_memory();
    for (int i = 0; i < 8; i++)
        id = id << 8 | hash[i];
    OPENSSL_free(der);
    return id;
}

static void pair_free(struct pair *p)
{
    list_remove(&p->link);
    EVP_PKEY_free(p->key);
    X509_free(p->leaf);
    buf_release(&p->chain);
    free(p);
}

static void warn_of_end(X509 *leaf)
{
    char name[256] = "?";

    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName,
                              name, sizeof name);
    if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
        log_warning("the certificate of %s has expired", name);
}

/* The certificates behind a leaf are its chain, up to the next leaf. */
static void make_pair(int at, EVP_PKEY *key, struct list *to)
{
    X509 *leaf = sk_X509_value(fresh.certificates, at);
    struct pair *p = alloc_zero(1, sizeof *p);
    int n = sk_X509_num(fresh.certificates);

    list_append(to, &p->link);
    p->id = id_of(leaf);
    p->key = key;
    p->leaf = leaf;
    EVP_PKEY_up_ref(key);
    X509_up_ref(leaf);
    warn_of_end(leaf);
    for (int i = at; i < n && i < at + CHAIN_MAX; i++) {
        X509 *cert = sk_X509_value(fresh.certificates, i);

        if (i > at && key_of(cert) != NULL)
            break;
        if (!add_der(&p->chain, cert))
            log_error("a certificate's chain is longer than %d bytes",
                      CERT_CHAIN_MAX);
    }
}

/* A file that is named twice (a chain file is the key's file too, by default)
 * makes one pair. */
static bool is_known(const struct list *in, X509 *leaf)
{
    list_each (l, in)
        if (X509_cmp(list_entry(l, struct pair, link)->leaf, leaf) == 0)
            return true;
    return false;
}

static void forget_fresh(void)
{
    sk_X509_pop_free(fresh.certificates, X509_free);
    for (size_t i = 0; i < fresh.n_keys; i++)
        EVP_PKEY_free(fresh.keys[i]);
    free(fresh.keys);
    fresh.certificates = NULL;
    fresh.keys = NULL;
    fresh.n_keys = 0;
}

static void take_over(void)
{
    struct list made = LIST_INIT(made);

    for (int i = 0; i < sk_X509_num(fresh.certificates); i++) {
        X509 *cert = sk_X509_value(fresh.certificates, i);
        EVP_PKEY *key = key_of(cert);

        if (key != NULL && !is_known(&made, cert))
            make_pair(i, key, &made);
    }
    if (list_empty(&made) && fresh.certificates != NULL) {
        log_error("no certificate has its private key with it; see "
                  "smtpd_tls_chain_files%s",
                  list_empty(&pairs) ? "" : "; the old keys stay");
    } else {
        list_each_safe (l, &pairs)
            pair_free(list_entry(l, struct pair, link));
        list_each_safe (l, &made) {
            list_remove(l);
            list_append(&pairs, l);
        }
    }
    forget_fresh();
}

void keys_file(struct daemon *d, const struct control_file *file)
{
    if (file->fd >= 0) {
        take_file(file->fd, file->name);
        close(file->fd);
    } else if (file->name.len == 0) {
        take_over();
        service_accept(d);
    }
}

/* --- finding ----------------------------------------------------------- */

const struct pair *keys_for_name(const char *name)
{
    list_each (l, &pairs) {
        struct pair *p = list_entry(l, struct pair, link);

        if (name[0] != '\0' && X509_check_host(p->leaf, name, 0, 0, NULL) == 1)
            return p;
    }
    return list_empty(&pairs) ? NULL
                              : list_entry(pairs.next, struct pair, link);
}

const struct pair *keys_by_id(uint64_t id)
{
    list_each (l, &pairs) {
        struct pair *p = list_entry(l, struct pair, link);

        if (p->id == id)
            return p;
    }
    return NULL;
}
