/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote_key.h - a private key that is not here: an OpenSSL 3 provider.
 *
 * The key's public half is the certificate's; signing sends the text to keyd
 * (proto/sign.h). RSA and EC keys, whose algorithms the provider "postern"
 * offers beside the default one; it can do nothing else with them.
 *
 * Errors:   as OpenSSL reports them; what keyd said is logged.
 * Blocking: a signature waits for keyd, by the channel's time-out.
 */
#ifndef NET_REMOTE_KEY_H
#define NET_REMOTE_KEY_H

#include <openssl/evp.h>

#include "ipc/ipc.h"

/* Make the provider known to OpenSSL; before the jail, once. */
int remote_key_prepare(struct error *err);

/* The private key `key` of keyd, which belongs to `public_key`. `keyd` is
 * borrowed and must outlive it. NULL for a kind of key that we do not use. */
EVP_PKEY *remote_key_new(struct ipc *keyd, uint64_t key,
                         EVP_PKEY *public_key);

#endif
