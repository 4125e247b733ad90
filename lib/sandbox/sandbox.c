/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/view.h"
#include "sandbox/landlock.h"
#include "sandbox/syscalls.h"

/* Memory-deny-write-execute: Linux 6.3, so not in Debian 12's headers. */
#define PR_SET_MDWE_          65
#define PR_MDWE_REFUSE_EXEC_  1

int sandbox_walls(const char *words)
{
    static const char *const names[] = { "root", "landlock", "seccomp",
                                         "network", "uid" };
    struct view rest = view_of(words), w;
    unsigned set = 0;

    while (view_word(&rest, ", \t", &w)) {
        unsigned i = 0;

        while (i < 5 && !view_is(w, names[i]))
            i++;
        if (i == 5)
            return -1;
        set |= 1u << i;
    }
    return (int)set;
}

static bool may_chroot(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2];

    return syscall(SYS_capget, &head, data) == 0 &&
           (data[0].effective & (1u << CAP_SYS_CHROOT));
}

/* What was handed over may be a path only (open_tree), which can be neither
 * listed nor synced. */
static int reopen_root(int *root_fd, struct error *err)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_sys(err, "cannot open the root directory");
    close(*root_fd);
    *root_fd = fd;
    return 0;
}

static int enter_root(int *root_fd, bool change, struct error *err)
{
    if (*root_fd < 0)
        return 0;
    /* Libraries that open by name, not by descriptor, find it as ".". */
    if (fchdir(*root_fd) < 0)
        return error_sys(err, "cannot enter the root directory");
    if (change && chroot(".") < 0)
        return error_sys(err, "cannot change the root directory");
    return reopen_root(root_fd, err);
}

/* Give up every capability in every set, and try to get them back. */
static int drop_capabilities(struct error *err)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, none) < 0)
        return error_sys(err, "cannot give up capabilities");
    if (may_chroot() || (getuid() != 0 && setuid(0) == 0))
        return error_set(err, FAIL_PERM, "privileges came back after they "
                         "were given up");
    return 0;
}

static int set_limits(unsigned walls, struct error *err)
{
    const struct rlimit none = { 0, 0 };

    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return error_sys(err, "cannot forbid core dumps");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_sys(err, "cannot set no_new_privs");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_sys(err, "cannot forbid dumping and tracing");
    /* An extra where the kernel has it; seccomp refuses PROT_EXEC anyway.
     * Without both walls a test looks into the program, by code that it makes
     * there. */
    if (walls & (WALL_SECCOMP | WALL_LANDLOCK))
        prctl(PR_SET_MDWE_, PR_MDWE_REFUSE_EXEC_, 0, 0, 0);
    return 0;
}

#ifdef POSTERN_SANITIZE
/* Looking for leaks at the end takes ptrace(2), which nobody has in a jail. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

int sandbox_enter(const struct sandbox *s, int *root_fd, unsigned walls,
                  unsigned *got, struct error *err)
{
    bool rooted = *root_fd >= 0 && (walls & WALL_ROOT) && may_chroot();
    struct error second;
    int rc = 0;

    *got = 0;
    if (enter_root(root_fd, rooted, err) < 0 ||
        drop_capabilities(err) < 0 || set_limits(walls, err) < 0)
        return -1;
    /* Without our supervisor there is nothing left to serve. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return error_sys(err, "cannot follow the supervisor's end");
    *got |= rooted ? WALL_ROOT : 0;
    /* A wall that cannot be had takes no other away: who may run without it
     * has the rest. */
    if (walls & WALL_LANDLOCK) {
        rc = landlock_enter(s, *root_fd, err);
        *got |= rc == 0 ? WALL_LANDLOCK : 0;
    }
    if (walls & WALL_SECCOMP) {
        if (syscalls_enter(s, rc < 0 ? &second : err) < 0)
            rc = -1;
        else
            *got |= WALL_SECCOMP;
    }
    return rc;
}
