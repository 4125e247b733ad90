/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keyd signs is what a TLS server signs in a handshake, and nothing else:
 * text_problem() against the two forms written down a second time, from the
 * RFCs and not from keyd.
 */
#include "keyd/keyd.h"
#include "t/fuzz/fuzz.h"

/* RFC 8446 §4.4.3: the octet 32 repeated 64 times, the context string, a zero
 * byte, and a hash of SHA-256 or SHA-384. */
static bool is_tls13(struct view v)
{
    static const char head[] =
        "                                "
        "                                "
        "TLS 1.3, server CertificateVerify";
    size_t fixed = sizeof head; /* its NUL is the zero byte */

    return (v.len == fixed + 32 || v.len == fixed + 48) &&
           memcmp(v.data, head, fixed) == 0;
}

/* RFC 8422 §5.4: two randoms of 32 bytes; named_curve (3), the curve, and a
 * point whose length the curve gives; §5.4.1: points are uncompressed (4). The
 * randoms must not be what begins a text of TLS 1.3. */
static bool is_tls12(struct view v)
{
    static const struct {
        size_t len;        /* of it all */
        const char *begins; /* the parameters */
        size_t n;
    } forms[] = {
        { 64 + 4 + 65, "\x03\x00\x17\x41\x04", 5 },  /* secp256r1 */
        { 64 + 4 + 97, "\x03\x00\x18\x61\x04", 5 },  /* secp384r1 */
        { 64 + 4 + 133, "\x03\x00\x19\x85\x04", 5 }, /* secp521r1 */
        { 64 + 4 + 32, "\x03\x00\x1d\x20", 4 },      /* x25519 */
        { 64 + 4 + 56, "\x03\x00\x1e\x38", 4 },      /* x448 */
    };
    bool random = false;

    for (size_t i = 0; i < 64 && i < v.len; i++)
        random = random || v.data[i] != 0x20;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (random && v.len == forms[i].len &&
            memcmp(v.data + 64, forms[i].begins, forms[i].n) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = fuzz_text(data, len);

    MUST((text_problem(text) == NULL) == (is_tls13(text) || is_tls12(text)));
    return 0;
}
