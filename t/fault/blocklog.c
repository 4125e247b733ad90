/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocklog - note in order what is written to a disk.
 *
 *     blocklog DIRECTORY IMAGE LOG
 *
 * Mounts on DIRECTORY a file system (FUSE) of one file, "disk", whose content
 * is that of IMAGE. A loop device on it is a disk: each write to it, and each
 * time that it was told to keep what it has (a flush), is appended to LOG
 * before it is answered. A record is
 *
 *     uint64 OFFSET, uint32 LENGTH   in bytes, in the machine's order
 *     LENGTH bytes                   what was written; none: a flush
 *
 * Runs until DIRECTORY is unmounted, its parent ends, or SIGTERM.
 *
 * A disk may lose what was written after its last flush, and only that; so
 * the log has all that may be there when the power goes, on any file system
 * that the loop device may hold.
 */
#define FUSE_USE_VERSION 31

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DISK "/disk"

struct __attribute__((packed)) record {
    uint64_t offset;
    uint32_t length;
};

static int image, out;

static int note(const void *data, uint32_t length, uint64_t offset)
{
    struct record r = { .offset = offset, .length = length };
    struct iovec v[2] = {
        { .iov_base = &r, .iov_len = sizeof r },
        { .iov_base = (void *)(uintptr_t)data, .iov_len = length },
    };

    return writev(out, v, 2) == (ssize_t)(sizeof r + length) ? 0 : -EIO;
}

static int disk_getattr(const char *path, struct stat *st,
                        struct fuse_file_info *fi)
{
    (void)fi;
    if (strcmp(path, "/") == 0) {
        *st = (struct stat){ .st_mode = S_IFDIR | 0700, .st_nlink = 2 };
        return 0;
    }
    if (strcmp(path, DISK) != 0)
        return -ENOENT;
    return fstat(image, st) < 0 ? -errno : 0;
}

static int disk_open(const char *path, struct fuse_file_info *fi)
{
    (void)fi;
    return strcmp(path, DISK) == 0 ? 0 : -ENOENT;
}

static int disk_read(const char *path, char *data, size_t length, off_t offset,
                     struct fuse_file_info *fi)
{
    ssize_t n = pread(image, data, length, offset);

    (void)path;
    (void)fi;
    return n < 0 ? -errno : (int)n;
}

static int disk_write(const char *path, const char *data, size_t length,
                      off_t offset, struct fuse_file_info *fi)
{
    ssize_t n = pwrite(image, data, length, offset);

    (void)path;
    (void)fi;
    if (n < 0)
        return -errno;
    if (n > 0 && note(data, (uint32_t)n, (uint64_t)offset) < 0)
        return -EIO;
    return (int)n;
}

static int disk_flush(const char *path, int only_data,
                      struct fuse_file_info *fi)
{
    (void)path;
    (void)only_data;
    (void)fi;
    return note(NULL, 0, 0);
}

static const struct fuse_operations operations = {
    .getattr = disk_getattr,
    .open = disk_open,
    .read = disk_read,
    .write = disk_write,
    .fsync = disk_flush,
};

int main(int argc, char **argv)
{
    /* In the foreground, one call after the other. */
    char *args[] = { argv[0], (char[]){ "-f" }, (char[]){ "-s" },
                     argc == 4 ? argv[1] : NULL, NULL };

    if (argc != 4) {
        fputs("usage: blocklog DIRECTORY IMAGE LOG\n", stderr);
        return 2;
    }
    image = open(argv[2], O_RDWR | O_CLOEXEC);
    out = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (image < 0 || out < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0) {
        perror("blocklog");
        return 2;
    }
    return fuse_main(4, args, &operations, NULL);
}
