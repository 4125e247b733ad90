/* SPDX-License-Identifier: BSD-2-Clause */
#include "sasl/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encode.h"
#include "sasl/saslprep.h"

#define SCHEME "SCRAM-SHA-256$"

/* --- the keys ---------------------------------------------------------- */

/* These two fail for want of memory alone. What they did not make must never
 * be compared: it may be what an earlier call left there. */

static void hmac(const unsigned char *key, size_t key_len, struct view data,
                 unsigned char out[SCRAM_KEY_LEN])
{
    unsigned len = SCRAM_KEY_LEN;

    if (HMAC(EVP_sha256(), key, (int)key_len,
             (const unsigned char *)data.data, data.len, out, &len) == NULL)
        out_of_memory();
}

static void hash(const unsigned char in[SCRAM_KEY_LEN],
                 unsigned char out[SCRAM_KEY_LEN])
{
    if (EVP_Digest(in, SCRAM_KEY_LEN, out, NULL, EVP_sha256(), NULL) != 1)
        out_of_memory();
}

int scram_prepare(struct error *err)
{
    struct scram_keys k;

    /* Once, so that OpenSSL has fetched its algorithms. */
    if (saslprep_open(err) < 0)
        return -1;
    return scram_keys_make(&k, VIEW("x"), (unsigned char[SCRAM_SALT_LEN]){ 0 },
                           1, err);
}

int scram_keys_make(struct scram_keys *k, struct view password,
                    const unsigned char salt[SCRAM_SALT_LEN],
                    uint32_t iterations, struct error *err)
{
    unsigned char salted[SCRAM_KEY_LEN], client[SCRAM_KEY_LEN];
    struct buf prepared = BUF_INIT;
    int rc = saslprep(&prepared, password, err);

    k->iterations = iterations;
    memcpy(k->salt, salt, sizeof k->salt);
    if (rc == 0 &&
        PKCS5_PBKDF2_HMAC(prepared.data, (int)prepared.len, k->salt,
                          sizeof k->salt, (int)iterations, EVP_sha256(),
                          sizeof salted, salted) != 1)
        rc = error_set(err, FAIL_TEMP, "cannot derive SCRAM keys");
    if (rc == 0) {
        hmac(salted, sizeof salted, VIEW("Client Key"), client);
        hash(client, k->stored);
        hmac(salted, sizeof salted, VIEW("Server Key"), k->server);
    }
    OPENSSL_cleanse(salted, sizeof salted);
    OPENSSL_cleanse(client, sizeof client);
    buf_wipe(&prepared);
    return rc;
}

void scram_keys_fake(struct scram_keys *k, struct view secret,
                     struct view name, uint32_t iterations)
{
    unsigned char digest[SCRAM_KEY_LEN];

    hmac((const unsigned char *)secret.data, secret.len, name, digest);
    k->iterations = iterations;
    memcpy(k->salt, digest, sizeof k->salt);
    /* Nobody knows a preimage of these. */
    hash(digest, k->stored);
    hash(k->stored, k->server);
}

void scram_keys_format(struct buf *out, const struct scram_keys *k)
{
    buf_addf(out, SCHEME "%u:", k->iterations);
    encode_base64(out, (struct view){ (const char *)k->salt, sizeof k->salt });
    buf_add_char(out, '$');
    encode_base64(out,
                  (struct view){ (const char *)k->stored, SCRAM_KEY_LEN });
    buf_add_char(out, ':');
    encode_base64(out,
                  (struct view){ (const char *)k->server, SCRAM_KEY_LEN });
}

static bool take_base64(struct view text, unsigned char *to, size_t len)
{
    struct buf b = BUF_INIT;
    bool ok = text.data != NULL && decode_base64(&b, text) == 0 &&
              b.len == len;

    if (ok)
        memcpy(to, b.data, len);
    buf_release(&b);
    return ok;
}

bool scram_keys_parse(struct view text, struct scram_keys *k)
{
    struct view n, salt, stored;
    uint64_t iterations;

    if (!view_starts(text, SCHEME))
        return false;
    text = view_sub(text, sizeof SCHEME - 1, text.len);
    if (!view_cut(&text, ':', &n) || !view_cut(&text, '$', &salt) ||
        !view_cut(&text, ':', &stored) ||
        !view_number(n, UINT32_MAX, &iterations) ||
        !take_base64(salt, k->salt, sizeof k->salt) ||
        !take_base64(stored, k->stored, SCRAM_KEY_LEN) ||
        !take_base64(text, k->server, SCRAM_KEY_LEN))
        return false;
    k->iterations = (uint32_t)iterations;
    return true;
}

/* --- the client's first message ---------------------------------------- */

void scram_begin(struct scram *s, bool plus, const char *nonce)
{
    *s = (struct scram){ .plus = plus };
    snprintf(s->nonce, sizeof s->nonce, "%s", nonce);
}

void scram_release(struct scram *s)
{
    buf_release(&s->gs2);
    buf_release(&s->first_bare);
    buf_release(&s->server_first);
    buf_release(&s->full_nonce);
}

/* Take "x=value" up to the next comma, or to the end. */
static bool take(struct view *rest, char name, struct view *value)
{
    struct view part;

    if (rest->len < 2 || rest->data[0] != name || rest->data[1] != '=')
        return false;
    if (!view_cut(rest, ',', &part))
        return false;
    *value = view_sub(part, 2, part.len);
    return true;
}

/* saslname: "=2C" for a comma, "=3D" for "=", no other "=". */
static bool add_name(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        struct view code = view_sub(v, i, i + 3);

        if (v.data[i] == '\0')
            return false;
        if (v.data[i] != '=') {
            buf_add_char(out, v.data[i]);
            continue;
        }
        if (view_is_nocase(code, "=2C"))
            buf_add_char(out, ',');
        else if (view_is_nocase(code, "=3D"))
            buf_add_char(out, '=');
        else
            return false;
        i += 2;
    }
    return v.len > 0;
}

/* gs2-cbind-flag: what the client binds to goes into s->gs2, after the header
 * that the caller puts there. */
static enum scram_result read_flag(const struct scram *s, struct view flag,
                                   const struct scram_binding *b,
                                   bool plus_offered, struct view *bound)
{
    *bound = VIEW("");
    if (s->plus) {
        if (view_is(flag, "p=tls-exporter"))
            *bound = b->exporter;
        else if (view_is(flag, "p=tls-server-end-point"))
            *bound = b->endpoint;
        return bound->len > 0 ? SCRAM_RIGHT : SCRAM_MALFORMED;
    }
    if (view_is(flag, "n"))
        return SCRAM_RIGHT;
    if (!view_is(flag, "y"))
        return SCRAM_MALFORMED;
    return plus_offered ? SCRAM_WRONG : SCRAM_RIGHT;
}

static bool is_nonce(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] < '!' || v.data[i] > '~')
            return false;
    return v.len >= 8 && v.len <= 256;
}

enum scram_result scram_client_first(struct scram *s, struct view message,
                                     const struct scram_binding *b,
                                     bool plus_offered, struct buf *name)
{
    struct view rest = message, flag, authzid, value, bound;
    struct buf ignored = BUF_INIT;
    enum scram_result r;
    bool same = true;

    if (!view_cut(&rest, ',', &flag) || rest.data == NULL ||
        !view_cut(&rest, ',', &authzid) || rest.data == NULL)
        return SCRAM_MALFORMED;
    r = read_flag(s, flag, b, plus_offered, &bound);
    if (r != SCRAM_RIGHT)
        return r;
    buf_add(&s->gs2, message.data, (size_t)(rest.data - message.data));
    buf_add_view(&s->gs2, bound);
    buf_add_view(&s->first_bare, rest);
    if (!take(&rest, 'n', &value) || !add_name(name, value) ||
        !take(&rest, 'r', &value) || !is_nonce(value))
        return SCRAM_MALFORMED;
    buf_add_view(&s->full_nonce, value);
    buf_add_text(&s->full_nonce, s->nonce);
    /* Acting for another identity is not offered. */
    if (authzid.len > 0)
        same = view_starts(authzid, "a=") &&
               add_name(&ignored, view_sub(authzid, 2, authzid.len)) &&
               view_eq_nocase(buf_view(&ignored), buf_view(name));
    buf_release(&ignored);
    return same ? SCRAM_RIGHT : SCRAM_MALFORMED;
}

void scram_server_first(struct scram *s, const struct scram_keys *k,
                        struct buf *out)
{
    buf_add_text(&s->server_first, "r=");
    buf_add_view(&s->server_first, buf_view(&s->full_nonce));
    buf_add_text(&s->server_first, ",s=");
    encode_base64(&s->server_first,
                  (struct view){ (const char *)k->salt, sizeof k->salt });
    buf_addf(&s->server_first, ",i=%u", k->iterations);
    buf_add_view(out, buf_view(&s->server_first));
}

/* --- the proof --------------------------------------------------------- */

/* AuthMessage (RFC 5802 §3), of which `without_proof` is the last part. */
static void auth_message(const struct scram *s, struct view without_proof,
                         struct buf *out)
{
    buf_add_view(out, buf_view(&s->first_bare));
    buf_add_char(out, ',');
    buf_add_view(out, buf_view(&s->server_first));
    buf_add_char(out, ',');
    buf_add_view(out, without_proof);
}

/* ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage), and its hash must
 * be StoredKey. */
static bool is_proof(const struct scram_keys *k, struct view message,
                     const unsigned char proof[SCRAM_KEY_LEN])
{
    unsigned char key[SCRAM_KEY_LEN], hashed[SCRAM_KEY_LEN];

    hmac(k->stored, SCRAM_KEY_LEN, message, key);
    for (size_t i = 0; i < SCRAM_KEY_LEN; i++)
        key[i] ^= proof[i];
    hash(key, hashed);
    OPENSSL_cleanse(key, sizeof key);
    return CRYPTO_memcmp(hashed, k->stored, SCRAM_KEY_LEN) == 0;
}

static bool is_bound(const struct scram *s, struct view coded)
{
    struct buf b = BUF_INIT;
    bool ok = decode_base64(&b, coded) == 0 &&
              view_eq(buf_view(&b), buf_view(&s->gs2));

    buf_release(&b);
    return ok;
}

enum scram_result scram_client_final(struct scram *s, struct view message,
                                     const struct scram_keys *k,
                                     struct buf *out)
{
    unsigned char proof[SCRAM_KEY_LEN], signature[SCRAM_KEY_LEN];
    struct view rest = message, binding, nonce, last;
    struct buf all = BUF_INIT;
    size_t at = view_rindex(message, ',');
    bool right;

    if (at == message.len || !take(&rest, 'c', &binding) ||
        !take(&rest, 'r', &nonce))
        return SCRAM_MALFORMED;
    last = view_sub(message, at + 1, message.len);
    if (!view_starts(last, "p=") ||
        !take_base64(view_sub(last, 2, last.len), proof, sizeof proof))
        return SCRAM_MALFORMED;
    auth_message(s, view_sub(message, 0, at), &all);
    right = view_eq(nonce, buf_view(&s->full_nonce)) &&
            is_bound(s, binding) && is_proof(k, buf_view(&all), proof);
    if (right) {
        hmac(k->server, SCRAM_KEY_LEN, buf_view(&all), signature);
        buf_add_text(out, "v=");
        encode_base64(out, (struct view){ (const char *)signature,
                                          sizeof signature });
    }
    buf_release(&all);
    return right ? SCRAM_RIGHT : SCRAM_WRONG;
}
