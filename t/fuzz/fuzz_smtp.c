/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What servers answer to smtp, and dnsd before them.
 *
 * The input's first byte says how replies come; then the records that dnsd
 * gives for MX, those for addresses, and the next hop, each ended by a NUL;
 * the rest is what the server says.
 *
 * What must hold: every recipient has one result; a recipient is delivered
 * only by a 2xx reply; what goes into the log, to qmgr and over the wire has
 * no line ends that the server or DNS put there.
 */
#include "smtp/smtp.h"

#include <unistd.h>

#include "base/ascii.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/others.h"

#define N_RCPTS 3
#define CONTENT "Subject: x\r\n\r\n.\r\n..two\r\n"

enum {
    BY_LINES = 1,   /* else each reply ends at a mark */
    BIG_NEEDS = 2,  /* SMTPUTF8 and DSN */
    FLAKY_DNS = 4,
};

static struct {
    struct view mx, addresses, says;
    unsigned how;
    bool said_2xx;
} input;

/* --- DNS --------------------------------------------------------------- */

/* dnsd gives lines of printable characters (dnsd/answer.c). */
static void say_records(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        buf_add_char(out, v.data[i] == '\n' || (v.data[i] >= ' ' &&
                                                v.data[i] <= '~')
                              ? v.data[i] : '?');
}

static void dnsd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct dns_ask ask;
    struct dns_answer a = { .result = DNS_OK };
    struct buf records = BUF_INIT;

    others_decode(p, &dns_ask_type, &ask);
    a.ticket = ask.ticket;
    say_records(&records, ask.kind == DNS_MX ? input.mx : input.addresses);
    a.records = buf_view(&records);
    if (a.records.len == 0)
        a.result = input.how & FLAKY_DNS ? DNS_LATER : DNS_NONE;
    others_say(line, &dns_answer_type, &a);
    buf_release(&records);
}

static const struct other others[] = {
    { "dnsd", dnsd_answer }, { NULL, NULL },
};

/* --- a delivery -------------------------------------------------------- */

static bool is_line(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (ascii_is_control(v.data[i]))
            return false;
    return true;
}

static void check_dsn(struct view dsn, uint32_t status)
{
    static const char class[] = { [RCPT_DELIVERED] = '2',
                                  [RCPT_DEFERRED] = '4',
                                  [RCPT_BOUNCED] = '5' };

    MUST(status >= RCPT_DELIVERED && status <= RCPT_BOUNCED);
    MUST(dsn.len >= 5 && dsn.data[0] == class[status] && dsn.data[1] == '.');
}

/* What qmgr hears: a result for each recipient. */
static void hear_results(struct ipc *qmgr)
{
    unsigned seen = 0;

    for (;;) {
        struct delivery_result r;
        struct error err;
        struct ipc_packet p;

        if (ipc_recv_raw(qmgr->fd, &qmgr->in, &p, MSG_DONTWAIT) <= 0)
            break;
        MUST(ipc_packet_decode(&p, &delivery_result_type, &r, &err) == 0);
        MUST(r.index < N_RCPTS && !(seen & (1u << r.index)));
        seen |= 1u << r.index;
        check_dsn(r.dsn, r.status);
        MUST(is_line(r.text) && is_line(r.diag) && is_line(r.remote));
        MUST(r.status != RCPT_DELIVERED || input.said_2xx);
    }
    MUST(seen == (1u << N_RCPTS) - 1);
}

/* All that was said to the server: lines; and the content but for its end is
 * what we were given, a dot doubled. */
static void check_said(struct view heard)
{
    struct view line, rest = heard;

    MUST(heard.len == 0 || view_ends(heard, "\n"));
    while (view_cut(&rest, '\n', &line) && rest.data != NULL) {
        MUST(view_ends(line, "\r"));
        MUST(is_line(view_sub(line, 0, line.len - 1)));
    }
}

static void deliver(struct delivery *d, struct dns *dns, char *nexthop)
{
    bool done[N_RCPTS] = { false };
    struct work w = { d, done, N_RCPTS };
    struct trouble t = { .is_permanent = false };
    struct agent_status s = { .status = RCPT_DEFERRED, .relay = "none" };
    struct hosts hosts;

    if (hosts_find(dns, nexthop, &hosts, &t) == 0) {
        MUST(hosts.n <= smtp_conf.smtp_mx_address_limit);
        for (size_t i = 0; i < hosts.n; i++)
            MUST(hosts.list[i].port > 0 && hosts.list[i].port < 65536 &&
                 hosts.list[i].address[0] != '\0');
        MUST(hosts.n > 0 || t.dsn[0] != '\0');
    } else {
        MUST(t.dsn[0] != '\0' && t.text.len > 0);
    }
    for (size_t i = 0; i < hosts.n && i < 1 && w.left > 0; i++) {
        guest_invite(guest_begin(input.says, input.how & BY_LINES
                                                 ? GUEST_LINES
                                                 : GUEST_MARKED));
        dialogue_run(&w, &hosts.list[i], &t);
        check_said(guest_heard());
        guest_end();
    }
    s.dsn = t.is_permanent ? "5.0.0" : "4.0.0";
    s.status = t.is_permanent ? RCPT_BOUNCED : RCPT_DEFERRED;
    s.text = VIEW("no server");
    for (size_t i = 0; i < N_RCPTS; i++)
        work_result(&w, i, &s);
    hosts_release(&hosts);
    buf_release(&t.text);
}

static void fill(struct delivery *d, struct delivery_rcpt *rcpts, int fd)
{
    d->begin = (struct delivery_begin){
        .queue_id = VIEW("0123456789ABCDEF"),
        .fd = fd,
        .content_len = sizeof CONTENT - 1,
        .sender = VIEW("ann@one.example"),
    };
    if (input.how & BIG_NEEDS) {
        d->begin.flags = ENVELOPE_SMTPUTF8 | ENVELOPE_8BITMIME;
        d->begin.ret = ENVELOPE_RET_HDRS;
        d->begin.envid = VIEW("x+2By");
    }
    for (uint32_t i = 0; i < N_RCPTS; i++)
        rcpts[i] = (struct delivery_rcpt){
            .index = i, .address = VIEW("bob@two.example"),
            .notify = ENVELOPE_NOTIFY_SUCCESS, .orcpt = VIEW("rfc822;b"),
        };
    d->rcpts = rcpts;
    d->n_rcpts = N_RCPTS;
    snprintf(d->queue_id, sizeof d->queue_id, "0123456789ABCDEF");
}

static void run(struct daemon *daemon, char *nexthop)
{
    static int content = -1;
    struct delivery_rcpt rcpts[N_RCPTS];
    bool answered[N_RCPTS] = { false };
    struct delivery d = { .answered = answered };
    struct ipc near, far;
    struct error err;
    struct dns dns;
    int pair[2];

    if (content < 0)
        content = fuzz_file(VIEW(CONTENT));
    MUST(ipc_pair(pair, &err) == 0);
    ipc_init(&near, pair[0], 1000);
    ipc_init(&far, pair[1], 1000);
    fill(&d, rcpts, content);
    d.qmgr = &near;
    dns_init(&dns, daemon, 1000);
    deliver(&d, &dns, nexthop);
    hear_results(&far);
    dns_release(&dns);
    ipc_release(&near);
    ipc_release(&far);
}

/* Did the server say a reply that could mean "delivered"? */
static bool has_2xx(struct view says)
{
    for (size_t i = 0; i + 2 < says.len; i++)
        if (says.data[i] == '2' && ascii_is_digit(says.data[i + 1]))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct daemon d;
    struct view rest = fuzz_text(data + 1, len - 1), nexthop;
    char name[513];

    if (d.control_line.fd == 0) {
        fuzz_configure(smtp_params, &smtp_conf,
                       "myhostname = mx.one.example\n"
                       "smtp_tls_security_level = none\n");
        others_begin(&d, -1, others);
    }
    if (len == 0 || !view_cut(&rest, '\0', &input.mx) ||
        !view_cut(&rest, '\0', &input.addresses) ||
        !view_cut(&rest, '\0', &nexthop))
        return 0;
    input.how = data[0];
    input.says = rest;
    input.said_2xx = has_2xx(rest);
    if (input.mx.len < 40000 && input.addresses.len < 40000 &&
        is_line(nexthop) && view_copy(nexthop, name, sizeof name))
        run(&d, name);
    others_settle();
    fuzz_closed_all();
    return 0;
}
