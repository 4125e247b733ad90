/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two texts that a TLS server signs. A program that was taken over can so
 * have handshakes signed, which is its work, and nothing else: no other
 * protocol's text, no client's, no certificate.
 *
 *     TLS 1.3 (RFC 8446 §4.4.3)  64 spaces, the context, 0, the transcript's
 *                                hash
 *     TLS 1.2 (RFC 8422 §5.4)    client random, server random, curve type,
 *                                curve, length and value of the public key
 *
 * 64 random bytes are never all spaces, so that neither passes for the other.
 */
#include "keyd/keyd.h"

#define PAD        64
#define CURVE_TYPE 3 /* named_curve */
#define POINT_UNCOMPRESSED 4

static bool is_pad(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] != ' ')
            return false;
    return v.len == PAD;
}

static const char *tls13_problem(struct view rest)
{
    static const char context[] = "TLS 1.3, server CertificateVerify";
    size_t hash = rest.len - sizeof context;

    if (rest.len < sizeof context ||
        memcmp(rest.data, context, sizeof context) != 0)
        return "not the text of a TLS 1.3 server";
    if (hash != 32 && hash != 48)
        return "no transcript hash of TLS 1.3";
    return NULL;
}

static const char *tls12_problem(struct view rest)
{
    static const struct {
        unsigned group, len;
        bool is_point;
    } groups[] = {
        { 23, 65, true }, { 24, 97, true }, { 25, 133, true },
        { 29, 32, false }, { 30, 56, false },
    };
    const unsigned char *b = (const unsigned char *)rest.data;

    if (rest.len < 4 || b[0] != CURVE_TYPE)
        return "not the ECDHE parameters of a TLS 1.2 server";
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (groups[i].group == (b[1] * 256u + b[2]) &&
            groups[i].len == b[3] && rest.len == 4u + b[3] &&
            (!groups[i].is_point || b[4] == POINT_UNCOMPRESSED))
            return NULL;
    return "ECDHE parameters that are not well-formed";
}

const char *text_problem(struct view text)
{
    struct view rest = view_sub(text, PAD, text.len);

    if (text.len < PAD)
        return "too short";
    if (is_pad(view_sub(text, 0, PAD)))
        return tls13_problem(rest);
    return tls12_problem(rest);
}
