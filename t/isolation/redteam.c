/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redteam - what could somebody do who has taken over a daemon?
 *
 * Linked with a daemon's own main.c, so that it gets exactly that daemon's
 * jail, uid, root and live descriptors from master; in place of the daemon's
 * work it tries one goal, named by the setting redteam_goal, on the object
 * named by redteam_target, and logs how it went:
 *
 *     redteam role=smtpd goal=read result=refused (open: Permission denied)
 *
 * Being ended by seccomp is a refusal too, which master logs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "service/service.h"

int __real_service_main(const struct service *s, int argc, char **argv);
int __wrap_service_main(const struct service *s, int argc, char **argv);

static char how[200]; /* what the last attempt said */

/* Each goal is true when it was reached. */
struct goal {
    const char *name;
    bool (*reach)(struct daemon *d, const char *target);
};

static bool no(const char *call)
{
    snprintf(how, sizeof how, "%s: %s", call, strerrordesc_np(errno));
    return false;
}

/* Read a file by its path on the host, through every way in. */
static bool reach_read(struct daemon *d, const char *target)
{
    char path[1200], byte;
    const char *const ways[] = { "%s", "../../../../../../../..%s",
                                 "/proc/1/root%s", "/proc/self/root%s",
                                 "/proc/self/cwd/../../..%s" };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int at = i == 1 && d->root >= 0 ? d->root : AT_FDCWD;
        int fd;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(path, sizeof path, ways[i], target);
#pragma GCC diagnostic pop
        fd = openat(at, path, O_RDONLY);
        if (fd >= 0 && read(fd, &byte, 1) == 1)
            return true;
        no("openat");
    }
    /* And through every descriptor that we have. */
    for (int i = 3; i < 100; i++) {
        int fd = openat(i, target[0] == '/' ? target + 1 : target, O_RDONLY);

        if (fd >= 0)
            return true;
    }
    return false;
}

static bool reach_write(struct daemon *d, const char *target)
{
    (void)d;
    if (openat(AT_FDCWD, target, O_WRONLY | O_CREAT, 0600) >= 0)
        return true;
    return no("openat");
}

static bool reach_remove(struct daemon *d, const char *target)
{
    char path[1200];

    if (unlinkat(AT_FDCWD, target, 0) == 0)
        return true;
    snprintf(path, sizeof path, "../../../../../../../..%s", target);
    if (d->root >= 0 && unlinkat(d->root, path, 0) == 0)
        return true;
    return no("unlinkat");
}

static bool reach_connect(struct daemon *d, const char *target)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    uint64_t port;
    int fd;

    (void)d;
    if (!view_number(view_of(target), 65535, &port))
        return no("no port");
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return no("socket");
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return true;
    return no("connect");
}

static bool reach_unix(struct daemon *d, const char *target)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    (void)d;
    if (fd < 0)
        return no("socket");
    snprintf(a.sun_path, sizeof a.sun_path, "%s", target);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return true;
    return no("connect");
}

static bool reach_exec(struct daemon *d, const char *target)
{
    char *const argv[] = { (char *)(uintptr_t)target, NULL };

    (void)d;
    execve(target, argv, argv + 1);
    return no("execve");
}

static bool reach_trace(struct daemon *d, const char *target)
{
    uint64_t pid;

    (void)d;
    if (!view_number(view_of(target), 1u << 30, &pid))
        return no("no pid");
    if (ptrace(PTRACE_ATTACH, (pid_t)pid, 0, 0) == 0)
        return true;
    return no("ptrace");
}

static bool reach_signal(struct daemon *d, const char *target)
{
    uint64_t pid;

    (void)d;
    if (!view_number(view_of(target), 1u << 30, &pid))
        return no("no pid");
    if (kill((pid_t)pid, 0) == 0)
        return true;
    return no("kill");
}

static bool reach_memory(struct daemon *d, const char *target)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%.20s/mem", target);
    (void)d;
    if (openat(AT_FDCWD, path, O_RDWR) >= 0)
        return true;
    return no("openat");
}

static bool reach_root(struct daemon *d, const char *target)
{
    (void)d;
    (void)target;
    if (setresuid(0, 0, 0) == 0 && chown("/", 0, 0) == 0)
        return true;
    return no("setresuid, chown");
}

/* Ask master for a program that this role may not join. */
static bool reach_join(struct daemon *d, const char *target)
{
    struct control_connect ask = { 99, view_of(target), VIEW("") };
    struct control_joined j;
    struct error err;
    struct ipc c;

    (void)d;
    ipc_init(&c, FD_CONTROL, 5000);
    if (ipc_call(&c, &control_connect_type, &ask, &control_joined_type, &j,
                 &err) < 0) {
        snprintf(how, sizeof how, "%.150s", err.text);
        return false;
    }
    snprintf(how, sizeof how, "%.*s", (int)(j.why.len < 150 ? j.why.len : 150),
             j.why.data ? j.why.data : "");
    return j.fd >= 0;
}

/* Start a session, as authd may: for a uid that is not a tenant's. */
static bool reach_session(struct daemon *d, const char *target)
{
    struct control_session s = { .role = VIEW("imapd"),
                                 .tenant = VIEW("t"), .account = VIEW("a@b"),
                                 .uid = 0, .path = view_of(target),
                                 .session = VIEW("x"), .fd = -1 };
    struct ipc_packet p;
    struct error err;
    struct ipc c;
    int pair[2];

    (void)d;
    if (ipc_pair(pair, &err) < 0)
        return no("socketpair");
    s.fd = pair[1];
    ipc_init(&c, FD_CONTROL, 5000);
    if (ipc_send(&c, &control_session_type, &s, &err) < 0)
        return false;
    close(pair[1]);
    ipc_init(&c, pair[0], 5000);
    if (ipc_recv(&c, &p, &err) == 0) {
        snprintf(how, sizeof how, "the session was closed unserved");
        return false;
    }
    return true;
}

/* Make memory that can be written and run. */
static bool reach_code(struct daemon *d, const char *target)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)d;
    (void)target;
    return p == MAP_FAILED ? no("mmap") : true;
}

/* Change the configuration that others will read. */
static bool reach_config(struct daemon *d, const char *target)
{
    (void)d;
    (void)target;
    for (int fd = 3; fd < 100; fd++)
        if (fcntl(fd, F_GETFL) >= 0 && pwrite(fd, "x", 1, 0) == 1 &&
            fcntl(fd, F_GETFD) >= 0 && lseek(fd, 0, SEEK_CUR) >= 0)
            return true;
    return no("pwrite");
}

static const struct goal goals[] = {
    { "read", reach_read },       { "write", reach_write },
    { "remove", reach_remove },   { "connect", reach_connect },
    { "unix", reach_unix },       { "exec", reach_exec },
    { "trace", reach_trace },     { "signal", reach_signal },
    { "memory", reach_memory },   { "root", reach_root },
    { "join", reach_join },       { "session", reach_session },
    { "code", reach_code },       { "config", reach_config },
    { NULL, NULL },
};

static struct service probe;

static void attempt(struct daemon *d)
{
    const char *name = config_raw(d->config, "redteam_goal", NULL);
    const char *target = config_raw(d->config, "redteam_target", NULL);

    for (const struct goal *g = goals; g->name != NULL; g++) {
        bool reached;

        if (name == NULL || strcmp(g->name, name) != 0)
            continue;
        reached = g->reach(d, target ? target : "");
        log_info("redteam service=%s goal=%s result=%s (%s)", d->instance,
                 name, reached ? "REACHED" : "refused",
                 reached ? "" : how);
    }
}

int __wrap_service_main(const struct service *s, int argc, char **argv)
{
    probe = *s;
    probe.serve = NULL;
    probe.answer = NULL;
    probe.rest = NULL;
    probe.start = attempt;
    probe.joined = NULL;
    probe.parted = NULL;
    probe.stopping = NULL;
    probe.reloaded = NULL;
    return __real_service_main(&probe, argc, argv);
}
