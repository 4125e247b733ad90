/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue as mailq shows it, byte for byte what scripts cut into columns,
 * and as JSON with Postfix's fields. */
#include <sysexits.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "mail/date.h"
#include "proto/queue.h"
#include "tools/common/command.h"

struct listing {
    bool json;
    unsigned n;
    uint64_t bytes;
    struct buf text;   /* of the message at hand */
    struct buf rcpts;  /* its recipients, as JSON */
};

static void end_message(struct listing *l)
{
    if (l->text.len == 0)
        return;
    if (l->json)
        buf_addf(&l->text, "\"recipients\": [%s]}\n", buf_text(&l->rcpts));
    else
        buf_add_char(&l->text, '\n');
    fwrite(l->text.data, 1, l->text.len, stdout);
    buf_reset(&l->text);
    buf_reset(&l->rcpts);
}

static void begin_json(struct listing *l, const struct queue_item *m)
{
    buf_addf(&l->text, "{\"queue_name\": \"%.*s\", \"queue_id\": \"%.*s\", "
             "\"arrival_time\": %llu, \"message_size\": %llu, "
             "\"forced_expire\": false, \"sender\": ",
             VIEW_ARG(m->queue_name), VIEW_ARG(m->queue_id),
             (unsigned long long)m->arrival_us / 1000000,
             (unsigned long long)m->size);
    command_json(&l->text, m->sender.len ? m->sender : VIEW("MAILER-DAEMON"));
    buf_add_text(&l->text, ", ");
}

static void begin_text(struct listing *l, const struct queue_item *m)
{
    char mark = view_is(m->queue_name, "active") ? '*'
              : view_is(m->queue_name, "hold") ? '!' : ' ';
    struct buf date = BUF_INIT, sender = BUF_INIT;

    date_format_short(&date, date_local((int64_t)(m->arrival_us / 1000000)));
    utf8_add_visible(&sender, m->sender.len ? m->sender : VIEW("MAILER-DAEMON"));
    buf_addf(&l->text, "%.*s%c %8llu %s %s\n", VIEW_ARG(m->queue_id), mark,
             (unsigned long long)m->size, buf_text(&date),
             buf_text(&sender));
    buf_release(&date);
    buf_release(&sender);
}

static void on_item(struct listing *l, const struct queue_item *m)
{
    end_message(l);
    if (l->n++ == 0 && !l->json)
        puts("----Queue ID----- --Size-- ---Arrival Time---- "
             "--Sender/Recipient------");
    l->bytes += m->size;
    if (l->json)
        begin_json(l, m);
    else
        begin_text(l, m);
}

static void on_rcpt(struct listing *l, const struct queue_item_rcpt *r)
{
    struct buf clean = BUF_INIT;

    if (l->json) {
        buf_addf(&l->rcpts, "%s{\"address\": ", l->rcpts.len ? ", " : "");
        command_json(&l->rcpts, r->address);
        if (r->reason.len > 0) {
            buf_add_text(&l->rcpts, ", \"delay_reason\": ");
            command_json(&l->rcpts, r->reason);
        }
        buf_add_char(&l->rcpts, '}');
        return;
    }
    if (r->reason.len > 0) {
        utf8_add_visible(&clean, r->reason);
        buf_addf(&l->text, "%*s(%s)\n", clean.len < 78 ? 78 - (int)clean.len
                                                       : 0, "",
                 buf_text(&clean));
        buf_reset(&clean);
    }
    utf8_add_visible(&clean, r->address);
    buf_addf(&l->text, "%48s%s\n", "", buf_text(&clean));
    buf_release(&clean);
}

static void end_listing(struct listing *l)
{
    end_message(l);
    if (l->json)
        return;
    if (l->n == 0)
        puts("Mail queue is empty");
    else
        printf("-- %llu Kbytes in %u Request%s.\n",
               (unsigned long long)(l->bytes + 1023) / 1024, l->n,
               l->n == 1 ? "" : "s");
}

int queue_print(bool json)
{
    struct queue_list ask = { VIEW("") };
    struct listing l = { .json = json };
    struct error err;
    struct ipc c;

    queue_connect(&c, "list mail queue");
    if (ipc_send(&c, &queue_list_type, &ask, &err) < 0)
        command_fail(EX_UNAVAILABLE, "%s", err.text);
    for (;;) {
        struct ipc_packet p;
        struct queue_item m;
        struct queue_item_rcpt r;
        int n = ipc_recv(&c, &p, &err);

        if (n <= 0)
            command_fail(EX_UNAVAILABLE, "the queue manager went away");
        if (ipc_id(p.bytes) == queue_done_type.id)
            break;
        if (ipc_id(p.bytes) == queue_item_type.id &&
            ipc_packet_decode(&p, &queue_item_type, &m, &err) == 0)
            on_item(&l, &m);
        else if (ipc_packet_decode(&p, &queue_item_rcpt_type, &r, &err) == 0)
            on_rcpt(&l, &r);
        ipc_packet_release(&p);
    }
    end_listing(&l);
    buf_release(&l.text);
    buf_release(&l.rcpts);
    ipc_release(&c);
    return 0;
}
