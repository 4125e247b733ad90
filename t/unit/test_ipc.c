/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ipc/peer.h"
#include "unit.h"

#define TEST_ALL(F, S)        \
    F(S, U32, number, 0)      \
    F(S, U64, big, 0)         \
    F(S, TEXT, line, 10)      \
    F(S, BLOB, bytes, 100)    \
    F(S, FD, first, 0)        \
    F(S, FD, second, 0)
IPC_MESSAGE(test_all, 0x7001, TEST_ALL)

#define TEST_ONE(F, S) F(S, U32, number, 0)
IPC_MESSAGE(test_one, 0x7002, TEST_ONE)
IPC_SIGNAL(test_ping, 0x7003)

static void a_message_comes_back_as_it_went(void **state)
{
    struct test_all in = { 7, UINT64_MAX, VIEW("hello"), VIEW("a\0\r\nb"),
                           -1, 0 },
                    out;
    struct buf b = BUF_INIT;
    struct error err;
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;

    (void)state;
    assert_int_equal(ipc_encode(&b, &test_all_type, &in, fds, &n_fds, &err), 0);
    assert_int_equal(n_fds, 1);
    assert_int_equal(ipc_id(buf_view(&b)), 0x7001);
    assert_int_equal(
        ipc_decode(buf_view(&b), fds, n_fds, &test_all_type, &out, &err), 0);
    assert_int_equal(out.number, 7);
    assert_true(out.big == UINT64_MAX);
    assert_view(out.line, "hello");
    assert_true(view_eq(out.bytes, in.bytes));
    assert_int_equal(out.first, -1);
    assert_int_equal(out.second, 0);
    buf_release(&b);
}

static void limits_hold_when_sending(void **state)
{
    struct buf b = BUF_INIT;
    struct error err;
    int fds[IPC_FDS_MAX];
    size_t n_fds = 0;
    struct test_all m = { .line = VIEW("eleven char"), .first = -1,
                          .second = -1 };

    (void)state;
    assert_int_equal(ipc_encode(&b, &test_all_type, &m, fds, &n_fds, &err), -1);
    assert_string_equal(err.text, "field line of message test_all is too long");
    m.line = VIEW("a\nb");
    assert_int_equal(ipc_encode(&b, &test_all_type, &m, fds, &n_fds, &err), -1);
    assert_int_equal(b.len, 0);
    buf_release(&b);
}

/* Every message cut short, made longer, or changed in one byte either fails
 * to decode or decodes to something within its limits. */
static void broken_messages_are_refused(void **state)
{
    struct test_all m = { 1, 2, VIEW("line"), VIEW("blob"), -1, -1 }, out;
    struct buf b = BUF_INIT;
    struct error err;
    int fds[IPC_FDS_MAX] = { 0 };
    size_t n_fds = 0;

    (void)state;
    ipc_encode(&b, &test_all_type, &m, fds, &n_fds, &err);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(ipc_decode(view_sub(buf_view(&b), 0, len), fds, 0,
                                    &test_all_type, &out, &err), -1);
    assert_int_equal(
        ipc_decode(buf_view(&b), fds, 1, &test_all_type, &out, &err), -1);
    for (size_t at = 0; at < b.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            b.data[at] ^= (char)(1 << bit);
            if (ipc_decode(buf_view(&b), fds, 0, &test_all_type, &out,
                           &err) == 0) {
                assert_true(out.line.len <= 10);
                assert_true(out.bytes.len <= 100);
                assert_int_equal(out.first, -1);
            }
            b.data[at] ^= (char)(1 << bit);
        }
    }
    buf_add_char(&b, 'x');
    assert_int_equal(
        ipc_decode(buf_view(&b), fds, 0, &test_all_type, &out, &err), -1);
    assert_non_null(strstr(err.text, "1 bytes and 0 descriptors too many"));
    buf_release(&b);
}

static void a_channel_carries_messages_and_descriptors(void **state)
{
    struct error err;
    struct ipc a, b;
    int fds[2], pipe_fds[2];
    struct test_all m = { 1, 2, VIEW("x"), VIEW(""), -1, -1 }, got;
    char c;

    (void)state;
    assert_int_equal(ipc_pair(fds, &err), 0);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    ipc_init(&a, fds[0], 1000);
    ipc_init(&b, fds[1], 1000);
    m.first = pipe_fds[1];
    assert_int_equal(ipc_send(&a, &test_all_type, &m, &err), 0);
    assert_int_equal(ipc_expect(&b, &test_all_type, &got, &err), 0);
    assert_int_equal(got.second, -1);
    assert_int_equal(write(got.first, "y", 1), 1);
    assert_int_equal(read(pipe_fds[0], &c, 1), 1);
    assert_true(fcntl(got.first, F_GETFD) & FD_CLOEXEC);
    close(got.first);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ipc_release(&a);
    assert_int_equal(ipc_expect(&b, &test_one_type, &got, &err), -1);
    assert_int_equal(err.kind, FAIL_TEMP);
    ipc_release(&b);
}

static void a_late_peer_is_an_error(void **state)
{
    struct error err;
    struct test_one got;
    struct ipc a;
    int fds[2];

    (void)state;
    assert_int_equal(ipc_pair(fds, &err), 0);
    ipc_init(&a, fds[0], 20);
    assert_int_equal(ipc_expect(&a, &test_one_type, &got, &err), -1);
    assert_int_equal(err.kind, FAIL_TEMP);
    ipc_release(&a);
    close(fds[1]);
}

/* A server with one peer: counts pings, echoes numbers, ends on close. */
static struct {
    struct loop loop;
    int pings, gone;
    struct peer *peer;
} server;

static void on_ping(struct peer *p, const void *msg)
{
    (void)p;
    (void)msg;
    server.pings++;
}

static void on_one(struct peer *p, const void *msg)
{
    peer_send(p, &test_one_type, msg);
}

static void on_gone(struct peer *p)
{
    server.gone++;
    loop_stop(p->loop);
    free(p);
}

static const struct ipc_rule rules[] = {
    { &test_ping_type, "guest friend", on_ping },
    { &test_one_type, "friend", on_one },
    { NULL, NULL, NULL },
};

static void serve(const char *role, int fd)
{
    server.pings = server.gone = 0;
    loop_init(&server.loop);
    server.peer = alloc(sizeof *server.peer);
    peer_init(server.peer, &server.loop, fd, role, 1, rules, on_gone);
    loop_run(&server.loop);
    loop_release(&server.loop);
}

static void rules_say_who_may_say_what(void **state)
{
    struct error err;
    struct test_one m = { 42 }, got;
    struct ipc a;
    int fds[2];

    (void)state;
    assert_int_equal(ipc_pair(fds, &err), 0);
    ipc_init(&a, fds[0], 1000);
    ipc_send(&a, &test_ping_type, NULL, &err);
    ipc_send(&a, &test_one_type, &m, &err);
    ipc_send(&a, &test_ping_type, NULL, &err);
    serve("guest", fds[1]);
    assert_int_equal(server.pings, 1); /* the second message ended it */
    assert_int_equal(server.gone, 1);
    ipc_release(&a);

    assert_int_equal(ipc_pair(fds, &err), 0);
    ipc_init(&a, fds[0], 1000);
    ipc_send(&a, &test_one_type, &m, &err);
    shutdown(a.fd, SHUT_WR);
    serve("friend", fds[1]);
    assert_int_equal(ipc_expect(&a, &test_one_type, &got, &err), 0);
    assert_int_equal(got.number, 42);
    assert_int_equal(server.gone, 1);
    ipc_release(&a);
}

/* --- the loop ---------------------------------------------------------- */

static struct {
    struct loop loop;
    struct timer timers[20];
    int order[20], fired;
} clockwork;

static void on_timer(struct timer *t)
{
    clockwork.order[clockwork.fired++] = (int)(t - clockwork.timers);
    if (clockwork.fired == 19)
        loop_stop(&clockwork.loop);
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    loop_init(&clockwork.loop);
    for (int i = 0; i < 20; i++) {
        clockwork.timers[i].fire = on_timer;
        timer_set(&clockwork.loop, &clockwork.timers[i],
                  (uint64_t)((i * 7) % 20) * 2);
    }
    timer_cancel(&clockwork.loop, &clockwork.timers[5]);
    timer_cancel(&clockwork.loop, &clockwork.timers[5]);
    loop_run(&clockwork.loop);
    for (int i = 1; i < 19; i++)
        assert_true((clockwork.order[i - 1] * 7) % 20 <
                    (clockwork.order[i] * 7) % 20);
    loop_release(&clockwork.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_went),
        cmocka_unit_test(limits_hold_when_sending),
        cmocka_unit_test(broken_messages_are_refused),
        cmocka_unit_test(a_channel_carries_messages_and_descriptors),
        cmocka_unit_test(a_late_peer_is_an_error),
        cmocka_unit_test(rules_say_who_may_say_what),
        cmocka_unit_test(timers_fire_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
