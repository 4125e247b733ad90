/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

int io_write_all(int fd, const void *data, size_t len, const char *what,
                 struct error *err)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, "cannot write to %s", what);
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int io_pwrite_all(int fd, const void *data, size_t len, uint64_t offset,
                  const char *what, struct error *err)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, "cannot write to %s", what);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int io_pread_all(int fd, void *data, size_t len, uint64_t offset,
                 const char *what, struct error *err)
{
    char *p = data;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, "cannot read %s", what);
        if (n == 0)
            return error_set(err, FAIL_PERM,
                             "%s ends at byte %llu, %zu bytes short", what,
                             (unsigned long long)offset, len);
        p += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

int io_read_all(int fd, struct buf *b, size_t limit, const char *what,
                struct error *err)
{
    size_t got = 0;

    for (;;) {
        ssize_t n = read(fd, buf_room(b, 16384), 16384);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, "cannot read %s", what);
        if (n == 0)
            break;
        b->len += (size_t)n;
        b->data[b->len] = '\0';
        got += (size_t)n;
        if (got > limit)
            return error_set(err, FAIL_PERM, "%s is larger than %zu bytes",
                             what, limit);
    }
    return 0;
}

int io_is_file(int fd, const char *what, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_sys(err, "cannot look at %s", what);
    if (!S_ISREG(st.st_mode))
        return error_set(err, FAIL_PERM, "%s is not a regular file", what);
    return 0;
}

int io_read_file(int dir, const char *path, struct buf *b, size_t limit,
                 struct error *err)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0)
        return error_sys(err, "cannot open %s", path);
    rc = io_is_file(fd, path, err);
    if (rc == 0)
        rc = io_read_all(fd, b, limit, path, err);
    close(fd);
    return rc;
}

#undef fsync

int io_sync(int fd)
{
    struct stat st;

    return fsync(fd) < 0 ? -1 : fstat(fd, &st);
}

int io_replace_file(int dir, const char *name, const void *data, size_t len,
                    mode_t mode, struct error *err)
{
    struct buf fresh = BUF_INIT;
    int fd, rc = -1;

    buf_addf(&fresh, "%s.new", name);
    fd = openat(dir, buf_text(&fresh),
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        error_sys(err, "cannot make the file %s", buf_text(&fresh));
        goto out;
    }
    if (io_write_all(fd, data, len, buf_text(&fresh), err) < 0)
        goto out;
    if (io_sync(fd) < 0 || renameat(dir, buf_text(&fresh), dir, name) < 0 ||
        io_sync(dir) < 0) {
        error_sys(err, "cannot keep the file %s", name);
        goto out;
    }
    rc = 0;
out:
    io_close(&fd);
    buf_release(&fresh);
    return rc;
}

DIR *io_open_dir(int dir, const char *path)
{
    int fd = openat(dir, path,
                    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int why = errno;

    if (d == NULL)
        io_close(&fd);
    errno = why;
    return d;
}

bool io_next_name(DIR *dir, struct dirent **entry)
{
    do {
        errno = 0;
        *entry = readdir(dir);
    } while (*entry != NULL && (strcmp((*entry)->d_name, ".") == 0 ||
                                strcmp((*entry)->d_name, "..") == 0));
    return *entry != NULL;
}

/* sendfile() wants a file to read from; everything else is copied by hand. */
static int copy_by_hand(int from, uint64_t offset, uint64_t len, int to,
                        const char *what, struct error *err)
{
    char chunk[65536];

    while (len > 0) {
        size_t part = len < sizeof chunk ? (size_t)len : sizeof chunk;

        if (io_pread_all(from, chunk, part, offset, what, err) < 0 ||
            io_write_all(to, chunk, part, what, err) < 0)
            return -1;
        offset += part;
        len -= part;
    }
    return 0;
}

int io_copy(int from, uint64_t offset, uint64_t len, int to, const char *what,
            struct error *err)
{
    while (len > 0) {
        off_t at = (off_t)offset;
        size_t part = len < (1u << 30) ? (size_t)len : (1u << 30);
        ssize_t n = sendfile(to, from, &at, part);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EINVAL || errno == ENOSYS))
            return copy_by_hand(from, offset, len, to, what, err);
        if (n < 0)
            return error_sys(err, "cannot copy to %s", what);
        if (n == 0)
            return error_set(err, FAIL_PERM, "the source of %s is %llu bytes "
                             "short", what, (unsigned long long)len);
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

int io_wait_either(int fd, short events, int other, int timeout_ms)
{
    uint64_t end = clock_mono_ms() +
                   (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);

    for (;;) {
        struct pollfd p[] = { { .fd = fd, .events = events },
                              { .fd = other, .events = POLLIN } };
        int n = poll(p, other < 0 ? 1 : 2, timeout_ms);
        uint64_t now;

        if (n >= 0)
            return p[1].revents != 0 ? 2 : n;
        if (errno != EINTR)
            return -1;
        if (timeout_ms < 0)
            continue;
        now = clock_mono_ms();
        timeout_ms = now < end ? (int)(end - now) : 0;
    }
}

int io_wait(int fd, short events, int timeout_ms)
{
    return io_wait_either(fd, events, -1, timeout_ms);
}

void io_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
