/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon from which nothing sensible comes. Linked with a daemon's own
 * main.c, so that it has that one's name, jail and channels; the name of the
 * directory in which the program's file is says what it does:
 *
 *     exits     ends as soon as it is started
 *     closes    takes each peer and closes the channel
 *     babbles   answers each message with random bytes
 *     echoes    with the message itself: well formed, and out of place
 *     halves    with the first half of an answer of the right type
 */
#include <stdbool.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/accounts.h"
#include "proto/auth.h"
#include "proto/bounce.h"
#include "proto/cleanup.h"
#include "proto/delivery.h"
#include "proto/directory.h"
#include "proto/dns.h"
#include "proto/queue.h"
#include "proto/resolve.h"
#include "proto/sign.h"
#include "service/service.h"

int __real_service_main(const struct service *s, int argc, char **argv);
int __wrap_service_main(const struct service *s, int argc, char **argv);

static char kind[16];

static const struct {
    const struct ipc_type *ask, *answer;
} answers[] = {
    { &account_request_type, &account_done_type },
    { &auth_begin_type, &auth_done_type },
    { &sender_ask_type, &sender_answer_type },
    { &bounce_go_type, &bounce_done_type },
    { &mail_rcpt_type, &mail_reply_type },
    { &mail_content_type, &mail_reply_type },
    { &delivery_go_type, &delivery_end_type },
    { &directory_ask_type, &directory_answer_type },
    { &dns_ask_type, &dns_answer_type },
    { &queue_offer_type, &queue_verdict_type },
    { &resolve_ask_type, &resolve_answer_type },
    { &expand_ask_type, &expand_rcpt_type },
    { &map_ask_type, &map_answer_type },
    { &cert_ask_type, &cert_answer_type },
    { &sign_ask_type, &sign_answer_type },
};

/* Begin an answer of zeros; its length, 0: there is none to this message. */
static size_t zeros(int id, struct buf *out)
{
    static const char nothing[4096];
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    struct error err;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].ask->id == id &&
            ipc_encode(out, answers[i].answer, nothing, fds, &n_fds, &err) ==
                0)
            return out->len;
    return 0;
}

static void answer(int fd, const struct ipc_packet *p)
{
    struct buf out = BUF_INIT;

    if (strcmp(kind, "echoes") == 0) {
        buf_add_view(&out, p->bytes);
    } else if (strcmp(kind, "halves") == 0) {
        buf_cut(&out, zeros(ipc_id(p->bytes), &out) / 2);
    } else {
        out.len = 300;
        if (getrandom(buf_room(&out, out.len), out.len, 0) < 0)
            out.len = 0;
    }
    if (out.len > 0)
        ipc_send_raw(fd, buf_view(&out), NULL, 0, MSG_DONTWAIT);
    buf_release(&out);
}

static void serve(struct daemon *d, struct client *c)
{
    struct buf in = BUF_INIT;
    struct ipc_packet p;

    (void)d;
    while (strcmp(kind, "closes") != 0 &&
           ipc_recv_raw(c->fd, &in, &p, 0) > 0) {
        answer(c->fd, &p);
        ipc_packet_release(&p);
    }
    buf_release(&in);
}

/* Before the jail, in which no path is to be seen. */
static void prepare(struct daemon *d)
{
    char path[1000];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *end;

    (void)d;
    path[n < 0 ? 0 : n] = '\0';
    end = strrchr(path, '/');
    if (end != NULL)
        *end = '\0';
    end = strrchr(path, '/');
    snprintf(kind, sizeof kind, "%s", end != NULL ? end + 1 : "");
    if (strcmp(kind, "exits") == 0)
        _exit(3);
}

int __wrap_service_main(const struct service *s, int argc, char **argv)
{
    struct service mad = { .name = s->name, .params = s->params,
                           .conf = s->conf, .conf_size = s->conf_size,
                           .sandbox = s->sandbox, .serve = serve,
                           .prepare = prepare };

    return __real_service_main(&mad, argc, argv);
}
