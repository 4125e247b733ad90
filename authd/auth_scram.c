/* SPDX-License-Identifier: BSD-2-Clause */
/* SCRAM (RFC 5802) in an exchange. It costs us two HMACs, so it needs no
 * worker; a wrong proof is answered late like a wrong password. */
#include <sys/random.h>

#include "authd/authd.h"
#include "base/encode.h"
#include "base/log.h"

static int new_nonce(struct buf *out)
{
    char bytes[18]; /* 24 characters of base64 */

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return -1;
    encode_base64(out, (struct view){ bytes, sizeof bytes });
    return 0;
}

void scram_exchange_begin(struct exchange *x, const struct auth_begin *b)
{
    struct buf nonce = BUF_INIT;

    if (new_nonce(&nonce) < 0)
        log_fatal("auth: there are no random bytes");
    scram_begin(&x->scram, view_ends(view_of(x->mechanism), "-PLUS"),
                buf_text(&nonce));
    x->plus_offered = b->plus_offered;
    buf_add_view(&x->exporter, b->exporter);
    buf_add_view(&x->endpoint, b->endpoint);
    buf_release(&nonce);
}

/* The account's keys, or for a name without any some that fit nothing. Both
 * ways are gone in any case: the time of the answer is not to tell which of
 * them was wanted. */
static int find_keys(struct exchange *x, struct error *err)
{
    struct buf secret = BUF_INIT, name = BUF_INIT, fake = BUF_INIT;
    struct scram_keys keys;
    int rc = directory_account(view_of(x->name), &x->account, err);

    x->found = rc > 0;
    if (rc >= 0)
        rc = database_secret(&secret, err);
    if (rc < 0)
        goto out;
    directory_fold(&name, view_of(x->name));
    scram_keys_fake(&x->keys, buf_view(&secret), buf_view(&name),
                    authd_conf.scram_iterations);
    scram_keys_format(&fake, &x->keys);
    if (scram_keys_parse(x->found ? view_of(x->account.keys)
                                  : buf_view(&fake), &keys))
        x->keys = keys;
    explicit_bzero(&keys, sizeof keys);
out:
    buf_wipe(&secret);
    buf_wipe(&fake);
    buf_release(&name);
    return rc;
}

static void first(struct exchange *x, struct view data)
{
    struct scram_binding binding = { buf_view(&x->exporter),
                                     buf_view(&x->endpoint) };
    struct buf name = BUF_INIT, out = BUF_INIT;
    struct error err;
    enum scram_result r = scram_client_first(
        &x->scram, data, &binding, x->plus_offered, &name);

    if (r != SCRAM_RIGHT || !exchange_take_name(x, buf_view(&name))) {
        exchange_finish(x, r == SCRAM_WRONG ? AUTH_WRONG : AUTH_MALFORMED);
    } else if (find_keys(x, &err) < 0) {
        log_error("auth: %s", err.text);
        exchange_finish(x, AUTH_LATER);
    } else {
        scram_server_first(&x->scram, &x->keys, &out);
        x->step = SCRAM_FINAL;
        exchange_challenge(x, buf_view(&out));
    }
    buf_release(&name);
    buf_release(&out);
}

/* The proof. */
static void final(struct exchange *x, struct view data)
{
    struct buf out = BUF_INIT;
    enum scram_result r = scram_client_final(&x->scram, data, &x->keys, &out);

    if (r == SCRAM_MALFORMED) {
        exchange_finish(x, AUTH_MALFORMED);
    } else if (r == SCRAM_WRONG || !x->found || !x->account.enabled) {
        exchange_fail(x, "Password mismatch");
    } else {
        x->step = SCRAM_END;
        exchange_challenge(x, buf_view(&out));
    }
    buf_release(&out);
}

void scram_exchange_step(struct exchange *x, struct view data)
{
    if (x->step == SCRAM_FIRST)
        first(x, data);
    else if (x->step == SCRAM_FINAL)
        exchange_prove(x, data, final);
    else
        exchange_finish(x, data.len == 0 ? AUTH_OK : AUTH_MALFORMED);
}
