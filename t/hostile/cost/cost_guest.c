/* SPDX-License-Identifier: BSD-2-Clause */
#include "cost_guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/others.h"

void cost_make_box(size_t n)
{
    static const char text[] = "From: a@b.example\r\nSubject: x\r\n\r\n.y\r\n";
    char name[60];

    fuzz_directory();
    fuzz_clear();
    MUST(mkdir("tmp", 0700) == 0 && mkdir("new", 0700) == 0 &&
         mkdir("cur", 0700) == 0);
    for (size_t i = 0; i < n; i++) {
        int fd;

        snprintf(name, sizeof name, "cur/%zu.M%zu.host:2,%s", i, i,
                 i % 2 ? "S" : "");
        fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        MUST(fd >= 0 && write(fd, text, sizeof text - 1) > 0);
        close(fd);
    }
}

static void say_nothing(struct ipc *line, const struct ipc_packet *p)
{
    (void)line;
    (void)p;
}

void cost_join_notify(struct daemon *d)
{
    static const struct other others[] = {
        { "notify", say_nothing }, { NULL, NULL },
    };

    d->root = fuzz_directory();
    others_begin(d, -1, others);
}

size_t cost_session(void (*set_up)(struct daemon *d),
                    void (*serve)(struct daemon *d, struct client *c),
                    struct view in)
{
    static struct daemon d;
    struct client c = { .account = "ann@one.example", .session = "cost" };
    size_t n;

    if (d.control_line.fd == 0) {
        fuzz_quiet();
        set_up(&d);
    }
    c.fd = guest_begin(in, GUEST_LINES);
    serve(&d, &c);
    n = guest_heard().len;
    guest_end();
    return n;
}
