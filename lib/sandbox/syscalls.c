/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a row allows: the call at all, or with one argument as stated. */
enum check {
    ANY,
    ARG_IS,    /* argument `arg` equals `value` */
    ARG_LACKS, /* argument `arg` has no bit of `value` */
    ARG_SELF,  /* argument 0 is our own process id */
};

struct row {
    const char *name;
    unsigned promises; /* any of these; 0: always */
    enum check check;
    unsigned arg;
    uint64_t value;
};

#define SOCKETS (PROMISE_ACCEPT | PROMISE_INET)
/* Of the flags of openat(2): those that make a file. */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))
#define FILES   (PROMISE_READ | PROMISE_CREATE | PROMISE_CHANGE)

/* What the address sanitizer needs, to run and to say what it found; only in
 * builds that have it. */
#define SANITIZER (1u << 31)
#ifdef POSTERN_SANITIZE
#define EXTRA SANITIZER
#else
#define EXTRA 0
#endif

static const struct row rows[] = {
    /* memory, without ever making some of it executable */
    { "brk", 0, ANY, 0, 0 },
    { "mmap", 0, ARG_LACKS, 2, PROT_EXEC },
    { "mprotect", 0, ARG_LACKS, 2, PROT_EXEC },
    { "munmap", 0, ANY, 0, 0 },
    { "mremap", 0, ANY, 0, 0 },
    { "madvise", 0, ANY, 0, 0 },
    { "futex", 0, ANY, 0, 0 },

    /* descriptors that are already open */
    { "read", 0, ANY, 0, 0 },
    { "write", 0, ANY, 0, 0 },
    { "writev", 0, ANY, 0, 0 },
    { "pread64", 0, ANY, 0, 0 },
    { "close", 0, ANY, 0, 0 },
    { "fstat", 0, ANY, 0, 0 },
    { "newfstatat", 0, ANY, 0, 0 },
    { "fcntl", 0, ARG_IS, 1, F_GETFD },
    { "fcntl", 0, ARG_IS, 1, F_GETFL },
    { "fcntl", 0, ARG_IS, 1, F_SETFL },
    { "fcntl", 0, ARG_IS, 1, F_DUPFD_CLOEXEC },
    { "fcntl", 0, ARG_IS, 1, F_GET_SEALS },
    { "recvmsg", 0, ANY, 0, 0 },
    { "sendmsg", 0, ANY, 0, 0 },
    { "recvfrom", 0, ANY, 0, 0 },
    { "sendto", 0, ANY, 0, 0 },
    { "poll", 0, ANY, 0, 0 },
    { "ppoll", 0, ANY, 0, 0 },
    { "epoll_wait", 0, ANY, 0, 0 },
    { "epoll_ctl", 0, ANY, 0, 0 },
    { "setsockopt", 0, ARG_IS, 2, SO_RCVTIMEO },

    /* time, chance, and the end */
    { "clock_gettime", 0, ANY, 0, 0 },
    { "clock_nanosleep", PROMISE_ACCEPT | PROMISE_MAP, ANY, 0, 0 },
    { "getrandom", 0, ANY, 0, 0 },
    { "getpid", 0, ANY, 0, 0 },
    { "gettid", 0, ANY, 0, 0 },
    { "tgkill", 0, ARG_SELF, 0, 0 },
    { "rt_sigprocmask", 0, ANY, 0, 0 },
    { "rt_sigaction", 0, ANY, 0, 0 },
    { "restart_syscall", 0, ANY, 0, 0 },
    { "exit_group", 0, ANY, 0, 0 },

    /* sockets */
    { "accept4", PROMISE_ACCEPT, ANY, 0, 0 },
    { "getpeername", SOCKETS, ANY, 0, 0 },
    { "getsockname", SOCKETS, ANY, 0, 0 },
    { "getsockopt", SOCKETS, ANY, 0, 0 },
    { "setsockopt", SOCKETS, ARG_IS, 1, IPPROTO_TCP },
    { "setsockopt", SOCKETS, ARG_IS, 1, SOL_SOCKET },
    { "socketpair", PROMISE_PAIR, ARG_IS, 0, AF_UNIX },
    { "socket", PROMISE_INET, ARG_IS, 0, AF_INET },
    { "socket", PROMISE_INET, ARG_IS, 0, AF_INET6 },
    { "connect", PROMISE_INET, ANY, 0, 0 },
    { "setsockopt", PROMISE_INET, ARG_IS, 1, IPPROTO_IPV6 },

    /* content in memory */
    { "memfd_create", PROMISE_MEMFD, ANY, 0, 0 },
    { "fcntl", PROMISE_MEMFD, ARG_IS, 1, F_ADD_SEALS },
    { "sendfile", PROMISE_CREATE, ANY, 0, 0 },

    /* files below the root */
    { "openat", PROMISE_CREATE | PROMISE_DATABASE, ANY, 0, 0 },
    { "openat", FILES, ARG_LACKS, 2, MAKES_FILE },
    { "lseek", FILES, ANY, 0, 0 },
    { "pwrite64", FILES | PROMISE_MEMFD | PROMISE_DATABASE, ANY, 0, 0 },
    { "openat2", PROMISE_MAP, ANY, 0, 0 },
    { "getdents64", PROMISE_READ | PROMISE_CHANGE, ANY, 0, 0 },
    { "linkat", PROMISE_CREATE, ANY, 0, 0 },
    { "fsync", PROMISE_CREATE | PROMISE_CHANGE | PROMISE_DATABASE, ANY, 0, 0 },
    { "fdatasync", PROMISE_CREATE | PROMISE_CHANGE | PROMISE_DATABASE, ANY, 0,
      0 },
    { "fstatfs", PROMISE_CREATE, ANY, 0, 0 },
    { "mkdirat", PROMISE_MAP, ANY, 0, 0 },
    { "renameat", PROMISE_CHANGE, ANY, 0, 0 },
    { "renameat2", PROMISE_CHANGE, ANY, 0, 0 },
    { "unlinkat", PROMISE_CHANGE, ANY, 0, 0 },
    { "fchmod", PROMISE_CHANGE, ANY, 0, 0 },
    { "utimensat", PROMISE_CHANGE, ANY, 0, 0 },
    { "ftruncate", PROMISE_MAP | PROMISE_DATABASE, ANY, 0, 0 },
    { "pwritev", PROMISE_MAP, ANY, 0, 0 },
    { "msync", PROMISE_MAP, ANY, 0, 0 },
    { "uname", PROMISE_MAP, ANY, 0, 0 },
    { "fcntl", PROMISE_MAP, ARG_IS, 1, F_SETLKW },
    { "fcntl", PROMISE_CHANGE, ARG_IS, 1, F_OFD_SETLK },
    { "fcntl", PROMISE_CHANGE, ARG_IS, 1, F_OFD_SETLKW },
    { "fcntl", PROMISE_MAP | PROMISE_DATABASE, ARG_IS, 1, F_SETLK },
    { "fcntl", PROMISE_MAP | PROMISE_DATABASE, ARG_IS, 1, F_GETLK },
    { "shutdown", PROMISE_TABLES, ANY, 0, 0 },
    { "flock", PROMISE_TABLES, ANY, 0, 0 },
    { "sched_getaffinity", PROMISE_TABLES, ANY, 0, 0 }, /* how many CPUs? */
    { "unlink", PROMISE_DATABASE, ANY, 0, 0 },
    { "geteuid", PROMISE_DATABASE, ANY, 0, 0 },
    { "fcntl", FILES | PROMISE_MAP | PROMISE_INET, ARG_IS, 1, F_SETFD },

    { "sigaltstack", SANITIZER, ANY, 0, 0 },
    { "sched_yield", SANITIZER, ANY, 0, 0 },
    { "getrlimit", SANITIZER, ANY, 0, 0 },
    { "prlimit64", SANITIZER, ANY, 0, 0 },
    { "readlink", SANITIZER, ANY, 0, 0 },
    { "openat", SANITIZER, ANY, 0, 0 },
    { "open", SANITIZER, ANY, 0, 0 },
    { "stat", SANITIZER, ANY, 0, 0 },
    { "ioctl", SANITIZER, ANY, 0, 0 },
};

#define N_ROWS (sizeof rows / sizeof *rows)

static bool wanted(const struct row *r, const struct sandbox *s)
{
    return r->promises == 0 || (r->promises & (s->promises | EXTRA));
}

static int add_row(scmp_filter_ctx ctx, const struct row *r)
{
    int nr = seccomp_syscall_resolve_name(r->name);

    if (nr == __NR_SCMP_ERROR)
        return 0; /* this architecture has another call for it */
    switch (r->check) {
    case ANY:
        return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
    case ARG_IS:
        return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
                                SCMP_CMP(r->arg, SCMP_CMP_EQ, r->value, 0));
    case ARG_LACKS:
        return seccomp_rule_add(
            ctx, SCMP_ACT_ALLOW, nr, 1,
            SCMP_CMP(r->arg, SCMP_CMP_MASKED_EQ, r->value, 0));
    case ARG_SELF:
        return seccomp_rule_add(
            ctx, SCMP_ACT_ALLOW, nr, 1,
            SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    }
    abort();
}

int syscalls_enter(const struct sandbox *s, struct error *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc = 0;

    if (ctx == NULL)
        return error_set(err, FAIL_TEMP, "cannot make a seccomp filter");
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < N_ROWS && rc == 0; i++)
        if (wanted(&rows[i], s))
            rc = add_row(ctx, &rows[i]);
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    if (rc < 0) {
        errno = -rc;
        return error_sys(err, "cannot load the seccomp filter");
    }
    return 0;
}

void sandbox_each_syscall(const struct sandbox *s,
                          void (*fn)(const char *name, void *arg), void *arg)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        bool first = true;

        for (size_t j = 0; j < i && first; j++)
            first = strcmp(rows[i].name, rows[j].name) != 0 ||
                    !wanted(&rows[j], s);
        if (first && wanted(&rows[i], s))
            fn(rows[i].name, arg);
    }
}
