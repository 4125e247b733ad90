/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Debian 12's headers stop at ABI 2; the numbers are the kernel's interface. */
#define FS_TRUNCATE  (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND     (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT  (1ULL << 1)
#define SCOPE_ALL    3ULL         /* ABI 6: abstract sockets and signals */

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

#define FS_ABI2 ((1ULL << 14) - 1)

static uint64_t handled_fs(int abi)
{
    return FS_ABI2 | (abi >= 3 ? FS_TRUNCATE : 0) |
           (abi >= 5 ? FS_IOCTL_DEV : 0);
}

static uint64_t rights(unsigned access, int abi)
{
    uint64_t r = 0;

    if (access & SANDBOX_READ)
        r |= LANDLOCK_ACCESS_FS_READ_FILE;
    if (access & SANDBOX_LIST)
        r |= LANDLOCK_ACCESS_FS_READ_DIR;
    if (access & SANDBOX_WRITE)
        r |= LANDLOCK_ACCESS_FS_WRITE_FILE | (abi >= 3 ? FS_TRUNCATE : 0);
    if (access & SANDBOX_MAKE)
        r |= LANDLOCK_ACCESS_FS_MAKE_REG;
    if (access & SANDBOX_MKDIR)
        r |= LANDLOCK_ACCESS_FS_MAKE_DIR;
    if (access & SANDBOX_REMOVE)
        r |= LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
    if (access & SANDBOX_MOVE)
        r |= LANDLOCK_ACCESS_FS_REFER;
    return r;
}

int sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);

    return abi < 0 ? 0 : (int)abi;
}

#define FILE_RIGHTS \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
     LANDLOCK_ACCESS_FS_EXECUTE | FS_TRUNCATE | FS_IOCTL_DEV)

static int add_rule(int set, int at, const struct sandbox_rule *r,
                    int abi, struct error *err)
{
    struct landlock_path_beneath_attr attr = {
        .allowed_access = rights(r->access, abi),
    };
    struct stat st;
    int rc = 0;

    attr.parent_fd = openat(at, r->path, O_PATH | O_CLOEXEC);
    if (attr.parent_fd < 0 && errno == ENOENT)
        return 0; /* what is not there may not be opened either */
    if (attr.parent_fd < 0)
        return error_sys(err, "cannot open %s for its Landlock rule", r->path);
    if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        attr.allowed_access &= FILE_RIGHTS;
    if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &attr,
                0) < 0)
        rc = error_sys(err, "cannot add the Landlock rule for %s", r->path);
    close(attr.parent_fd);
    return rc;
}

static int add_rules(int set, int at, const struct sandbox_rule *r, int abi,
                     struct error *err)
{
    for (; r != NULL && r->path != NULL; r++)
        if (add_rule(set, at, r, abi, err) < 0)
            return -1;
    return 0;
}

int landlock_enter(const struct sandbox *s, int root_fd, struct error *err)
{
    int abi = sandbox_landlock_abi();
    struct ruleset_attr attr = {
        .fs = handled_fs(abi),
        .net = s->promises & PROMISE_INET ? NET_BIND : NET_BIND | NET_CONNECT,
        .scoped = SCOPE_ALL,
    };
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int set, rc = -1;

    if (abi < 2)
        return error_set(err, FAIL_PERM, "this kernel has no Landlock, or one "
                         "older than 5.19; set sandbox_required = no to run "
                         "without");
    set = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (set < 0)
        return error_sys(err, "cannot make a Landlock ruleset");
    if ((root_fd >= 0 && add_rules(set, root_fd, s->rules, abi, err) < 0) ||
        add_rules(set, AT_FDCWD, s->extra, abi, err) < 0)
        goto out;
    if (syscall(SYS_landlock_restrict_self, set, 0) < 0) {
        error_sys(err, "cannot enter Landlock");
        goto out;
    }
    rc = 0;
out:
    close(set);
    return rc;
}
