/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCRAM, SASLprep and lists of mechanisms.
 *
 * Two messages of a client, each up to a NUL, are answered; only one who
 * knows the password proves it. Then a client of our own plays the whole
 * exchange with a name and a nonce out of the input: it gets in, and does not
 * with one bit of its proof changed.
 */
#include "sasl/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/encode.h"
#include "base/utf8.h"
#include "sasl/mechanism.h"
#include "sasl/saslprep.h"
#include "t/fuzz/fuzz.h"

#define PASSWORD "secret"
#define ITERATIONS 2

static const struct scram_binding binding = {
    { "exporter-bytes", 14 }, { "endpoint-bytes", 14 },
};
static struct scram_keys keys;
static unsigned char client_key[SCRAM_KEY_LEN];

static void prepare(void)
{
    static const unsigned char salt[SCRAM_SALT_LEN] = "fifteen of salt";
    unsigned char salted[SCRAM_KEY_LEN];
    unsigned len = SCRAM_KEY_LEN;
    struct error err;

    MUST(scram_prepare(&err) == 0 && saslprep_open(&err) == 0);
    MUST(scram_keys_make(&keys, VIEW(PASSWORD), salt, ITERATIONS, &err) == 0);
    MUST(PKCS5_PBKDF2_HMAC(PASSWORD, sizeof PASSWORD - 1, salt, sizeof salt,
                           ITERATIONS, EVP_sha256(), sizeof salted,
                           salted) == 1);
    MUST(HMAC(EVP_sha256(), salted, sizeof salted,
              (const unsigned char *)"Client Key", 10, client_key, &len));
}

/* --- a client of any kind ---------------------------------------------- */

/* It does not know the password: right is what it cannot be. */
static void stranger(struct view first, struct view final, bool plus)
{
    struct buf name = BUF_INIT, out = BUF_INIT;
    struct scram s;

    scram_begin(&s, plus, "server-nonce");
    if (scram_client_first(&s, first, &binding, false, &name) ==
        SCRAM_RIGHT) {
        MUST(name.len > 0 && memchr(name.data, '\0', name.len) == NULL);
        scram_server_first(&s, &keys, &out);
        MUST(view_starts(buf_view(&out), "r="));
        buf_reset(&out);
        MUST(scram_client_final(&s, final, &keys, &out) != SCRAM_RIGHT);
        MUST(out.len == 0);
    }
    scram_release(&s);
    buf_release(&name);
    buf_release(&out);
}

/* --- one who knows ----------------------------------------------------- */

static void escape(struct buf *out, struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '=' || name.data[i] == ',')
            buf_add_text(out, name.data[i] == '=' ? "=3D" : "=2C");
        else
            buf_add_char(out, name.data[i]);
    }
}

/* "c=...,r=...,p=..." for this exchange (RFC 5802 §3). */
static void prove(struct buf *out, struct view bare, struct view server_first,
                  struct view gs2)
{
    unsigned char proof[SCRAM_KEY_LEN];
    unsigned len = sizeof proof;
    struct buf message = BUF_INIT;
    struct view nonce = view_sub(server_first, 2, view_index(server_first,
                                                             ','));

    buf_add_text(out, "c=");
    encode_base64(out, gs2);
    buf_add_text(out, ",r=");
    buf_add_view(out, nonce);
    buf_add_view(&message, bare);
    buf_add_char(&message, ',');
    buf_add_view(&message, server_first);
    buf_add_char(&message, ',');
    buf_add_view(&message, buf_view(out));
    MUST(HMAC(EVP_sha256(), keys.stored, sizeof keys.stored,
              (const unsigned char *)message.data, message.len, proof, &len));
    for (size_t i = 0; i < sizeof proof; i++)
        proof[i] ^= client_key[i];
    buf_add_text(out, ",p=");
    encode_base64(out, (struct view){ (char *)proof, sizeof proof });
    buf_release(&message);
}

static bool is_nonce(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] < '!' || v.data[i] > '~' || v.data[i] == ',')
            return false;
    return v.len >= 8 && v.len <= 256;
}

static void friend_of_ours(struct view name, struct view nonce)
{
    struct buf first = BUF_INIT, seen = BUF_INIT, challenge = BUF_INIT;
    struct buf final = BUF_INIT, signature = BUF_INIT;
    struct scram s;

    if (name.len == 0 || memchr(name.data, '\0', name.len) != NULL ||
        !is_nonce(nonce))
        return;
    buf_add_text(&first, "n,,n=");
    escape(&first, name);
    buf_add_text(&first, ",r=");
    buf_add_view(&first, nonce);
    scram_begin(&s, false, "server-nonce");
    MUST(scram_client_first(&s, buf_view(&first), &binding, false, &seen) ==
         SCRAM_RIGHT);
    MUST(view_eq(buf_view(&seen), name));
    scram_server_first(&s, &keys, &challenge);
    prove(&final, view_sub(buf_view(&first), 3, first.len),
          buf_view(&challenge), VIEW("n,,"));
    MUST(scram_client_final(&s, buf_view(&final), &keys, &signature) ==
         SCRAM_RIGHT);
    MUST(view_starts(buf_view(&signature), "v="));
    final.data[final.len - 10] ^= 1;
    MUST(scram_client_final(&s, buf_view(&final), &keys, &signature) !=
         SCRAM_RIGHT);
    scram_release(&s);
    buf_release(&first);
    buf_release(&seen);
    buf_release(&challenge);
    buf_release(&final);
    buf_release(&signature);
}

/* --- the rest ---------------------------------------------------------- */

static void check_keys(struct view text)
{
    struct buf again = BUF_INIT;
    struct scram_keys k, l;

    if (scram_keys_parse(text, &k)) {
        scram_keys_format(&again, &k);
        MUST(again.len <= SCRAM_KEYS_TEXT);
        MUST(scram_keys_parse(buf_view(&again), &l));
        MUST(k.iterations == l.iterations &&
             memcmp(k.salt, l.salt, sizeof k.salt) == 0 &&
             memcmp(k.stored, l.stored, sizeof k.stored) == 0 &&
             memcmp(k.server, l.server, sizeof k.server) == 0);
    }
    buf_release(&again);
}

/* What is prepared stays as it is when it is prepared again. */
static void check_saslprep(struct view text)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;
    struct error err;

    if (saslprep(&once, text, &err) == 0) {
        MUST(utf8_is_valid(buf_view(&once)));
        if (saslprep(&twice, buf_view(&once), &err) == 0)
            MUST(view_eq(buf_view(&once), buf_view(&twice)));
    }
    buf_release(&once);
    buf_release(&twice);
}

static void check_mechanisms(struct view text)
{
    struct buf list = BUF_INIT, out = BUF_INIT;
    struct view rest, name;

    if (memchr(text.data, '\0', text.len) == NULL) {
        buf_add_view(&list, text);
        mechanism_add(&out, buf_text(&list), false, "", " ");
        rest = buf_view(&out);
        while (view_word(&rest, " ", &name)) {
            MUST(mechanism_is_offered(buf_text(&list), name, false));
            MUST(!view_ends(name, "-PLUS"));
        }
    }
    buf_release(&list);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view rest = fuzz_text(data, len), first, final;

    if (keys.iterations == 0)
        prepare();
    if (len == 0)
        return 0;
    view_cut(&rest, '\0', &first);
    view_cut(&rest, '\0', &final);
    stranger(first, final, false);
    stranger(first, final, true);
    friend_of_ours(first, final);
    check_keys(first);
    check_saslprep(first);
    check_mechanisms(first);
    return 0;
}
