/* SPDX-License-Identifier: BSD-2-Clause */
/* What both sides share: the layer under a stream, the handshake, the words. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "net/remote_key.h"
#include "net/tls_internal.h"

void tls_prepare(const char *ca_file)
{
    struct error err;

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes by write(2) */
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS |
                         OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
    if (remote_key_prepare(&err) < 0)
        log_fatal("%s", err.text);
    tls_client_prepare(ca_file);
}

/* RFC 9325 §4: forward secrecy and AEAD, and nothing else. */
SSL_CTX *tls_context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL ||
        !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20"))
        log_fatal("OpenSSL makes no TLS context");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CLEANSE_PLAINTEXT |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    /* A record that brings no data, such as a key update, comes back as "not
     * yet": a client that sends nothing else keeps nobody's time. */
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    return ctx;
}

int tls_error(struct error *err, const char *doing)
{
    unsigned long code = ERR_peek_last_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;

    error_set(err, FAIL_TEMP, "%s: %s", doing,
              why ? why : "the peer ended the connection");
    ERR_clear_error();
    return -1;
}

/* --- the layer --------------------------------------------------------- */

/* What a result of OpenSSL's means to the stream. */
static ssize_t outcome(SSL *ssl, int n, short *events)
{
    if (n > 0)
        return n;
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ:
        *events = POLLIN;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        *events = POLLOUT;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return errno == 0 ? 0 : -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

static ssize_t layer_read(void *state, int fd, void *data, size_t len,
                          short *events)
{
    (void)fd;
    ERR_clear_error();
    errno = 0;
    return outcome(state, SSL_read(state, data, (int)len), events);
}

static ssize_t layer_write(void *state, int fd, const void *data, size_t len,
                           short *events)
{
    (void)fd;
    ERR_clear_error();
    errno = 0;
    return outcome(state, SSL_write(state, data, (int)len), events);
}

/* close_notify is sent if it can be; nobody waits for the peer's. */
static void layer_release(void *state)
{
    SSL *ssl = state;

    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static const struct stream_layer layer = { layer_read, layer_write,
                                           layer_release };

int tls_attach(struct stream *s, SSL *ssl, struct error *err)
{
    if (ssl == NULL || !SSL_set_fd(ssl, s->fd)) {
        SSL_free(ssl);
        return tls_error(err, "cannot begin TLS");
    }
    s->layer = &layer;
    s->layer_state = ssl;
    return 0;
}

SSL *tls_of(const struct stream *s)
{
    return s->layer == &layer ? s->layer_state : NULL;
}

/* --- the handshake ----------------------------------------------------- */

int tls_step(struct stream *s, short *events, struct error *err)
{
    SSL *ssl = tls_of(s);
    int rc;

    ERR_clear_error();
    errno = 0;
    rc = SSL_do_handshake(ssl);
    if (rc == 1)
        return 1;
    if (outcome(ssl, rc, events) < 0 && errno == EAGAIN)
        return 0;
    return tls_error(err, "TLS handshake");
}

int tls_handshake(struct stream *s, struct error *err)
{
    uint64_t end = clock_mono_ms() + s->timeout_ms;

    for (;;) {
        short events = 0;
        int rc = tls_step(s, &events, err);
        uint64_t now = clock_mono_ms();

        if (rc != 0)
            return rc > 0 ? 0 : -1;
        if (now >= end || io_wait(s->fd, events, (int)(end - now)) <= 0)
            return error_set(err, FAIL_TEMP, "TLS handshake: the peer is too "
                             "slow");
    }
}

/* --- words ------------------------------------------------------------- */

static void add_key_exchange(SSL *ssl, struct buf *out)
{
    EVP_PKEY *key = NULL;
    char group[80];

    if (!SSL_get_peer_tmp_key(ssl, &key))
        return;
    if (EVP_PKEY_is_a(key, "EC") &&
        EVP_PKEY_get_group_name(key, group, sizeof group, NULL))
        buf_addf(out, " key-exchange ECDHE (%s)", group);
    else
        buf_addf(out, " key-exchange %s", EVP_PKEY_get0_type_name(key));
    EVP_PKEY_free(key);
}

void tls_describe(const struct stream *s, struct buf *out)
{
    SSL *ssl = tls_of(s);
    const SSL_CIPHER *c = ssl ? SSL_get_current_cipher(ssl) : NULL;
    int bits, of;

    if (c == NULL)
        return;
    bits = SSL_CIPHER_get_bits(c, &of);
    buf_addf(out, "%s with cipher %s (%d/%d bits)", SSL_get_version(ssl),
             SSL_CIPHER_get_name(c), bits, of);
    if (SSL_version(ssl) >= TLS1_3_VERSION)
        add_key_exchange(ssl, out);
}

bool tls_is_trusted(const struct stream *s)
{
    SSL *ssl = tls_of(s);

    return ssl != NULL && SSL_get_verify_result(ssl) == X509_V_OK &&
           SSL_get0_peer_certificate(ssl) != NULL;
}

/* The hash of our certificate, by the hash of its own signature, or SHA-256
 * when that one is MD5 or SHA-1. */
static void add_endpoint(SSL *ssl, struct buf *out)
{
    X509 *cert = SSL_get_certificate(ssl);
    const EVP_MD *md = EVP_sha256();
    unsigned len = EVP_MAX_MD_SIZE;
    int nid;

    if (cert == NULL)
        return;
    if (X509_get_signature_info(cert, &nid, NULL, NULL, NULL) == 1 &&
        nid != NID_undef && nid != NID_md5 && nid != NID_sha1)
        md = EVP_get_digestbynid(nid);
    if (md != NULL &&
        X509_digest(cert, md,
                    (unsigned char *)buf_room(out, EVP_MAX_MD_SIZE),
                    &len) == 1)
        out->len += len;
}

void tls_bindings(const struct stream *s, struct buf *exporter,
                  struct buf *endpoint)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    SSL *ssl = tls_of(s);

    if (ssl == NULL)
        return;
    add_endpoint(ssl, endpoint);
    /* Before TLS 1.3 the exporter is unique only with the extended master
     * secret (RFC 9266 §3). */
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return;
    if (SSL_export_keying_material(
            ssl, (unsigned char *)buf_room(exporter, 32), 32, label,
            sizeof label - 1, NULL, 0, 0) == 1)
        exporter->len += 32;
}
