/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS answers: any packet becomes records that others can trust, or none.
 * The first byte says which question it answers.
 */
#include "dnsd/dnsd.h"

#include <arpa/nameser.h>

#include "base/ascii.h"
#include "base/network.h"
#include "t/fuzz/fuzz.h"

static void check_name(struct view v)
{
    MUST(v.len > 0 && v.len <= DNS_NAME_MAX);
    for (size_t i = 0; i < v.len; i++)
        MUST(ascii_is_alnum(v.data[i]) || v.data[i] == '-' ||
             v.data[i] == '_' || v.data[i] == '.');
}

/* "preference host", by preference. */
static void check_mx(struct view line, uint64_t *before)
{
    struct view number, host, more;
    uint64_t preference;

    MUST(view_word(&line, " ", &number) && view_word(&line, " ", &host) &&
         !view_word(&line, " ", &more));
    MUST(view_number(number, 65535, &preference) && preference >= *before);
    *before = preference;
    if (!view_is(host, "."))
        check_name(host);
}

static void check_address(struct view v, int family)
{
    struct network_address a;

    MUST(network_address_parse(v, &a) && a.family == family);
}

static void check_text(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        MUST(!ascii_is_control(v.data[i]));
}

static void check(int type, struct view records)
{
    uint64_t before = 0;
    struct view line;

    MUST(records.len == 0 || view_ends(records, "\n"));
    while (view_cut(&records, '\n', &line) && records.data != NULL) {
        if (type == ns_t_mx)
            check_mx(line, &before);
        else if (type == ns_t_ptr)
            check_name(line);
        else if (type == ns_t_txt)
            check_text(line);
        else
            check_address(line, type == ns_t_a ? AF_INET : AF_INET6);
        if (records.len == 0)
            break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const int types[] = { ns_t_mx, ns_t_a, ns_t_aaaa, ns_t_ptr,
                                 ns_t_txt };
    struct buf records = BUF_INIT;
    enum dns_result r;
    int type;

    if (len == 0 || len > 65536)
        return 0;
    type = types[data[0] % 5];
    r = answer_records(type, data + 1, (int)len - 1, &records);
    MUST(r == DNS_OK || r == DNS_NONE || r == DNS_LATER);
    if (r == DNS_OK) {
        MUST(records.len > 0);
        MUST(records.len <= DNS_RECORDS_MAX);
        check(type, buf_view(&records));
    }
    buf_release(&records);
    fuzz_closed_all();
    return 0;
}
