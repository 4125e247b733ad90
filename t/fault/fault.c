/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - do something drastic at an exact system call of a running process.
 *
 *     fault PID,...[+NAME] N kill      SIGKILL it
 *     fault PID,...[+NAME] N stop      SIGSTOP it, until others continue it
 *     fault PID,...[+NAME] N cut DIR [DIR]
 *                                      cut the power: shut the file systems
 *                                      that hold DIR down without writing
 *                                      their logs (FS_IOC_SHUTDOWN), then
 *                                      SIGKILL it
 *     fault PID,...[+NAME] N shut DIR [DIR]
 *                                      the same, and let it go on: its disk
 *                                      has failed
 *
 * A point is the entry into or the return from a call; N counts those of all
 * the processes together, from 1, and the one that makes the Nth is struck.
 * With +NAME it is not these processes that are struck but those which they
 * start from now on and which execute the program NAME, from their first call.
 * Prints "ready" once the processes are watched; then "done NR entry|exit"
 * when the point was reached, or "count M" when they ended, or standard input
 * was closed, before that.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"

#define FS_IOC_SHUTDOWN_ _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH     2u
#define CHILDREN         (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define STARTED_MAX      1000

static const char *wanted;          /* NAME, or NULL */
static pid_t started[STARTED_MAX];  /* those of it */
static unsigned n_started;

static void fail(const char *what)
{
    fprintf(stderr, "fault: %s: %s\n", what, strerrordesc_np(errno));
    exit(2);
}

static void cut_power(char **dirs)
{
    for (; *dirs != NULL; dirs++) {
        uint32_t flag = NO_LOG_FLUSH;
        int fd = open(*dirs, O_RDONLY | O_DIRECTORY);

        if (fd < 0 || ioctl(fd, FS_IOC_SHUTDOWN_, &flag) < 0)
            fail("FS_IOC_SHUTDOWN");
        close(fd);
    }
}

static void say(const char *fmt, long a, const char *b)
{
    char line[100];
    int n = snprintf(line, sizeof line, "%s %ld %s\n", fmt, a, b);

    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        exit(2);
}

static bool is_wanted(pid_t pid)
{
    for (unsigned i = 0; i < n_started; i++)
        if (started[i] == pid)
            return true;
    return wanted == NULL;
}

/* It executes a program: watch it from here on, or let it go. */
static void look_at(pid_t pid)
{
    char path[40], name[17] = "";
    int fd;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY);
    if (fd >= 0 && read(fd, name, sizeof name - 1) > 0)
        name[strcspn(name, "\n")] = '\0';
    close(fd);
    if (strcmp(name, wanted) != 0)
        ptrace(PTRACE_DETACH, pid, 0, 0);
    else if (n_started < STARTED_MAX)
        started[n_started++] = pid;
}

/* Go on until the next call of `pid`, passing on a signal that was its own. */
static void resume(pid_t pid, int status)
{
    int sig = WSTOPSIG(status), event = status >> 16;
    bool ours = sig == SIGTRAP || sig == (SIGTRAP | 0x80) || event != 0;

    if (event == PTRACE_EVENT_EXEC && wanted != NULL)
        look_at(pid);
    ptrace(is_wanted(pid) ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0,
           ours ? 0 : sig);
}

static void strike(pid_t pid, char **argv)
{
    struct __ptrace_syscall_info info;
    bool entry;

    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (strcmp(argv[3], "cut") == 0 || strcmp(argv[3], "shut") == 0)
        cut_power(argv + 4);
    if (strcmp(argv[3], "shut") != 0)
        kill(pid, strcmp(argv[3], "stop") == 0 ? SIGSTOP : SIGKILL);
    say("done", entry ? (long)info.entry.nr : -1, entry ? "entry" : "exit");
    exit(0);
}

static long watch(long target, char **argv, int signals)
{
    long n = 0;
    int status;
    pid_t pid;

    while ((pid = children_wait(signals, &status)) > 0) {
        if (!WIFSTOPPED(status))
            continue;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ++n == target)
            strike(pid, argv);
        resume(pid, status);
    }
    return n;
}

static void attach(pid_t pid)
{
    int status;

    if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD |
               (wanted != NULL ? CHILDREN : 0)) < 0 ||
        ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
        waitpid(pid, &status, __WALL) < 0)
        fail("ptrace");
    ptrace(wanted != NULL ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0, 0);
}

int main(int argc, char **argv)
{
    int signals;
    char *at;
    long n;

    if (argc < 4) {
        fprintf(stderr, "usage: fault PID,...[+NAME] N "
                "kill|stop|cut|shut [DIR...]\n");
        return 64;
    }
    signals = children_open();
    at = strchr(argv[1], '+');
    if (at != NULL) {
        *at = '\0';
        wanted = at + 1;
    }
    for (at = argv[1]; *at != '\0'; at += *at == ',')
        attach((pid_t)strtol(at, &at, 10));
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 2;
    n = watch(strtol(argv[2], NULL, 10), argv, signals);
    say("count", n, "");
    return 0;
}
