/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories with their owners, and what a jail sees of them. */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "maildir/mark.h"

static uid_t role_uid(const struct master *m, const char *role)
{
    if (!m->is_root || !(m->walls & WALL_UID))
        return geteuid();
    return m->conf.role_uid_base + role_find(role)->uid_offset;
}

uid_t places_uid(const struct pool *p)
{
    const struct master *m = p->master;

    if (!m->is_root || !(m->walls & WALL_UID))
        return geteuid();
    if (p->role->per != PER_SERVICE)
        return p->uid;
    return role_uid(m, p->role->name);
}

/* A directory that only `uid` may enter; made if it is not there. */
static int make_directory(int at, const char *name, uid_t uid, mode_t mode,
                          struct error *err)
{
    struct stat st;
    int fd, rc = 0;

    if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
        return error_sys(err, "cannot make the directory %s", name);
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_sys(err, "cannot open the directory %s", name);
    if (fstat(fd, &st) < 0 ||
        (st.st_uid != uid && fchown(fd, uid, (gid_t)uid) < 0) ||
        ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0))
        rc = error_sys(err, "cannot set owner and mode of %s", name);
    close(fd);
    return rc;
}

/* A directory that is there need not be there for good: its name is durable
 * when the directory above it was synced. */
static int sync_above(int fd, const char *path, struct error *err)
{
    int above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = above < 0 ? -1 : io_sync(above);

    io_close(&above);
    return rc < 0 ? error_sys(err, "cannot sync the directory above %s", path)
                  : 0;
}

static int open_directory(const char *path, bool make, int *fd,
                          struct error *err)
{
    if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
        return error_sys(err, "cannot make the directory %s", path);
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return error_sys(err, "cannot open the directory %s", path);
    return make ? sync_above(*fd, path, err) : 0;
}

static int make_queue(struct master *m, struct error *err)
{
    static const char *const queues[] = { "incoming", "active", "deferred",
                                          "hold", "corrupt" };
    uid_t queue = role_uid(m, "qmgr");

    if (open_directory(m->conf.queue_directory, true, &m->queue_dir, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++)
        if (make_directory(m->queue_dir, queues[i], queue, 0700, err) < 0)
            return -1;
    if (make_directory(m->queue_dir, "public", geteuid(), 0755, err) < 0 ||
        make_directory(m->queue_dir, "private", geteuid(), 0700, err) < 0 ||
        make_directory(m->queue_dir, "pid", geteuid(), 0755, err) < 0)
        return -1;
    if (io_sync(m->queue_dir) < 0)
        return error_sys(err, "cannot sync %s", m->conf.queue_directory);
    return 0;
}

/* A store that is not there, or not mounted, is no reason not to take mail:
 * deliveries wait. */
bool places_store_ready(struct master *m)
{
    bool was_missing = m->store_missing;
    struct error err;

    /* It is opened anew each time: it may have been mounted meanwhile. */
    io_close(&m->store_dir);
    m->store_missing =
        open_directory(m->conf.virtual_mailbox_base, false, &m->store_dir,
                       &err) < 0 ||
        mark_check(m->queue_dir, m->store_dir, &err) < 0;
    if (m->store_missing && !was_missing)
        log_warning("the mail store %s: %s; is it mounted? local mail waits "
                    "in the queue; a new store is made by \"postern store "
                    "create\"", m->conf.virtual_mailbox_base, err.text);
    return !m->store_missing;
}

/* An empty directory that nothing can be made in, of no file system that has
 * a name: a detached mount of a small tmpfs. */
static int make_empty_root(struct master *m, struct error *err)
{
    int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

    if (fs < 0)
        return error_sys(err, "cannot make an empty root directory");
    if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
        fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        error_sys(err, "cannot make an empty root directory");
        close(fs);
        return -1;
    }
    m->empty_root = fsmount(fs, FSMOUNT_CLOEXEC,
                            MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    close(fs);
    if (m->empty_root < 0)
        return error_sys(err, "cannot mount an empty root directory");
    return 0;
}

/* A network namespace where nothing can be reached: made by a helper of ours
 * for its descriptor, so that master stays in the one it listens in. */
static int make_empty_net(struct master *m, struct error *err)
{
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (own < 0)
        return error_sys(err, "cannot open /proc/self/ns/net");
    if (unshare(CLONE_NEWNET) < 0) {
        error_sys(err, "cannot make an empty network namespace");
        close(own);
        return -1;
    }
    m->empty_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (setns(own, CLONE_NEWNET) < 0)
        log_fatal("cannot return to our network namespace");
    close(own);
    if (m->empty_net < 0)
        return error_sys(err, "cannot open the empty network namespace");
    return 0;
}

int places_create(struct master *m, struct error *err)
{
    struct error why;

    if (make_queue(m, err) < 0)
        return -1;
    places_store_ready(m);
    if (mkdir(m->conf.data_directory, 0700) < 0 && errno != EEXIST)
        return error_sys(err, "cannot make %s", m->conf.data_directory);
    if (make_directory(AT_FDCWD, m->conf.data_directory, role_uid(m, "authd"),
                       0700, err) < 0)
        return -1;
    if (!m->is_root)
        return 0;
    if (make_empty_root(m, &why) < 0 || make_empty_net(m, &why) < 0) {
        if (m->conf.sandbox_required) {
            *err = why;
            return -1;
        }
        log_warning("%s", why.text);
    }
    return 0;
}

/* --- in the child, before it gives up its privileges ------------------- */

/* Open `path` below the store, following nothing that could lead out. */
static int open_below(int at, const char *path, struct error *err)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                   RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);

    if (fd < 0)
        return error_sys(err, "cannot open %s in the mail store", path);
    return fd;
}

/* Make the directory `name` below `*at` if it is missing, durably, and step
 * into it. */
static int step_into(int *at, const char *name, struct error *err)
{
    int next;

    if (mkdirat(*at, name, 0700) == 0) {
        if (io_sync(*at) < 0)
            return error_sys(err, "cannot sync the directory above %s", name);
    } else if (errno != EEXIST) {
        return error_sys(err, "cannot make %s in the mail store", name);
    }
    next = open_below(*at, name, err);
    if (next < 0)
        return -1;
    close(*at);
    *at = next;
    return 0;
}

/* An account may log in before its first message made its directory. This is
 * done as the tenant: root makes nothing below a tenant's directory. */
static int make_account(const struct pool *p, struct error *err)
{
    const struct master *m = p->master;
    struct view rest = view_of(p->path), part;
    int at = open_below(m->store_dir, p->tenant, err), rc = 0;

    if (at < 0)
        return -1;
    if (m->is_root) {
        setfsgid((gid_t)places_uid(p));
        setfsuid(places_uid(p));
    }
    view_cut(&rest, '/', &part);
    if (!view_is(part, p->tenant))
        rc = error_set(err, FAIL_PERM, "%s is not of its tenant", p->path);
    while (rc == 0 && view_cut(&rest, '/', &part)) {
        char name[256];

        rc = view_copy(part, name, sizeof name)
                 ? step_into(&at, name, err)
                 : error_set(err, FAIL_PERM, "%s is no path", p->path);
    }
    if (m->is_root) {
        setfsuid(0);
        setfsgid(0);
    }
    close(at);
    return rc;
}

/* A tenant's directory is the only thing that root makes in a store. It gets
 * its name when it has its owner: another process, or the one after a power
 * cut, must not meet one that is root's. */
static int make_tenant(const struct pool *p, struct error *err)
{
    int store = p->master->store_dir;
    char fresh[ACCOUNT_MAX + 40]; /* no tenant's name begins with a dot */
    int rc = 0;

    if (faccessat(store, p->tenant, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    snprintf(fresh, sizeof fresh, ".new-%d-%s", getpid(), p->tenant);
    unlinkat(store, fresh, AT_REMOVEDIR); /* of a process that did not end it */
    if (mkdirat(store, fresh, 0700) < 0 ||
        fchownat(store, fresh, places_uid(p), (gid_t)places_uid(p),
                 AT_SYMLINK_NOFOLLOW) < 0)
        rc = error_sys(err, "cannot make the tenant %s's directory",
                       p->tenant);
    else if (renameat2(store, fresh, store, p->tenant, RENAME_NOREPLACE) < 0 &&
             errno != EEXIST)
        rc = error_sys(err, "cannot name the tenant %s's directory",
                       p->tenant);
    unlinkat(store, fresh, AT_REMOVEDIR); /* unless it has the name now */
    return rc;
}

static int open_tenant(const struct pool *p, struct error *err)
{
    const struct master *m = p->master;
    struct stat st;
    int fd;

    if (make_tenant(p, err) < 0)
        return -1;
    if (io_sync(m->store_dir) < 0)
        return error_sys(err, "cannot sync the mail store");
    if (p->path != NULL && make_account(p, err) < 0)
        return -1;
    fd = open_below(m->store_dir, p->path ? p->path : p->tenant, err);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || st.st_uid != places_uid(p)) {
        close(fd);
        return error_set(err, FAIL_PERM, "%s in the mail store belongs to "
                         "uid %u, not to its tenant's %u",
                         p->path ? p->path : p->tenant, st.st_uid,
                         places_uid(p));
    }
    return fd;
}

/* Hand a directory over as a mount of its own: no ".." leads out of it. */
static int detach(int fd, struct error *err)
{
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
    };
    int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE |
                                     OPEN_TREE_CLOEXEC);

    close(fd);
    if (tree < 0)
        return error_sys(err, "cannot make a mount of a root directory");
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) {
        error_sys(err, "cannot restrict the mount of a root directory");
        close(tree);
        return -1;
    }
    return tree;
}

int places_root(const struct pool *p, struct error *err)
{
    const struct master *m = p->master;
    const char *path = NULL;
    int fd = -1;

    switch (p->role->root) {
    case ROOT_HOST:
        return -1;
    case ROOT_EMPTY:
        if (m->empty_root < 0)
            return -1;
        fd = fcntl(m->empty_root, F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? error_sys(err, "cannot duplicate the empty root") - 1
                      : fd;
    case ROOT_QUEUE:
        fd = openat(m->queue_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        path = m->conf.queue_directory;
        break;
    case ROOT_INCOMING:
        fd = openat(m->queue_dir, "incoming",
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        path = "incoming";
        break;
    case ROOT_DATA:
        fd = open(m->conf.data_directory,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        path = m->conf.data_directory;
        break;
    case ROOT_TENANT:
    case ROOT_ACCOUNT:
        fd = open_tenant(p, err);
        if (fd < 0)
            return -2;
        break;
    }
    if (fd < 0) {
        error_sys(err, "cannot open %s", path);
        return -2;
    }
    if (!m->is_root)
        return fd;
    fd = detach(fd, err);
    return fd < 0 ? -2 : fd;
}
