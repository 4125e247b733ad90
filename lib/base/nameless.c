/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nameless.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

/* /proc/self/fd, or -1 when the kernel links by descriptor. */
static int proc_fds = -1;

static int kernel_at_least(unsigned major, unsigned minor)
{
    struct utsname u;
    unsigned a = 0, b = 0;

    /* The kernel's own word. NOLINTNEXTLINE(cert-err34-c) */
    if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &a, &b) != 2)
        return 0;
    return a > major || (a == major && b >= minor);
}

void nameless_prepare(void)
{
    if (proc_fds < 0 && !kernel_at_least(6, 10))
        proc_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int nameless_open(int dir, mode_t mode, struct error *err)
{
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

    if (fd < 0)
        return error_sys(err, "cannot make a file");
    return fd;
}

int nameless_link(int fd, int dir, const char *name)
{
    char number[16];

    if (proc_fds < 0)
        return linkat(fd, "", dir, name, AT_EMPTY_PATH);
    snprintf(number, sizeof number, "%d", fd);
    return linkat(proc_fds, number, dir, name, AT_SYMLINK_FOLLOW);
}
