/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern hardening - which walls each running process really has, as the
 * kernel tells it in /proc, and what this kernel cannot give.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "proto/admin.h"
#include "sandbox/sandbox.h"
#include "tools/postern/postern.h"

/* One process's facts, as text of /proc. */
struct facts {
    unsigned long uid;
    unsigned long long caps;
    unsigned no_new_privs, seccomp;
    bool own_net;  /* another network namespace than this command's */
    bool own_root; /* another root directory */
    bool known;
};

static unsigned long long field(const struct buf *status, const char *name,
                                int base)
{
    const char *at = strstr(buf_text(status), name);

    return at != NULL ? strtoull(at + strlen(name), NULL, base) : 0;
}

/* Is it another object than ours? */
static bool differs(unsigned pid, const char *what)
{
    struct stat ours, theirs;
    char path[64];

    snprintf(path, sizeof path, "/proc/%u/%s", pid, what);
    if (stat(path, &theirs) < 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/%s", what);
    return stat(path, &ours) == 0 && (ours.st_dev != theirs.st_dev ||
                                      ours.st_ino != theirs.st_ino);
}

static void look(unsigned pid, struct facts *f)
{
    struct buf status = BUF_INIT;
    char path[64];
    struct error err;

    *f = (struct facts){ .known = false };
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    if (io_read_file(AT_FDCWD, path, &status, 65536, &err) == 0) {
        f->known = true;
        f->uid = (unsigned long)field(&status, "\nUid:\t", 10);
        f->caps = field(&status, "\nCapEff:\t", 16);
        f->no_new_privs = (unsigned)field(&status, "\nNoNewPrivs:\t", 10);
        f->seccomp = (unsigned)field(&status, "\nSeccomp:\t", 10);
        f->own_net = differs(pid, "ns/net");
        f->own_root = differs(pid, "root");
    }
    buf_release(&status);
}

struct totals {
    unsigned processes, root, weak;
};

static void print_process(const char *program, const char *service,
                          unsigned pid, struct totals *t)
{
    struct facts f;
    bool is_master = strcmp(program, "master") == 0;

    look(pid, &f);
    t->processes++;
    if (!f.known)
        return;
    t->root += f.uid == 0;
    t->weak += !is_master && (f.seccomp != 2 || !f.no_new_privs ||
                              f.caps != 0);
    printf("%-9s %-16s %7u %10lu %-5s %-4s %-7s %-5s %s\n", program, service,
           pid, f.uid, f.caps ? "some" : "none", f.no_new_privs ? "yes" : "no",
           f.seccomp == 2 ? "yes" : "no", f.own_net ? "empty" : "host",
           f.own_root ? "own" : "host");
}

/* Master does not list itself. */
static void print_master(struct postern *p, struct totals *t)
{
    char *path = postern_queue_path(p, "pid/master.pid");
    struct buf text = BUF_INIT;
    struct error err;
    uint64_t pid;

    if (io_read_file(AT_FDCWD, path, &text, 100, &err) == 0 &&
        view_number(view_trim(buf_view(&text)), UINT32_MAX, &pid))
        print_process("master", "-", (unsigned)pid, t);
    buf_release(&text);
    free(path);
}

static int print_all(struct ipc *c, struct totals *t, struct error *err)
{
    for (;;) {
        struct ipc_packet packet;
        struct admin_process a;
        char program[33], service[65];

        if (ipc_recv(c, &packet, err) <= 0)
            return -1;
        if (ipc_id(packet.bytes) == admin_done_type.id)
            return 0;
        if (ipc_packet_decode(&packet, &admin_process_type, &a, err) < 0)
            return -1;
        view_copy(a.program, program, sizeof program);
        view_copy(a.service, service, sizeof service);
        print_process(program, service, a.pid, t);
    }
}

/* Nothing in this suite needs a file that lends its owner's rights. */
static unsigned count_setid(struct postern *p, const char *parameter)
{
    char *dir = postern_value(p, parameter);
    unsigned n = 0;
    struct dirent *e;
    struct stat st;
    DIR *d = opendir(dir);

    while (d != NULL && (e = readdir(d)) != NULL)
        n += fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
             S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID)) != 0;
    if (d != NULL)
        closedir(d);
    free(dir);
    return n;
}

static void print_kernel(bool is_root)
{
    int abi = sandbox_landlock_abi();

    if (abi == 0)
        puts("this kernel has no Landlock: file rules are those of uid and "
             "root directory alone");
    else
        printf("Landlock version %d (every process but master; the kernel "
               "does not show it)\n", abi);
    if (!is_root)
        puts("started by an ordinary user: one uid for all, no root directory "
             "and no network namespace of their own; Landlock and seccomp "
             "stand");
}

/* Each program knows its own list, and prints it as a line. */
static int print_calls_of(const char *dir, const char *program)
{
    struct buf path = BUF_INIT;
    char *const argv[] = { (char *)(uintptr_t)program, "-A", NULL };
    pid_t pid;
    int status = -1;

    buf_addf(&path, "%s/%s", dir, program);
    fflush(stdout);
    if (posix_spawn(&pid, buf_text(&path), NULL, NULL, argv, environ) == 0)
        waitpid(pid, &status, 0);
    buf_release(&path);
    return status == 0 ? 0 : postern_fail(EX_UNAVAILABLE, "%s/%s does not say "
                                          "its calls", dir, program);
}

/* Which system calls the wall around each program lets through. */
static int print_calls(struct postern *p)
{
    char *dir = postern_value(p, "daemon_directory");
    struct dirent **list = NULL;
    int code = 0, n = scandir(dir, &list, NULL, alphasort);

    if (n < 0)
        code = postern_fail(EX_NOINPUT, "cannot list %s", dir);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;

        if (code == 0 && name[0] != '.' && strcmp(name, "master") != 0)
            code = print_calls_of(dir, name);
        free(list[i]);
    }
    free(list);
    free(dir);
    return code;
}

int verb_hardening(struct postern *p, int argc, char **argv)
{
    struct totals t = { 0, 0, 0 };
    struct error err;
    struct ipc c;
    int rc;

    if (argc == 1 && strcmp(argv[0], "calls") == 0)
        return print_calls(p);
    if (argc > 0)
        return postern_fail(EX_USAGE, "usage: postern hardening [calls]");
    if (postern_connect(p, &c, &err) < 0)
        return postern_fail(EX_UNAVAILABLE, "%s", err.text);
    printf("%-9s %-16s %7s %10s %-5s %-4s %-7s %-5s %s\n", "PROGRAM",
           "SERVICE", "PID", "UID", "CAPS", "NNP", "SECCOMP", "NET", "ROOT");
    print_master(p, &t);
    rc = ipc_send(&c, &admin_status_type, NULL, &err);
    if (rc == 0)
        rc = print_all(&c, &t, &err);
    ipc_release(&c);
    if (rc < 0)
        return postern_fail(EX_SOFTWARE, "%s", err.text);
    printf("\n%u processes, %u of them root; %u without a wall they should "
           "have; %u set-id programs\n", t.processes, t.root, t.weak,
           count_setid(p, "daemon_directory") +
               count_setid(p, "command_directory"));
    print_kernel(t.root > 0);
    return t.weak > 0 ? 1 : 0;
}
