/* SPDX-License-Identifier: BSD-2-Clause */
/* What keyd signs, and what it does not. */
#include "keyd/keyd.h"
#include "unit.h"

#define CONTEXT "TLS 1.3, server CertificateVerify"

/* A text: `pad` bytes of `fill`, then `rest`, then `tail` zeroes. */
struct row {
    size_t pad;
    char fill;
    struct view rest;
    size_t tail;
    bool good;
};

#define BYTES(s) { s, sizeof(s) - 1 }

static const struct row rows[] = {
    /* TLS 1.3: hashes of 32 and 48 bytes */
    { 64, ' ', BYTES(CONTEXT "\0"), 32, true },
    { 64, ' ', BYTES(CONTEXT "\0"), 48, true },
    { 64, ' ', BYTES(CONTEXT "\0"), 64, false },
    { 64, ' ', BYTES(CONTEXT "\0"), 0, false },
    { 64, ' ', BYTES(CONTEXT), 0, false },
    { 64, ' ', BYTES("TLS 1.3, client CertificateVerify\0"), 32, false },
    { 63, ' ', BYTES(CONTEXT "\0"), 32, false },
    { 65, ' ', BYTES(CONTEXT "\0"), 32, false },
    { 64, 'x', BYTES(CONTEXT "\0"), 32, false },

    /* TLS 1.2: P-256, P-384, X25519 */
    { 64, 'r', BYTES("\3\0\27\101\4"), 64, true },
    { 64, 'r', BYTES("\3\0\30\141\4"), 96, true },
    { 64, 'r', BYTES("\3\0\35\40"), 32, true },
    { 64, 'r', BYTES("\3\0\27\101\4"), 63, false },
    { 64, 'r', BYTES("\3\0\27\101\4"), 65, false },
    { 64, 'r', BYTES("\3\0\27\101\2"), 64, false },
    { 64, 'r', BYTES("\3\0\27\100\4"), 63, false },
    { 64, 'r', BYTES("\1\0\27\101\4"), 64, false },
    { 64, 'r', BYTES("\3\0\1\101\4"), 64, false },
    { 64, ' ', BYTES("\3\0\27\101\4"), 64, false },
    { 64, 'r', BYTES(""), 0, false },
    { 0, 'r', BYTES(""), 0, false },
    { 0, 'r', BYTES("From: somebody@example.org\r\n"), 0, false },
};

static void texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT;
        const char *why;

        for (size_t n = 0; n < rows[i].pad; n++)
            buf_add_char(&b, rows[i].fill);
        buf_add_view(&b, rows[i].rest);
        for (size_t n = 0; n < rows[i].tail; n++)
            buf_add_char(&b, '\0');
        why = text_problem(buf_view(&b));
        if ((why == NULL) != rows[i].good)
            fail_msg("row %zu: %s", i, why ? why : "accepted");
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
