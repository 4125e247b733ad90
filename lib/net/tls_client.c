/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "net/tls_internal.h"

static SSL_CTX *client; /* set once, before the jail */

void tls_client_prepare(const char *ca_file)
{
    client = tls_context(TLS_client_method());
    if (ca_file[0] != '\0' && !SSL_CTX_load_verify_file(client, ca_file))
        log_warning("cannot read trusted certificates from %s; nobody is "
                    "trusted", ca_file);
}

static bool is_address(const char *name)
{
    unsigned char space[16];

    return inet_pton(AF_INET, name, space) == 1 ||
           inet_pton(AF_INET6, name, space) == 1;
}

/* RFC 6066 §3: an address is no server name. */
static bool set_name(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, name) && SSL_set1_host(ssl, name);
}

int tls_connect(struct stream *s, const char *name, enum tls_trust trust,
                struct error *err)
{
    SSL *ssl = SSL_new(client);

    if (tls_attach(s, ssl, err) < 0)
        return -1;
    SSL_set_connect_state(ssl);
    SSL_set_verify(ssl, trust == TLS_TRUSTED ? SSL_VERIFY_PEER
                                             : SSL_VERIFY_NONE, NULL);
    if (!set_name(ssl, name))
        return tls_error(err, "TLS server name");
    if (tls_handshake(s, err) < 0)
        return -1;
    if (trust == TLS_TRUSTED && !tls_is_trusted(s))
        return error_set(err, FAIL_TEMP, "the server's certificate is not "
                         "trusted");
    return 0;
}
