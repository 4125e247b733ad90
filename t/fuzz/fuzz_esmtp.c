/* SPDX-License-Identifier: BSD-2-Clause */
/* The parameters of MAIL and RCPT, and xtext: what is taken is within its
 * limits and can be written as it was read; xtext goes both ways. */
#include "mail/esmtp.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "t/fuzz/fuzz.h"

static bool has_control(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (ascii_is_control(v.data[i]))
            return true;
    return false;
}

static void check_param(const struct esmtp_params *all, size_t i, bool utf8)
{
    const struct esmtp_param *p = &all->list[i];
    char keyword[ESMTP_KEYWORD_MAX + 1];

    MUST(p->keyword.len > 0 && view_copy(p->keyword, keyword, sizeof keyword));
    MUST(esmtp_find(all, keyword) == p); /* so none is there twice */
    MUST(p->has_value == (p->value.len > 0));
    MUST(p->value.len <= ESMTP_VALUE_MAX && !has_control(p->value));
    for (size_t k = 0; k < p->value.len; k++)
        MUST(utf8 || (unsigned char)p->value.data[k] < 0x80);
}

static void write_again(const struct esmtp_params *params, bool utf8)
{
    struct buf text = BUF_INIT;
    struct esmtp_params again;
    struct error err;

    for (size_t i = 0; i < params->count; i++) {
        buf_add_char(&text, ' ');
        buf_add_view(&text, params->list[i].keyword);
        if (params->list[i].has_value) {
            buf_add_char(&text, '=');
            buf_add_view(&text, params->list[i].value);
        }
    }
    MUST(esmtp_parse(buf_view(&text), utf8, &again, &err) == 0);
    MUST(again.count == params->count);
    for (size_t i = 0; i < again.count; i++)
        MUST(view_eq(again.list[i].keyword, params->list[i].keyword) &&
             view_eq(again.list[i].value, params->list[i].value));
    buf_release(&text);
}

static void check_params(struct view text, bool utf8)
{
    struct esmtp_params params;
    struct error err;

    if (esmtp_parse(text, utf8, &params, &err) < 0) {
        MUST(err.kind == FAIL_PERM);
        return;
    }
    MUST(params.count <= ESMTP_PARAMS_MAX);
    for (size_t i = 0; i < params.count; i++)
        check_param(&params, i, utf8);
    write_again(&params, utf8);
}

/* Whatever has no controls can be written, and read again. */
static void check_xtext(struct view text)
{
    struct buf coded = BUF_INIT, plain = BUF_INIT;
    struct error err;

    esmtp_xtext_encode(&coded, text);
    for (size_t i = 0; i < coded.len; i++)
        MUST(ascii_is_visible(coded.data[i]) && coded.data[i] != '=');
    MUST((esmtp_xtext_decode(&plain, buf_view(&coded), &err) == 0) ==
         !has_control(text));
    if (!has_control(text))
        MUST(view_eq(buf_view(&plain), text));
    buf_reset(&plain);
    buf_reset(&coded);
    if (esmtp_xtext_decode(&plain, text, &err) == 0) {
        MUST(!has_control(buf_view(&plain)) && plain.len <= text.len);
        esmtp_xtext_encode(&coded, buf_view(&plain));
        buf_reset(&plain);
        MUST(esmtp_xtext_decode(&plain, buf_view(&coded), &err) == 0);
    } else {
        MUST(plain.len == 0);
    }
    buf_release(&coded);
    buf_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = fuzz_text(data, len);

    check_params(text, false);
    check_params(text, true);
    check_xtext(text);
    return 0;
}
