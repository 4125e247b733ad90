/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host has: files, processes, the network, the kernel's favours. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "redteam.h"

#define LAST_FD 100 /* no daemon has as many when it starts */

static bool can_read(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY);
    char byte;
    bool could = fd >= 0 && read(fd, &byte, 1) == 1;

    if (fd >= 0)
        close(fd);
    return could ? true : redteam_no("openat");
}

/* Read a file by its path on the host, through every way in. */
static bool read_one(struct daemon *d, const char *target)
{
    char path[1200];
    static const char *const ways[] = {
        "", "../../../../../../../..", "/proc/1/root", "/proc/self/root",
        "/proc/self/cwd/../../.."
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        snprintf(path, sizeof path, "%s%s", ways[i], target);
        if (can_read(AT_FDCWD, path) ||
            (d->root >= 0 && can_read(d->root, path)))
            return true;
    }
    /* And through every descriptor that we have. */
    for (int fd = 3; fd < LAST_FD; fd++)
        if (can_read(fd, target[0] == '/' ? target + 1 : target))
            return true;
    return false;
}

static bool reach_read(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, read_one);
}

/* Read by a name guessed from where we are: "../bob/new/1". */
static bool guess_one(struct daemon *d, const char *target)
{
    static const char up[] = "../../../../../../../";
    char path[1300];

    for (int depth = 0; depth < 8; depth++) {
        snprintf(path, sizeof path, "%.*s%s", 3 * depth, up, target);
        if (can_read(AT_FDCWD, path) ||
            (d->root >= 0 && can_read(d->root, path)))
            return true;
        for (int fd = 3; fd < LAST_FD; fd++)
            if (can_read(fd, path))
                return true;
    }
    return false;
}

static bool reach_guess(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, guess_one);
}

/* Give what we cannot open a name where we can. */
static bool link_one(struct daemon *d, const char *target)
{
    int at = d->root >= 0 ? d->root : AT_FDCWD;

    if (linkat(AT_FDCWD, target, at, "stolen", 0) == 0 ||
        linkat(AT_FDCWD, target, at, "new/stolen", 0) == 0)
        return true;
    return redteam_no("linkat");
}

static bool reach_link(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, link_one);
}

static bool reach_symlink(struct daemon *d, const char *target)
{
    if (symlinkat(target, d->root >= 0 ? d->root : AT_FDCWD, "way") < 0)
        return redteam_no("symlinkat");
    return can_read(d->root >= 0 ? d->root : AT_FDCWD, "way");
}

static bool reach_write(struct daemon *d, const char *target)
{
    (void)d;
    if (openat(AT_FDCWD, target, O_WRONLY | O_CREAT, 0600) >= 0)
        return true;
    return redteam_no("openat");
}

static bool reach_remove(struct daemon *d, const char *target)
{
    char path[1200];

    if (unlinkat(AT_FDCWD, target, 0) == 0)
        return true;
    snprintf(path, sizeof path, "../../../../../../../..%.1000s", target);
    if (d->root >= 0 && unlinkat(d->root, path, 0) == 0)
        return true;
    return redteam_no("unlinkat");
}

/* A regular file, or a directory besides our root, that was handed in. */
static bool reach_descriptors(struct daemon *d, const char *target)
{
    (void)target;
    for (int fd = 3; fd < LAST_FD; fd++) {
        struct stat st;

        if (fd == d->root || fstat(fd, &st) < 0)
            continue;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
            S_ISBLK(st.st_mode)) {
            snprintf(redteam_how, sizeof redteam_how, "descriptor %d", fd);
            return true;
        }
    }
    return false;
}

static bool reach_connect(struct daemon *d, const char *target)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    uint64_t port;
    int fd;

    (void)d;
    if (!view_number(view_of(target), 65535, &port))
        return redteam_no("no port");
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return redteam_no("socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return true;
    return redteam_no("connect");
}

/* Nobody in the suite needs a socket that carries no address of the
 * Internet's, nor a server's. */
static bool reach_listen(struct daemon *d, const char *target)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)d;
    (void)target;
    if (fd < 0)
        return redteam_no("socket");
    if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0)
        return true;
    return redteam_no("bind, listen");
}

static bool unix_one(struct daemon *d, const char *target)
{
    static const int types[] = { SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM };
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    (void)d;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", target);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int fd = socket(AF_UNIX, types[i], 0);

        if (fd < 0)
            return redteam_no("socket");
        if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
            return true;
        close(fd);
    }
    return redteam_no("connect");
}

static bool reach_unix(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, unix_one);
}

static bool reach_exec(struct daemon *d, const char *target)
{
    char *const argv[] = { (char *)(uintptr_t)target, NULL };

    (void)d;
    execve(target, argv, argv + 1);
    return redteam_no("execve");
}

static pid_t pid_of(const char *target)
{
    uint64_t pid = 0;

    view_number(view_of(target), 1u << 30, &pid);
    return (pid_t)pid;
}

static bool trace_one(struct daemon *d, const char *target)
{
    (void)d;
    if (ptrace(PTRACE_ATTACH, pid_of(target), 0, 0) < 0)
        return redteam_no("ptrace");
    waitpid(pid_of(target), NULL, 0);
    ptrace(PTRACE_DETACH, pid_of(target), 0, 0);
    return true;
}

static bool reach_trace(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, trace_one);
}

static bool signal_one(struct daemon *d, const char *target)
{
    (void)d;
    if (kill(pid_of(target), 0) == 0)
        return true;
    return redteam_no("kill");
}

static bool reach_signal(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, signal_one);
}

static bool memory_one(struct daemon *d, const char *target)
{
    char path[64], byte;
    struct iovec mine = { &byte, 1 }, theirs = { (void *)0x400000, 1 };

    (void)d;
    snprintf(path, sizeof path, "/proc/%.20s/mem", target);
    if (openat(AT_FDCWD, path, O_RDWR) >= 0)
        return true;
    if (process_vm_readv(pid_of(target), &mine, 1, &theirs, 1, 0) >= 0 ||
        errno == EFAULT)
        return true;
    return redteam_no("process_vm_readv");
}

static bool reach_memory(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, memory_one);
}

static bool reach_root(struct daemon *d, const char *target)
{
    (void)d;
    (void)target;
    if (setresuid(0, 0, 0) == 0 && chown("/", 0, 0) == 0)
        return true;
    return redteam_no("setresuid, chown");
}

/* Make memory that can be written and run. */
static bool reach_code(struct daemon *d, const char *target)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)d;
    (void)target;
    return p == MAP_FAILED ? redteam_no("mmap") : true;
}

/* Change the configuration that others will read. */
static bool reach_config(struct daemon *d, const char *target)
{
    (void)d;
    (void)target;
    for (int fd = 3; fd < LAST_FD; fd++)
        if (fcntl(fd, F_GETFL) >= 0 && pwrite(fd, "x", 1, 0) == 1 &&
            fcntl(fd, F_GETFD) >= 0 && lseek(fd, 0, SEEK_CUR) >= 0)
            return true;
    return redteam_no("pwrite");
}

const struct goal host_goals[] = {
    { "read", reach_read },       { "guess", reach_guess },
    { "link", reach_link },       { "symlink", reach_symlink },
    { "write", reach_write },     { "remove", reach_remove },
    { "descriptors", reach_descriptors },
    { "connect", reach_connect }, { "listen", reach_listen },
    { "unix", reach_unix },       { "exec", reach_exec },
    { "trace", reach_trace },     { "signal", reach_signal },
    { "memory", reach_memory },   { "root", reach_root },
    { "code", reach_code },       { "config", reach_config },
    { NULL, NULL },
};
