/* SPDX-License-Identifier: BSD-2-Clause */
/* SCRAM-SHA-256: the example of RFC 7677, and what a client may not say. */
#include "unit.h"

#include "base/encode.h"
#include "sasl/mechanism.h"
#include "sasl/saslprep.h"
#include "sasl/scram.h"

#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE        CLIENT_NONCE SERVER_NONCE
#define PROOF        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

static const struct scram_binding no_tls;

static struct scram_keys pencil(void)
{
    struct buf salt = BUF_INIT;
    struct scram_keys k;
    struct error err;

    assert_int_equal(decode_base64(&salt, VIEW("W22ZaJ0SNY7soEsUEjb6gQ==")),
                     0);
    assert_int_equal(scram_prepare(&err), 0);
    assert_int_equal(scram_keys_make(&k, VIEW("pencil"),
                                     (unsigned char *)salt.data, 4096, &err),
                     0);
    buf_release(&salt);
    return k;
}

static void test_the_example(void **state)
{
    struct scram_keys k = pencil();
    struct buf name = BUF_INIT, out = BUF_INIT;
    struct scram s;

    (void)state;
    scram_begin(&s, false, SERVER_NONCE);
    assert_int_equal(scram_client_first(&s, VIEW("n,,n=user,r=" CLIENT_NONCE),
                                        &no_tls, false, &name), SCRAM_RIGHT);
    assert_string_equal(buf_text(&name), "user");
    scram_server_first(&s, &k, &out);
    assert_string_equal(buf_text(&out), "r=" NONCE
                        ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    buf_reset(&out);
    assert_int_equal(scram_client_final(&s, VIEW("c=biws,r=" NONCE ",p="
                                                 PROOF), &k, &out),
                     SCRAM_RIGHT);
    assert_string_equal(buf_text(&out),
                        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    scram_release(&s);
    buf_release(&name);
    buf_release(&out);
}

static void test_keys_as_text(void **state)
{
    struct scram_keys k = pencil(), again;
    struct buf text = BUF_INIT;

    (void)state;
    scram_keys_format(&text, &k);
    assert_true(text.len <= SCRAM_KEYS_TEXT);
    assert_true(view_starts(buf_view(&text),
                            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
    assert_true(scram_keys_parse(buf_view(&text), &again));
    assert_memory_equal(&k, &again, sizeof k);
    for (size_t n = 0; n < text.len; n++)
        assert_false(scram_keys_parse(view_sub(buf_view(&text), 0, n),
                                      &again));
    buf_release(&text);
}

static void test_first_messages(void **state)
{
    static const struct {
        const char *message;
        bool plus, offered;
        enum scram_result result;
        const char *name;
    } rows[] = {
        { "n,,n=user,r=12345678", false, false, SCRAM_RIGHT, "user" },
        { "n,a=user,n=user,r=12345678", false, false, SCRAM_RIGHT, "user" },
        { "n,a=root,n=user,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,user,n=user,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=a=2Cb=3Dc,r=12345678", false, false, SCRAM_RIGHT, "a,b=c" },
        { "n,,n=a=2c,r=12345678", false, false, SCRAM_RIGHT, "a," },
        { "n,,n=a=20,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=a=,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,,m=ext,n=user,r=12345678", false, false, SCRAM_MALFORMED, 0 },
        { "n,,r=12345678,n=user", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=user,r=short", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=user,r=with blank", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=user", false, false, SCRAM_MALFORMED, 0 },
        { "n,,n=user,r=12345678,x=more", false, false, SCRAM_RIGHT, "user" },
        { "n,,", false, false, SCRAM_MALFORMED, 0 },
        { "n,", false, false, SCRAM_MALFORMED, 0 },
        { "", false, false, SCRAM_MALFORMED, 0 },
        /* a client that could bind, and whether it was told that we can */
        { "y,,n=user,r=12345678", false, false, SCRAM_RIGHT, "user" },
        { "y,,n=user,r=12345678", false, true, SCRAM_WRONG, 0 },
        { "p=tls-exporter,,n=user,r=12345678", false, true, SCRAM_MALFORMED,
          0 },
        { "p=tls-exporter,,n=user,r=12345678", true, true, SCRAM_RIGHT,
          "user" },
        { "p=tls-unique,,n=user,r=12345678", true, true, SCRAM_MALFORMED, 0 },
        { "p=tls-server-end-point,,n=user,r=12345678", true, true,
          SCRAM_MALFORMED, 0 }, /* this connection has none */
        { "n,,n=user,r=12345678", true, true, SCRAM_MALFORMED, 0 },
        { "y,,n=user,r=12345678", true, true, SCRAM_MALFORMED, 0 },
    };
    const struct scram_binding b = { .exporter = VIEW("EXPORTED") };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf name = BUF_INIT;
        struct scram s;

        scram_begin(&s, rows[i].plus, SERVER_NONCE);
        if (scram_client_first(&s, view_of(rows[i].message), &b,
                               rows[i].offered, &name) != rows[i].result)
            fail_msg("row %zu: %s", i, rows[i].message);
        if (rows[i].name != NULL)
            assert_string_equal(buf_text(&name), rows[i].name);
        scram_release(&s);
        buf_release(&name);
    }
}

static void test_final_messages(void **state)
{
    static const struct {
        const char *message;
        enum scram_result result;
    } rows[] = {
        { "c=biws,r=" NONCE ",p=" PROOF, SCRAM_RIGHT },
        { "c=biws,r=" NONCE ",x=y,p=" PROOF, SCRAM_WRONG }, /* is signed */
        { "c=biws,r=" CLIENT_NONCE ",p=" PROOF, SCRAM_WRONG },
        { "c=eSws,r=" NONCE ",p=" PROOF, SCRAM_WRONG }, /* "y,," */
        { "c=biws,r=" NONCE ",p=AAAA", SCRAM_MALFORMED },
        { "c=biws,r=" NONCE, SCRAM_MALFORMED },
        { "c=biws,p=" PROOF, SCRAM_MALFORMED },
        { "r=" NONCE ",p=" PROOF, SCRAM_MALFORMED },
        { "p=" PROOF, SCRAM_MALFORMED },
        { "", SCRAM_MALFORMED },
    };
    struct scram_keys k = pencil(), fake;

    (void)state;
    scram_keys_fake(&fake, VIEW("secret"), VIEW("user"), 4096);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool is_fake = i % 2;
        struct buf out = BUF_INIT;
        struct scram s;

        scram_begin(&s, false, SERVER_NONCE);
        scram_client_first(&s, VIEW("n,,n=user,r=" CLIENT_NONCE), &no_tls,
                           false, &out);
        /* The salt is not what matters to the proof, the challenge is. */
        scram_server_first(&s, &k, &out);
        buf_reset(&out);
        if (scram_client_final(&s, view_of(rows[i / 2].message),
                               is_fake ? &fake : &k, &out) !=
            (is_fake && rows[i / 2].result == SCRAM_RIGHT
                 ? SCRAM_WRONG : rows[i / 2].result))
            fail_msg("row %zu: %s", i / 2, rows[i / 2].message);
        scram_release(&s);
        buf_release(&out);
    }
}

static void test_fake_keys(void **state)
{
    struct scram_keys a, b, c;

    (void)state;
    scram_keys_fake(&a, VIEW("secret"), VIEW("nobody@one.example"), 4096);
    scram_keys_fake(&b, VIEW("secret"), VIEW("nobody@one.example"), 4096);
    scram_keys_fake(&c, VIEW("secret"), VIEW("noone@one.example"), 4096);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(a.salt, c.salt, sizeof a.salt);
}

/* RFC 4013 §3. */
static void test_saslprep(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: forbidden */
    } rows[] = {
        { "I\xc2\xadX", "IX" },
        { "user", "user" },
        { "USER", "USER" },
        { "\xc2\xaa", "a" },
        { "\xe2\x85\xa8", "IX" },
        { "\x07", NULL },
        { "\xd8\xa7" "1", NULL },
        { "a\xc2\xa0" "b", "a b" },
        { "\xff", NULL },
        { "", "" },
    };
    struct error err;

    (void)state;
    assert_int_equal(saslprep_open(&err), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;

        if ((saslprep(&out, view_of(rows[i].in), &err) == 0) !=
            (rows[i].out != NULL))
            fail_msg("row %zu", i);
        if (rows[i].out != NULL)
            assert_string_equal(buf_text(&out), rows[i].out);
        buf_release(&out);
    }
}

static void test_lists(void **state)
{
    static const char list[] = "PLAIN, SCRAM-SHA-256 SCRAM-SHA-256-PLUS";
    struct buf out = BUF_INIT;

    (void)state;
    assert_true(mechanism_is_offered(list, VIEW("plain"), false));
    assert_false(mechanism_is_offered(list, VIEW("LOGIN"), true));
    assert_true(mechanism_is_offered(list, VIEW("scram-sha-256-plus"), true));
    assert_false(mechanism_is_offered(list, VIEW("SCRAM-SHA-256-PLUS"),
                                      false));
    mechanism_add(&out, list, false, " ", "");
    assert_string_equal(buf_text(&out), " PLAIN SCRAM-SHA-256");
    buf_reset(&out);
    mechanism_add(&out, list, true, "", ";");
    assert_string_equal(buf_text(&out),
                        "PLAIN;SCRAM-SHA-256;SCRAM-SHA-256-PLUS;");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example),
        cmocka_unit_test(test_keys_as_text),
        cmocka_unit_test(test_first_messages),
        cmocka_unit_test(test_final_messages),
        cmocka_unit_test(test_fake_keys),
        cmocka_unit_test(test_saslprep),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
