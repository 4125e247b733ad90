/* SPDX-License-Identifier: BSD-2-Clause */
/* Where mail goes, by what dnsd answers. */
#include "smtp/smtp.h"

#include <pthread.h>

#include "unit.h"

/* A line to a dnsd that has answered already. */
static void open_line(struct dns *dns, struct ipc *dnsd)
{
    struct error err;
    int pair[2];

    smtp_conf.myhostname = (char *)(uintptr_t)"mx.one.example";
    smtp_conf.smtp_mx_address_limit = 5;
    smtp_conf.smtp_tcp_port = 25;
    dns_init(dns, NULL, 1000);
    assert_int_equal(ipc_pair(pair, &err), 0);
    ipc_init(&dns->channel, pair[0], 1000);
    ipc_init(dnsd, pair[1], 1000);
}

/* dns_ask() takes a line with something on it for one that has gone, so each
 * answer is sent when its question is there: by a thread of one's own. */
struct script {
    struct ipc dnsd;
    const char *const *records; /* ended by NULL */
};

static void *answer(void *arg)
{
    struct script *s = arg;

    for (; *s->records != NULL; s->records++) {
        struct dns_answer a = { .records = view_of(*s->records) };
        struct dns_ask ask;
        struct error err;

        if (ipc_expect(&s->dnsd, &dns_ask_type, &ask, &err) < 0)
            break;
        a.ticket = ask.ticket;
        a.result = a.records.len > 0 ? DNS_OK : DNS_NONE;
        ipc_send(&s->dnsd, &dns_answer_type, &a, &err);
    }
    return NULL;
}


static int find(const char *nexthop, const char *const *records,
                struct hosts *h, struct trouble *t)
{
    struct script s = { .records = records };
    pthread_t thread;
    struct dns dns;
    int rc;

    open_line(&dns, &s.dnsd);
    assert_int_equal(pthread_create(&thread, NULL, answer, &s), 0);
    rc = hosts_find(&dns, nexthop, h, t);
    pthread_join(thread, NULL);
    dns_release(&dns);
    ipc_release(&s.dnsd);
    return rc;
}

static void servers_come_by_preference(void **state)
{
    static const char *const records[] = { "10 a.example\n20 b.example\n",
                                           "192.0.2.1\n", "192.0.2.2\n",
                                           NULL };
    struct trouble t = { .is_permanent = false };
    struct hosts h;

    (void)state;
    assert_int_equal(find("two.example", records, &h, &t), 0);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.list[0].name, "a.example");
    assert_string_equal(h.list[1].address, "192.0.2.2");
    hosts_release(&h);
    buf_release(&t.text);
}

/* Whatever is missing, it is said, and not for good. */
static void answers_of_no_use_are_trouble(void **state)
{
    static const struct {
        const char *nexthop;
        const char *records[3];
    } rows[] = {
        { "two.example", { "rubbish\n", NULL } },
        { "two.example", { "10 a.example\n", "\n", NULL } },
        { "[two.example]", { "\n", NULL } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trouble t = { .is_permanent = true };
        struct hosts h;

        assert_int_equal(find(rows[i].nexthop, rows[i].records, &h, &t), -1);
        assert_int_equal(h.n, 0);
        assert_false(t.is_permanent);
        assert_string_equal(t.dsn, "4.4.3");
        assert_non_null(strstr(buf_text(&t.text), "no usable record"));
        hosts_release(&h);
        buf_release(&t.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_come_by_preference),
        cmocka_unit_test(answers_of_no_use_are_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
