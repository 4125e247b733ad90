/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue as mailq shows it, byte for byte what scripts cut into columns,
 * and as JSON with Postfix's fields. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "mail/date.h"
#include "proto/queue.h"
#include "queue/qfile.h"
#include "tools/common/command.h"
#include "tools/common/offline.h"

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
    json_add_text(&l->text, m->sender.len ? m->sender : VIEW("MAILER-DAEMON"));
    buf_add_text(&l->text, ", ");
}

static void begin_text(struct listing *l, const struct queue_item *m)
{
    char mark = view_is(m->queue_name, "active") ? '*'
              : view_is(m->queue_name, "hold") ? '!' : ' ';
    struct buf date = BUF_INIT, sender = BUF_INIT;

    date_format_short(&date, date_local((int64_t)(m->arrival_us / 1000000)));
    utf8_add_visible(&sender, m->sender.len > 0 ? m->sender
                                                : VIEW("MAILER-DAEMON"));
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
        json_add_text(&l->rcpts, r->address);
        if (r->reason.len > 0) {
            buf_add_text(&l->rcpts, ", \"delay_reason\": ");
            json_add_text(&l->rcpts, r->reason);
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

/* --- when nothing runs ------------------------------------------------- */

static void list_file(int dir, const char *queue, const char *id, void *arg)
{
    struct listing *l = arg;
    struct queue_item m = { .queue_name = view_of(queue),
                            .queue_id = view_of(id) };
    struct buf path = BUF_INIT;
    struct qfile q = { .rcpts = NULL };
    struct error err;
    int fd;

    buf_addf(&path, "%s/%s", queue, id);
    fd = openat(dir, buf_text(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || qfile_read(&q, fd, buf_text(&path), &err) < 0) {
        command_say("warning", "%s cannot be read", buf_text(&path));
    } else {
        m.arrival_us = q.arrival_us;
        m.size = q.content_len;
        m.sender = q.e.sender;
        on_item(l, &m);
        for (size_t i = 0; i < q.n_rcpts; i++) {
            struct queue_item_rcpt r = { q.rcpts[i].r.address,
                                         q.rcpts[i].text };

            if (q.rcpts[i].status == RCPT_PENDING ||
                q.rcpts[i].status == RCPT_DEFERRED)
                on_rcpt(l, &r);
        }
    }
    qfile_release(&q);
    io_close(&fd);
    buf_release(&path);
}

/* --- when qmgr answers ------------------------------------------------- */

static void list_answers(struct listing *l, int fd)
{
    struct queue_list ask = { VIEW("") };
    struct error err;
    struct ipc c;

    ipc_init(&c, fd, 0);
    if (ipc_send(&c, &queue_list_type, &ask, &err) < 0)
        command_fail(EX_UNAVAILABLE, "%s", err.text);
    for (;;) {
        struct ipc_packet p;
        struct queue_item m;
        struct queue_item_rcpt r;

        if (ipc_recv(&c, &p, &err) <= 0)
            command_fail(EX_UNAVAILABLE, "the queue manager went away");
        if (ipc_id(p.bytes) == queue_done_type.id)
            break;
        if (ipc_id(p.bytes) == queue_item_type.id &&
            ipc_packet_decode(&p, &queue_item_type, &m, &err) == 0)
            on_item(l, &m);
        else if (ipc_packet_decode(&p, &queue_item_rcpt_type, &r, &err) == 0)
            on_rcpt(l, &r);
        ipc_packet_release(&p);
    }
    ipc_release(&c);
}

int queue_print(bool json)
{
    struct listing l = { .json = json };
    int fd = command_connect(QUEUE_SOCKET, SOCK_SEQPACKET), dir;

    if (fd >= 0)
        list_answers(&l, fd);
    else if ((dir = offline_begin()) >= 0)
        offline_each(dir, "", list_file, &l);
    else
        command_fail(EX_UNAVAILABLE, "Cannot list mail queue - mail system "
                     "is down");
    end_listing(&l);
    buf_release(&l.text);
    buf_release(&l.rcpts);
    return 0;
}
