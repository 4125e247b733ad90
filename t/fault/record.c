/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record - note in order what processes do to the files of one file system.
 *
 *     record DIRECTORY OUT PID,...
 *
 * Watches the processes, and all that they start, with ptrace(2), until
 * standard input is closed. Prints "ready" when it has them, "end" when it has
 * let them go. A line for each thing done, into the file OUT/log; directories
 * and files are inode numbers of DIRECTORY's file system, names have %XX for
 * what is not plain:
 *
 *     make DIR NAME INODE      a file or directory got this name
 *     drop DIR NAME            it lost it
 *     move DIR NAME DIR NAME
 *     data INODE SNAPSHOT      its content is now that of the file
 *                              OUT/SNAPSHOT
 *     part INODE SNAPSHOT OFFSET LENGTH
 *                              the same, and these bytes are durable (O_DSYNC)
 *     attr INODE UID GID MODE MTIME_NS
 *                              as it is now, before a make too
 *     sync INODE               fsync(2) or fdatasync(2) has returned
 *     say PROGRAM TEXT         it is about to write this, of no file
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | \
                 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)
#define TRACED_MAX 400
#define PATH_BYTES 4096
#define SAID_BYTES 300

/* A process in the middle of a call. */
struct traced {
    pid_t pid;
    uint64_t nr, args[6];
    bool existed; /* open(2): the name was there before */
    bool is_dsync, on_disk; /* of a write */
};

static struct traced traced[TRACED_MAX];
static dev_t device;
static const char *out_dir;
static FILE *out;
static unsigned snapshots;

static void fail(const char *what)
{
    fprintf(stderr, "record: %s: %s\n", what, strerrordesc_np(errno));
    exit(2);
}

static struct traced *entry_of(pid_t pid)
{
    struct traced *unused = NULL;

    for (size_t i = 0; i < TRACED_MAX; i++) {
        if (traced[i].pid == pid)
            return &traced[i];
        if (traced[i].pid == 0 && unused == NULL)
            unused = &traced[i];
    }
    if (unused == NULL)
        fail("too many processes");
    *unused = (struct traced){ .pid = pid };
    return unused;
}

/* --- what is in the process -------------------------------------------- */

static size_t fetch(pid_t pid, uint64_t at, void *to, size_t len)
{
    struct iovec local = { to, len };
    struct iovec remote = { (void *)(uintptr_t)at, len };
    ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

    return n > 0 ? (size_t)n : 0;
}

/* A string may end just before a page that is not there. */
static void fetch_text(pid_t pid, uint64_t at, char *to, size_t size)
{
    size_t n = 0;

    while (n + 1 < size && fetch(pid, at + n, to + n, 1) == 1 && to[n] != '\0')
        n++;
    to[n] = '\0';
}

static void fd_path(pid_t pid, uint64_t fd, char *path, size_t size)
{
    snprintf(path, size, "/proc/%d/fd/%d", (int)pid, (int)fd);
}

/* Is it a file or directory of ours? */
static bool stat_fd(pid_t pid, uint64_t fd, struct stat *st)
{
    char path[64];

    fd_path(pid, fd, path, sizeof path);
    return stat(path, st) == 0 && st->st_dev == device &&
           (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode));
}

static bool is_dsync(pid_t pid, uint64_t fd)
{
    char path[64], text[200] = "";
    const char *at;
    int f;

    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, (int)fd);
    f = open(path, O_RDONLY);
    if (f >= 0 && read(f, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(f);
    at = strstr(text, "flags:");
    return at != NULL && (strtoul(at + 6, NULL, 8) & O_DSYNC);
}

/* A name in a directory, as the process names it. */
struct place {
    char path[PATH_BYTES + 64]; /* for us */
    char *name;                 /* its last component */
    ino_t dir;
};

static bool find_place(pid_t pid, uint64_t dirfd, uint64_t path,
                       struct place *p)
{
    char text[PATH_BYTES], *slash;
    struct stat st;

    fetch_text(pid, path, text, sizeof text);
    if (text[0] == '/')
        snprintf(p->path, sizeof p->path, "/proc/%d/root%s", (int)pid, text);
    else if ((int)dirfd == AT_FDCWD)
        snprintf(p->path, sizeof p->path, "/proc/%d/cwd/%s", (int)pid, text);
    else
        snprintf(p->path, sizeof p->path, "/proc/%d/fd/%d/%s", (int)pid,
                 (int)dirfd, text);
    slash = strrchr(p->path, '/');
    *slash = '\0';
    if (stat(p->path, &st) < 0 || st.st_dev != device)
        return false;
    *slash = '/';
    p->name = slash + 1;
    p->dir = st.st_ino;
    return p->name[0] != '\0';
}

/* --- noting ------------------------------------------------------------ */

static void note_text(const char *text, size_t len)
{
    fputc(' ', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (isalnum(c) || strchr(".,:_=-", c) != NULL)
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

static void note_place(const struct place *p)
{
    fprintf(out, " %lu", (unsigned long)p->dir);
    note_text(p->name, strlen(p->name));
}

static void note_attr(const struct stat *st)
{
    fprintf(out, "attr %lu %u %u %o %lld%09ld\n", (unsigned long)st->st_ino,
            st->st_uid, st->st_gid, st->st_mode,
            (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static void note_make(const struct place *p)
{
    struct stat st;

    if (lstat(p->path, &st) < 0)
        return; /* another process was faster to remove it */
    note_attr(&st);
    fputs("make", out);
    note_place(p);
    fprintf(out, " %lu\n", (unsigned long)st.st_ino);
}

static void note_attr_fd(pid_t pid, uint64_t fd)
{
    struct stat st;

    if (stat_fd(pid, fd, &st))
        note_attr(&st);
}

static unsigned snapshot(pid_t pid, uint64_t fd, off_t size)
{
    char path[PATH_BYTES];
    int from, to;

    fd_path(pid, fd, path, sizeof path);
    from = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/%u", out_dir, ++snapshots);
    to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from < 0 || to < 0)
        fail("a snapshot");
    for (off_t left = size; left > 0;) {
        ssize_t n = sendfile(to, from, NULL, (size_t)left);

        if (n <= 0)
            break;
        left -= n;
    }
    close(from);
    close(to);
    return snapshots;
}

static void note_data(struct traced *t, uint64_t fd, bool part,
                      uint64_t offset, uint64_t len)
{
    struct stat st;

    if (!stat_fd(t->pid, fd, &st) || !S_ISREG(st.st_mode))
        return;
    note_attr(&st);
    fprintf(out, "%s %lu %u", part ? "part" : "data",
            (unsigned long)st.st_ino, snapshot(t->pid, fd, st.st_size));
    if (part)
        fprintf(out, " %llu %llu", (unsigned long long)offset,
                (unsigned long long)len);
    fputc('\n', out);
}

static void note_say(pid_t pid, uint64_t at, uint64_t len)
{
    char text[SAID_BYTES], path[64], name[17] = "";
    size_t n = fetch(pid, at, text, len < sizeof text ? len : sizeof text);
    int fd;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY);
    if (fd >= 0 && read(fd, name, sizeof name - 1) > 0)
        name[strcspn(name, "\n")] = '\0';
    close(fd);
    fprintf(out, "say %s", name);
    note_text(text, n);
    fputc('\n', out);
    fflush(out); /* before it is said */
}

/* --- calls, as they begin ---------------------------------------------- */

static uint64_t open_flags(const struct traced *t)
{
    struct open_how how = { 0 };

    if (t->nr == SYS_openat2) {
        fetch(t->pid, t->args[2], &how, sizeof how);
        return how.flags;
    }
    return t->args[t->nr == SYS_open ? 1 : 2];
}

/* open(2) and its like name a file at the first argument or the second. */
static bool open_place(const struct traced *t, struct place *p)
{
    bool at = t->nr != SYS_open;

    return find_place(t->pid, at ? t->args[0] : (uint64_t)AT_FDCWD,
                      t->args[at ? 1 : 0], p);
}

static void said(struct traced *t)
{
    struct msghdr m = { 0 };
    struct iovec v = { 0 };

    if (t->nr != SYS_sendmsg && t->nr != SYS_writev) {
        note_say(t->pid, t->args[1], t->args[2]);
        return;
    }
    m.msg_iov = (struct iovec *)(uintptr_t)t->args[1];
    if (t->nr == SYS_sendmsg)
        fetch(t->pid, t->args[1], &m, sizeof m);
    fetch(t->pid, (uint64_t)(uintptr_t)m.msg_iov, &v, sizeof v);
    note_say(t->pid, (uint64_t)(uintptr_t)v.iov_base, v.iov_len);
}

static void begins(struct traced *t)
{
    struct place p;
    struct stat st;

    switch (t->nr) {
    case SYS_open:
    case SYS_openat:
    case SYS_openat2:
        t->existed = !(open_flags(t) & O_CREAT) || !open_place(t, &p) ||
                     lstat(p.path, &st) == 0;
        break;
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
        if (!stat_fd(t->pid, t->args[0], &st))
            said(t);
        break;
    }
}

/* --- calls, as they end ------------------------------------------------ */

static void opened(struct traced *t, int64_t fd)
{
    uint64_t flags = open_flags(t);
    struct place p;

    if ((flags & O_TMPFILE) == O_TMPFILE || (flags & O_TRUNC))
        note_data(t, (uint64_t)fd, false, 0, 0);
    if (!t->existed && open_place(t, &p))
        note_make(&p);
}

static void made(struct traced *t, uint64_t dirfd, uint64_t path)
{
    struct place p;

    if (find_place(t->pid, dirfd, path, &p))
        note_make(&p);
}

static void dropped(struct traced *t, uint64_t dirfd, uint64_t path)
{
    struct place p;

    if (!find_place(t->pid, dirfd, path, &p))
        return;
    fputs("drop", out);
    note_place(&p);
    fputc('\n', out);
}

static void moved(struct traced *t, uint64_t dir1, uint64_t path1,
                  uint64_t dir2, uint64_t path2)
{
    struct place from, to;

    if (!find_place(t->pid, dir1, path1, &from) ||
        !find_place(t->pid, dir2, path2, &to))
        return;
    fputs("move", out);
    note_place(&from);
    note_place(&to);
    fputc('\n', out);
}

static void synced(struct traced *t, uint64_t fd)
{
    struct stat st;

    if (stat_fd(t->pid, fd, &st))
        fprintf(out, "sync %lu\n", (unsigned long)st.st_ino);
}

static void wrote(struct traced *t, int64_t n)
{
    bool part = is_dsync(t->pid, t->args[0]);

    note_data(t, t->args[0], part, t->args[3], (uint64_t)n);
}

static void ends(struct traced *t, int64_t result)
{
    const uint64_t cwd = (uint64_t)AT_FDCWD, *a = t->args;

    if (result < 0)
        return;
    switch (t->nr) {
    case SYS_open:
    case SYS_openat:
    case SYS_openat2:
        opened(t, result);
        break;
    case SYS_mkdir:
        made(t, cwd, a[0]);
        break;
    case SYS_mkdirat:
        made(t, a[0], a[1]);
        break;
    case SYS_link:
        made(t, cwd, a[1]);
        break;
    case SYS_linkat:
        made(t, a[2], a[3]);
        break;
    case SYS_unlink:
    case SYS_rmdir:
        dropped(t, cwd, a[0]);
        break;
    case SYS_unlinkat:
        dropped(t, a[0], a[1]);
        break;
    case SYS_rename:
        moved(t, cwd, a[0], cwd, a[1]);
        break;
    case SYS_renameat:
    case SYS_renameat2:
        moved(t, a[0], a[1], a[2], a[3]);
        break;
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_sendfile:
    case SYS_ftruncate:
    case SYS_fallocate:
        wrote(t, result);
        break;
    case SYS_copy_file_range:
        note_data(t, a[2], false, 0, 0);
        break;
    case SYS_fsync:
    case SYS_fdatasync:
        synced(t, a[0]);
        break;
    case SYS_fchmod:
    case SYS_fchown:
    case SYS_utimensat:
        note_attr_fd(t->pid, a[0]);
        break;
    }
}

/* --- the loop ---------------------------------------------------------- */

static void call_stop(pid_t pid)
{
    struct __ptrace_syscall_info info;
    struct traced *t = entry_of(pid);

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        t->nr = info.entry.nr;
        memcpy(t->args, info.entry.args, sizeof t->args);
        begins(t);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        ends(t, info.exit.rval);
    }
}

static void watch(int signals)
{
    int status, sig;
    pid_t pid;

    while ((pid = children_wait(signals, &status)) > 0) {
        if (!WIFSTOPPED(status)) {
            entry_of(pid)->pid = 0;
            continue;
        }
        sig = WSTOPSIG(status);
        if (sig == (SIGTRAP | 0x80))
            call_stop(pid);
        /* A new one's first stop is ptrace's doing, and so are events. */
        ptrace(PTRACE_SYSCALL, pid, 0, sig == (SIGTRAP | 0x80) ||
               sig == SIGTRAP || status >> 16 != 0 ? 0 : sig);
    }
}

/* Has it ended, though nobody has waited for it? That cannot be traced. */
static bool has_ended(pid_t pid)
{
    char path[32], line[512];
    const char *name_end = NULL;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return true;
    if (fgets(line, sizeof line, f) != NULL)
        name_end = strrchr(line, ')');
    fclose(f);
    return name_end == NULL || strchr("ZX", name_end[2]) != NULL;
}

/* One that has ended meanwhile does nothing more. */
static void attach(pid_t pid)
{
    int status;

    if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS) < 0 ||
        ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 ||
        waitpid(pid, &status, __WALL) < 0 ||
        ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0) {
        int why = errno;

        if (why != ESRCH && !(why == EPERM && has_ended(pid))) {
            errno = why;
            fail("ptrace");
        }
    }
}

int main(int argc, char **argv)
{
    char path[PATH_BYTES];
    struct stat st;
    int signals;

    if (argc != 4) {
        fprintf(stderr, "usage: record DIRECTORY OUT PID,...\n");
        return 64;
    }
    out_dir = argv[2];
    snprintf(path, sizeof path, "%s/log", out_dir);
    out = fopen(path, "we");
    if (stat(argv[1], &st) < 0 || out == NULL)
        fail(argv[1]);
    device = st.st_dev;
    signals = children_open();
    for (char *at = argv[3]; *at != '\0'; at += *at == ',')
        attach((pid_t)strtol(at, &at, 10));
    puts("ready");
    fflush(stdout);
    watch(signals);
    fclose(out);
    puts("end");
    return 0;
}
