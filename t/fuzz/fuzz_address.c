/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and ESMTP parameters: what is accepted is a fixed point. */
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/esmtp.h"
#include "t/fuzz/fuzz.h"

static void check_parsed(const struct address *a)
{
    struct address again;
    struct buf b = BUF_INIT;
    struct error err;

    address_format(&b, a);
    for (size_t i = 0; i < b.len; i++)
        MUST((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
    MUST(utf8_is_valid(buf_view(&b)));
    MUST(address_parse(buf_view(&b), ADDRESS_SMTPUTF8 | ADDRESS_NULL |
                       ADDRESS_LONG | ADDRESS_LOCAL_ONLY, &again, &err) == 0);
    MUST(address_eq(a, &again));
    MUST(a->literal || a->domain_len == 0 ||
         address_is_domain(address_domain(a), ADDRESS_SMTPUTF8));
    buf_release(&b);
}

static void check_params(struct view rest)
{
    struct esmtp_params params;
    struct buf b = BUF_INIT, x = BUF_INIT;
    struct error err;

    if (esmtp_parse(rest, true, &params, &err) == 0)
        for (size_t i = 0; i < params.count; i++)
            if (esmtp_xtext_decode(&b, params.list[i].value, &err) == 0)
                esmtp_xtext_encode(&x, buf_view(&b));
    buf_release(&b);
    buf_release(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view line, text;
    struct address a;
    struct error err;

    if (len == 0)
        return 0;
    text = line = (struct view){ (const char *)data + 1, len - 1 };
    if (address_parse_path(&line, data[0], &a, &err) == 0) {
        check_parsed(&a);
        check_params(line);
    } else {
        MUST(a.fault != ADDRESS_OK && view_eq(line, text));
    }
    if (address_parse(text, data[0], &a, &err) == 0)
        check_parsed(&a);
    return 0;
}
