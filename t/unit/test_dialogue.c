/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server's replies mean for the recipients: smtp against a server that
 * has all its replies ready, whatever it is asked. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "smtp/smtp.h"
#include "unit.h"

#define HELLO "220 hi\r\n250 hello\r\n250 sender ok\r\n"

/* The server: says its piece, then reads until the client is gone. */
struct server {
    int fd;
    const char *says;
};

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    char ignored[1000];

    send(fd, s->says, strlen(s->says), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (recv(fd, ignored, sizeof ignored, 0) > 0)
        ;
    close(fd);
    return NULL;
}

/* Listen on a port that the system chooses. */
static unsigned listen_on(struct server *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
    return ntohs(a.sin_port);
}

static void configure(void)
{
    smtp_conf = (struct smtp_conf){
        .smtp_helo_name = (char *)(uintptr_t)"mx.one.example",
        .smtp_connect_timeout = 5, .smtp_helo_timeout = 5,
        .smtp_mail_timeout = 5, .smtp_data_xfer_timeout = 5,
        .smtp_data_done_timeout = 5, .smtp_line_length_limit = 998,
    };
}

/* The one recipient's result when the server says this. */
static void deliver(const char *says, struct ipc *qmgr,
                    struct delivery_result *result)
{
    struct server s = { .says = says };
    struct delivery_rcpt rcpt = { .address = VIEW("bob@two.example") };
    bool answered = false, done = false;
    struct ipc near;
    struct delivery d = {
        .begin = { .sender = VIEW("ann@one.example"), .fd = -1 },
        .rcpts = &rcpt, .n_rcpts = 1, .answered = &answered, .qmgr = &near,
    };
    struct work w = { &d, &done, 1 };
    struct host h = { .name = "mx.two.example", .address = "127.0.0.1",
                      .port = listen_on(&s) };
    struct trouble t = { .is_permanent = false };
    pthread_t thread;
    struct error err;
    int pair[2];

    configure();
    assert_int_equal(ipc_pair(pair, &err), 0);
    ipc_init(&near, pair[0], 1000);
    ipc_init(qmgr, pair[1], 1000);
    assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
    dialogue_run(&w, &h, &t);
    pthread_join(thread, NULL);
    close(s.fd);
    assert_true(done);
    assert_int_equal(ipc_expect(qmgr, &delivery_result_type, result, &err),
                     0);
    ipc_release(&near);
    buf_release(&t.text);
}

static void a_status_fits_the_code(void **state)
{
    static const struct {
        const char *reply; /* to RCPT */
        enum rcpt_status status;
        const char *dsn;
    } rows[] = {
        { "550 5.1.1 nobody", RCPT_BOUNCED, "5.1.1" },
        { "550 nobody", RCPT_BOUNCED, "5.0.0" },
        { "450 4.2.0 later", RCPT_DEFERRED, "4.2.0" },
        { "550 4.2.0 which", RCPT_BOUNCED, "5.0.0" },
        { "550-5.1.1 no\r\n550 5.1.1 body", RCPT_BOUNCED, "5.1.1" },
        /* lines that do not agree: the last */
        { "550-5.1.1 no\r\n450 later", RCPT_DEFERRED, "4.0.0" },
        { "450-4.2.0 later\r\n550 5.7.1 never", RCPT_BOUNCED, "5.7.1" },
        /* nobody asked for content */
        { "354 go on", RCPT_DEFERRED, "4.0.0" },
        { "354 3.0.0 go on", RCPT_DEFERRED, "4.0.0" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf says = BUF_INIT;
        struct delivery_result r;
        struct ipc qmgr;

        buf_addf(&says, HELLO "%s\r\n221 bye\r\n", rows[i].reply);
        deliver(buf_text(&says), &qmgr, &r);
        assert_int_equal(r.status, rows[i].status);
        assert_view(r.dsn, rows[i].dsn);
        ipc_release(&qmgr);
        buf_release(&says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_fits_the_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
