/* SPDX-License-Identifier: BSD-2-Clause */
/* One process: from fork, through its uid and descriptors, to exec. */
#include "master/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "master/master.h"

/* No capability may come by an exec any more. What is to be inherited must be
 * said before: later it would have to be in this set. */
static void drop_bounding(struct __user_cap_header_struct *head)
{
    struct __user_cap_data_struct caps[2];

    if (syscall(SYS_capget, head, caps) < 0)
        log_fatal("cannot see capabilities: %s", strerrordesc_np(errno));
    caps[0].inheritable = 1u << CAP_SYS_CHROOT;
    caps[1].inheritable = 0;
    if (syscall(SYS_capset, head, caps) < 0)
        log_fatal("cannot set capabilities: %s", strerrordesc_np(errno));
    for (int cap = 0; cap <= 63; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

/* Keep CAP_SYS_CHROOT through the exec, for sandbox_enter(), and drop every
 * other capability for ever. */
static void become(uid_t uid)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct caps[2] = {
        { 1u << CAP_SYS_CHROOT, 1u << CAP_SYS_CHROOT, 1u << CAP_SYS_CHROOT },
        { 0, 0, 0 },
    };

    drop_bounding(&head);
    if (syscall(SYS_setgroups, 0, NULL) < 0 ||
        setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0 ||
        prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
        setresuid(uid, uid, uid) < 0 ||
        syscall(SYS_capset, &head, caps) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) < 0)
        log_fatal("cannot become uid %u: %s", uid, strerrordesc_np(errno));
    if (uid != 0 && (setuid(0) == 0 || getuid() != uid || geteuid() != uid))
        log_fatal("cannot give up uid 0");
}

/* Put the descriptors where the program expects them and close the rest. They
 * are moved out of the way first, so that none is overwritten. */
static void place_descriptors(const int *fds, unsigned n)
{
    int high[FD_LISTEN + SERVICE_LISTENERS_MAX];

    for (unsigned i = 0; i < n; i++) {
        high[i] = -1;
        if (fds[i] < 0)
            continue;
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 200);
        if (high[i] < 0)
            log_fatal("cannot move a descriptor: %s", strerrordesc_np(errno));
    }
    for (unsigned i = 0; i < n; i++) {
        if (high[i] >= 0)
            dup2(high[i], FD_CONTROL + (int)i);
        else
            close(FD_CONTROL + (int)i);
    }
    if (close_range(FD_CONTROL + n, ~0u, 0) < 0)
        log_fatal("cannot close descriptors: %s", strerrordesc_np(errno));
}

static char *number_text(unsigned long long n)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%llu", n);
    return buf_take(&b);
}

static char **make_arguments(const struct child *c)
{
    const struct pool *p = c->pool;
    const struct mastercf_row *row = p->row;
    char **argv = alloc_zero(12 + row->verbose + 2 * row->n_overrides,
                             sizeof *argv);
    size_t n = 0;

    argv[n++] = row->command;
    argv[n++] = alloc_text("-s");
    argv[n++] = row->name;
    argv[n++] = alloc_text("-l");
    argv[n++] = number_text(p->n_listeners);
    argv[n++] = alloc_text("-n");
    argv[n++] = number_text(c->slot);
    argv[n++] = alloc_text("-b");
    argv[n++] = number_text(ids_now(p->master));
    argv[n++] = alloc_text("-L");
    argv[n++] = number_text(p->master->id_base);
    for (unsigned i = 0; i < row->verbose; i++)
        argv[n++] = alloc_text("-v");
    for (size_t i = 0; i < row->n_overrides; i++) {
        argv[n++] = alloc_text("-o");
        argv[n++] = row->overrides[i];
    }
    return argv; /* given to exec, or lost with the process */
}

static void run_child(struct child *c, int control)
{
    struct pool *p = c->pool;
    struct master *m = p->master;
    int fds[FD_LISTEN + SERVICE_LISTENERS_MAX];
    char *const env[] = { NULL };
    struct buf program = BUF_INIT;
    struct error err;
    sigset_t none;
    int root = places_root(p, &err);
    unsigned n = 0;

    if (root == -2)
        log_fatal("%s", err.text);
    fds[n++] = control;
    fds[n++] = p->parent ? p->parent->log[0] : p->log[0];
    fds[n++] = m->config_fd;
    fds[n++] = root;
    fds[n++] = p->channel[1];
    for (size_t i = 0; i < p->n_listeners; i++)
        fds[n++] = p->listeners[i];
    buf_addf(&program, "%s/%s", m->conf.daemon_directory, p->row->command);
    if (m->empty_net >= 0 && !p->role->host_network &&
        (m->walls & WALL_NETWORK) && setns(m->empty_net, CLONE_NEWNET) < 0)
        log_fatal("cannot enter the empty network: %s",
                  strerrordesc_np(errno));
    if (m->is_root)
        become(places_uid(p));
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(077);
    if (chdir("/") < 0)
        log_fatal("cannot change to /: %s", strerrordesc_np(errno));
    /* From here on only descriptor 2 is left to complain on. */
    log_open(-1);
    place_descriptors(fds, n);
    execve(buf_text(&program), make_arguments(c), env);
    log_fatal("cannot run %s: %s", buf_text(&program), strerrordesc_np(errno));
}

int spawn(struct child *c, int control, struct error *err)
{
    pid_t pid = fork();

    if (pid < 0)
        return error_sys(err, "cannot start %s", c->pool->row->command);
    if (pid == 0)
        run_child(c, control);
    c->pid = pid;
    return 0;
}
