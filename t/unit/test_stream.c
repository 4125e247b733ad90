/* SPDX-License-Identifier: BSD-2-Clause */
/* When a stream waits, and for what. */
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "unit.h"

static void input_is_there_when_it_has_come(void **state)
{
    struct stream s;
    struct view line;
    enum stream_end end;
    struct error err;
    short events;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    stream_init(&s, pair[0], 1000);
    assert_null(stream_input(&s).data); /* there is no buffer yet */
    assert_int_equal(stream_input(&s).len, 0);
    assert_int_equal(stream_fill(&s, &events, &err), STREAM_AGAIN);
    assert_int_equal(send(pair[1], "a\r\nb", 4, 0), 4);
    assert_int_equal(stream_fill(&s, &events, &err), STREAM_LINE);
    assert_int_equal(stream_next_line(&s, 100, &line, &end), STREAM_LINE);
    assert_view(line, "a");
    assert_int_equal(end, STREAM_CRLF);
    assert_view(stream_input(&s), "b");
    assert_int_equal(stream_next_line(&s, 100, &line, &end), STREAM_AGAIN);
    stream_took(&s, 1);
    assert_int_equal(stream_input(&s).len, 0);
    stream_release(&s);
    close(pair[1]);
}

static void who_awaits_a_line_can_be_woken(void **state)
{
    struct stream s;
    struct view line;
    enum stream_end end;
    struct error err;
    int pair[2], wake[2];
    char heard[10];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, wake), 0);
    stream_init(&s, pair[0], 1);
    assert_int_equal(stream_await(&s, wake[0], &err), STREAM_TIMEOUT);
    assert_int_equal(send(wake[1], "!", 1, 0), 1);
    assert_int_equal(stream_await(&s, wake[0], &err), STREAM_AGAIN);
    assert_int_equal(stream_await(&s, -1, &err), STREAM_TIMEOUT);

    /* What waits to be sent goes out first, and to be woken counts before
     * what comes then. */
    assert_int_equal(stream_write(&s, VIEW("ok"), &err), 0);
    assert_int_equal(send(pair[1], "a\r\n", 3, 0), 3);
    assert_int_equal(stream_await(&s, wake[0], &err), STREAM_AGAIN);
    assert_int_equal(recv(pair[1], heard, sizeof heard, MSG_DONTWAIT), 2);

    /* Of what has come nothing is lost. */
    assert_int_equal(stream_await(&s, -1, &err), STREAM_LINE);
    assert_int_equal(stream_await(&s, wake[0], &err), STREAM_LINE);
    assert_int_equal(stream_line(&s, 100, &line, &end, &err), STREAM_LINE);
    assert_view(line, "a");
    close(pair[1]);
    assert_int_equal(stream_await(&s, -1, &err), STREAM_CLOSED);
    stream_release(&s);
    close(wake[0]);
    close(wake[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_there_when_it_has_come),
        cmocka_unit_test(who_awaits_a_line_can_be_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
