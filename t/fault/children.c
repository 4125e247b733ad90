/* SPDX-License-Identifier: BSD-2-Clause */
#include "children.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

int children_open(void)
{
    sigset_t set;
    int signals;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        err(2, "signalfd");
    return signals;
}

/* True: a child may have changed; false: standard input was closed. */
static bool wait_event(int signals)
{
    struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                           { .fd = signals, .events = POLLIN } };
    struct signalfd_siginfo info;

    while (poll(p, 2, -1) < 0)
        if (errno != EINTR)
            err(2, "poll");
    if (p[1].revents && read(signals, &info, sizeof info) < 0)
        err(2, "read");
    return p[1].revents || !p[0].revents;
}

pid_t children_wait(int signals, int *status)
{
    for (;;) {
        pid_t pid = waitpid(-1, status, __WALL | WNOHANG);

        if (pid > 0)
            return pid;
        if (pid < 0 || !wait_event(signals))
            return 0;
    }
}
