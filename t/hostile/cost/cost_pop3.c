/* SPDX-License-Identifier: BSD-2-Clause */
/* POP3 sessions over maildrops of n messages, and with n commands. */
#include "cost_guest.h"

#include <fcntl.h>
#include <unistd.h>

#include "pop3d/pop3d.h"
#include "t/fuzz/fuzz.h"

static void set_up(struct daemon *d)
{
    fuzz_configure(pop3d_params, &pop3d_conf, "");
    cost_join_notify(d);
    pop3d_prepare(d);
}

static size_t session(struct view in)
{
    return cost_session(set_up, pop3d_serve, in);
}

static void make_first(struct buf *in, size_t n)
{
    cost_make_box(n);
    buf_add_text(in, "STAT\r\n");
}

static void make_lists(struct buf *in, size_t n)
{
    make_first(in, n);
    session(buf_view(in));
    buf_add_text(in, "LIST\r\nUIDL\r\n");
}

static void make_each(struct buf *in, size_t n)
{
    make_first(in, n);
    session(buf_view(in));
    for (size_t i = 1; i <= n; i++)
        buf_addf(in, "RETR %zu\r\nUIDL %zu\r\nDELE %zu\r\n", i, i, i);
    buf_add_text(in, "QUIT\r\n");
}

static void make_commands(struct buf *in, size_t n)
{
    make_first(in, 1);
    cost_repeat(in, n, "NOOP\r\nTOP 1 0\r\nRSET\r\n");
}

static void make_dots(struct buf *in, size_t n)
{
    struct buf text = BUF_INIT;
    int fd;

    cost_make_box(0);
    buf_add_text(&text, "Subject: x\r\n\r\n");
    cost_repeat(&text, n, ".\n..\r\n\r\r\n");
    fd = open("cur/1.dots:2,", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
    close(fd);
    buf_release(&text);
    buf_add_text(in, "RETR 1\r\nTOP 1 100000\r\n");
}

static const struct cost_case cases[] = {
    { "first look", 300, make_first, session, 0 },
    { "lists", 300, make_lists, session, 100 },
    { "each message", 100, make_each, session, 100 },
    { "commands", 300, make_commands, session, 100 },
    { "dots", 5000, make_dots, session, 100 },
    { NULL, 0, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
    return cost_main(cases, argc, argv);
}
