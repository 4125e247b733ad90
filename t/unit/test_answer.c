/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS packets made into records. */
#include "dnsd/dnsd.h"

#include <arpa/nameser.h>

#include "unit.h"

static void add_u16(struct buf *b, unsigned n)
{
    buf_add_char(b, (char)(n >> 8));
    buf_add_char(b, (char)n);
}

/* Header and question: "a.b", of this type, with `n` answers. */
static void begin(struct buf *b, unsigned type, unsigned n)
{
    unsigned head[] = { 7, 0x8180, 1, n, 0, 0 };

    for (size_t i = 0; i < 6; i++)
        add_u16(b, head[i]);
    buf_add(b, "\1a\1b\0", 5);
    add_u16(b, type);
    add_u16(b, ns_c_in);
}

static void add_record(struct buf *b, unsigned type, struct view data)
{
    add_u16(b, 0xc00c); /* the name asked for */
    add_u16(b, type);
    add_u16(b, ns_c_in);
    add_u16(b, 0);
    add_u16(b, 300);
    add_u16(b, (unsigned)data.len);
    buf_add_view(b, data);
}

static enum dns_result read_answer(int type, const struct buf *packet,
                                   struct buf *out)
{
    return answer_records(type, (const unsigned char *)packet->data,
                          (int)packet->len, out);
}

/* A name of 237 bytes, in labels of up to 59. */
static void add_long_name(struct buf *b)
{
    for (int label = 0; label < 4; label++) {
        buf_add_char(b, 58);
        for (int i = 0; i < 58; i++)
            buf_add_char(b, 'x');
    }
    buf_add_char(b, '\0');
}

static void the_best_servers_fit_when_not_all_do(void **state)
{
    struct buf packet = BUF_INIT, data = BUF_INIT, out = BUF_INIT;
    size_t name = 0;

    (void)state;
    begin(&packet, ns_t_mx, 300);
    for (unsigned i = 0; i < 300; i++) {
        buf_reset(&data);
        add_u16(&data, i == 299 ? 1 : 10);
        if (name == 0) {
            name = packet.len + 12 + 2;
            add_long_name(&data);
        } else {
            add_u16(&data, 0xc000 | (unsigned)name);
        }
        add_record(&packet, ns_t_mx, buf_view(&data));
    }
    assert_int_equal(read_answer(ns_t_mx, &packet, &out), DNS_OK);
    assert_true(out.len <= DNS_RECORDS_MAX);
    assert_true(view_starts(buf_view(&out), "1 xxx"));
    buf_release(&packet);
    buf_release(&data);
    buf_release(&out);
}

/* An alias that leads nowhere is an answer without an address. */
static void no_record_is_none(void **state)
{
    static const int types[] = { ns_t_a, ns_t_aaaa };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf packet = BUF_INIT, out = BUF_INIT;

        begin(&packet, (unsigned)types[i], 1);
        add_record(&packet, ns_t_cname, (struct view){ "\1c\1d\0", 5 });
        assert_int_equal(read_answer(types[i], &packet, &out), DNS_NONE);
        assert_int_equal(out.len, 0);
        buf_release(&packet);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_servers_fit_when_not_all_do),
        cmocka_unit_test(no_record_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
