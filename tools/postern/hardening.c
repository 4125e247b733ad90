/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern hardening - which walls each running process really has, as the
 * kernel tells it in /proc, and what this kernel cannot give.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "proto/admin.h"
#include "sandbox/sandbox.h"
#include "tools/postern/postern.h"

#define PR_GET_MDWE_ 66 /* Linux 6.3, so not in Debian 12's headers */

/* One process's facts, as text of /proc. */
struct facts {
    unsigned long uid;
    unsigned long long caps;
    unsigned no_new_privs, seccomp;
    bool own_net;  /* another network namespace than this command's */
    bool own_root; /* another root directory */
    bool dumpable; /* its memory can be read by who has its uid */
    bool known;
};

/* What a process must do without, however well the machine is set up. */
struct exception {
    const char *program;
    bool host_net, host_root;
};

static const struct exception exceptions[] = {
    { "smtp", true, false },  /* mail goes out */
    { "dnsd", true, false },  /* and so do questions */
    { "mapd", false, true },  /* tables may stand anywhere */
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

/* What is not dumpable is root's in /proc. */
static bool is_dumpable(unsigned pid, unsigned long uid)
{
    struct stat st;
    char path[64];

    snprintf(path, sizeof path, "/proc/%u/environ", pid);
    return stat(path, &st) == 0 && st.st_uid == uid && uid != 0;
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
        f->dumpable = is_dumpable(pid, f->uid);
    }
    buf_release(&status);
}

struct totals {
    unsigned processes, root, weak, starting;
    bool is_root; /* master is, so that uids and namespaces can be had */
};

static const struct exception *exception_of(struct view program)
{
    static const struct exception none;

    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (view_is(program, exceptions[i].program))
            return &exceptions[i];
    return &none;
}

/* Another filter than our own shows in /proc as well: the service manager's. */
static bool has_filter(const struct facts *f, unsigned walls)
{
    return f->seccomp == 2 && (walls & WALL_SECCOMP);
}

static bool is_weak(const struct admin_process *a, const struct facts *f,
                    bool is_root)
{
    const struct exception *e = exception_of(a->program);

    return !has_filter(f, a->walls) || !f->no_new_privs || f->caps != 0 ||
           !(a->walls & WALL_LANDLOCK) || f->dumpable ||
           (is_root && (f->uid == 0 || (!f->own_net && !e->host_net) ||
                        (!f->own_root && !e->host_root)));
}

/* One that only starts has no walls yet, and hears nobody before they stand. */
static void print_process(const struct admin_process *a, struct totals *t)
{
    struct facts f;
    bool is_master = view_is(a->program, "master");
    bool starts = view_is(a->state, "starting");

    look(a->pid, &f);
    t->processes++;
    if (!f.known)
        return;
    t->root += f.uid == 0;
    t->starting += starts;
    t->weak += !is_master && !starts && is_weak(a, &f, t->is_root);
    t->is_root = t->is_root || (is_master && f.uid == 0);
    printf("%-9.*s %-16.*s %7u %10lu %-5s %-4s %-7s %-8s %-5s %s\n",
           VIEW_ARG(a->program), VIEW_ARG(a->service), a->pid, f.uid,
           f.caps ? "some" : "none", f.no_new_privs ? "yes" : "no",
           has_filter(&f, a->walls) ? "yes" : "no",
           a->walls & WALL_LANDLOCK ? "yes" : "no",
           f.own_net ? "empty" : "host", f.own_root ? "own" : "host");
}

/* Master does not list itself. */
static void print_master(struct totals *t)
{
    char *path = command_path("pid/master.pid");
    struct buf text = BUF_INIT;
    struct error err;
    uint64_t pid;

    if (io_read_file(AT_FDCWD, path, &text, 100, &err) == 0 &&
        view_number(view_trim(buf_view(&text)), UINT32_MAX, &pid))
        print_process(&(struct admin_process){ .pid = (uint32_t)pid,
                                               .program = VIEW("master"),
                                               .service = VIEW("-") }, t);
    buf_release(&text);
    free(path);
}

static int print_all(struct ipc *c, struct totals *t, struct error *err)
{
    for (;;) {
        struct ipc_packet packet;
        struct admin_process a;

        if (ipc_recv(c, &packet, err) <= 0)
            return -1;
        if (ipc_id(packet.bytes) == admin_done_type.id)
            return 0;
        if (ipc_packet_decode(&packet, &admin_process_type, &a, err) < 0)
            return -1;
        print_process(&a, t);
    }
}

/* Nothing in this suite needs a file that lends its owner's rights. */
static unsigned count_setid(const char *parameter)
{
    char *dir = command_value(parameter);
    unsigned n = 0;
    struct dirent *e;
    struct stat st;
    DIR *d = opendir(dir);

    while (d != NULL && io_next_name(d, &e))
        n += fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
             S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID)) != 0;
    if (d != NULL)
        closedir(d);
    free(dir);
    return n;
}

static void print_kernel(bool is_root)
{
    static const struct {
        int abi;
        const char *what;
    } later[] = {
        { 3, "keep files from being truncated" },
        { 4, "refuse TCP (seccomp and the empty network do)" },
        { 5, "refuse ioctls of devices (seccomp does)" },
        { 6, "refuse signals and abstract sockets (seccomp does)" },
    };
    int abi = sandbox_landlock_abi();

    if (abi == 0)
        puts("this kernel has no Landlock: file rules are those of uid and "
             "root directory alone");
    else
        printf("Landlock version %d; the kernel does not show who is behind "
               "it, each process says so when it begins\n", abi);
    for (size_t i = 0; abi > 0 && i < sizeof later / sizeof *later; i++)
        if (abi < later[i].abi)
            printf("this kernel's Landlock cannot %s\n", later[i].what);
    if (prctl(PR_GET_MDWE_, 0, 0, 0, 0) < 0)
        puts("this kernel cannot forbid memory to become executable; seccomp "
             "refuses PROT_EXEC");
    if (!is_root)
        puts("started by an ordinary user: one uid for all, no root directory "
             "and no network namespace of their own; Landlock and seccomp "
             "stand");
}

/* Each program knows its own list, and prints it. */
static void print_list_of(const char *dir, const char *program,
                          const char *option)
{
    struct buf path = BUF_INIT;
    char *const argv[] = { (char *)(uintptr_t)program,
                           (char *)(uintptr_t)option, NULL };
    pid_t pid;
    int status = -1;

    buf_addf(&path, "%s/%s", dir, program);
    fflush(stdout);
    if (posix_spawn(&pid, buf_text(&path), NULL, NULL, argv, environ) == 0)
        waitpid(pid, &status, 0);
    if (status != 0)
        command_fail(EX_UNAVAILABLE, "%s does not say what it may",
                     buf_text(&path));
    buf_release(&path);
}

/* What the walls around each program let through: system calls (-A), or what
 * may be done to files (-R). */
static int print_lists(const char *option)
{
    char *dir = command_value("daemon_directory");
    struct dirent **list = NULL;
    int n = scandir(dir, &list, NULL, alphasort);

    if (n < 0)
        command_fail(EX_NOINPUT, "cannot list %s", dir);
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;

        if (name[0] != '.' && strcmp(name, "master") != 0)
            print_list_of(dir, name, option);
        free(list[i]);
    }
    free(list);
    free(dir);
    return 0;
}

/* Whom each program may join, its uid and root directory: master's table. */
static int print_roles(void)
{
    char *dir = command_value("daemon_directory");

    print_list_of(dir, "master", "-A");
    free(dir);
    return 0;
}

int verb_hardening(struct postern *p, int argc, char **argv)
{
    struct totals t = { .processes = 0 };
    struct error err;
    struct ipc c;

    (void)p;
    if (argc == 1 && strcmp(argv[0], "calls") == 0)
        return print_lists("-A");
    if (argc == 1 && strcmp(argv[0], "rules") == 0)
        return print_lists("-R");
    if (argc == 1 && strcmp(argv[0], "roles") == 0)
        return print_roles();
    if (argc > 0)
        command_fail(EX_USAGE, "usage: postern hardening [calls | rules | "
                     "roles]");
    postern_connect(&c, EX_UNAVAILABLE);
    printf("%-9s %-16s %7s %10s %-5s %-4s %-7s %-8s %-5s %s\n", "PROGRAM",
           "SERVICE", "PID", "UID", "CAPS", "NNP", "SECCOMP", "LANDLOCK",
           "NET", "ROOT");
    print_master(&t);
    if (ipc_send(&c, &admin_status_type, NULL, &err) < 0 ||
        print_all(&c, &t, &err) < 0)
        command_fail(EX_SOFTWARE, "%s", err.text);
    ipc_release(&c);
    printf("\n%u processes, %u of them root; %u without a wall they should "
           "have; %u set-id programs\n", t.processes, t.root, t.weak,
           count_setid("daemon_directory") +
               count_setid("command_directory"));
    if (t.starting > 0)
        printf("%u of them only start, and hear nobody before their walls "
               "stand\n", t.starting);
    print_kernel(t.is_root);
    return t.weak > 0 ? 1 : 0;
}
