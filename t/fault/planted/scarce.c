/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: something is scarce once. Which time it is, a test writes into the
 * running process (faults.variable()). The programs and their libraries all
 * ask here. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Counted down; 0: nothing is scarce. */
volatile uint64_t no_memory_at; /* the allocation that fails */
volatile uint64_t short_at;     /* the read or write that does half of it */

static int is_now(volatile uint64_t *left)
{
    return *left > 0 && --*left == 0;
}

/* --- memory ------------------------------------------------------------ */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static int fails(void)
{
    if (!is_now(&no_memory_at))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;

    if (!__builtin_mul_overflow(count, size, &bytes))
        return realloc(old, bytes);
    errno = ENOMEM;
    return NULL;
}

/* What libcrypt computes a hash in. */
void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && fails())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
}

/* --- reads and writes -------------------------------------------------- */

static size_t part(size_t size)
{
    return size > 1 && is_now(&short_at) ? size / 2 : size;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return syscall(SYS_write, fd, data, part(size));
}

ssize_t writev(int fd, const struct iovec *list, int n)
{
    struct iovec half = { list[0].iov_base, part(list[0].iov_len) };

    if (half.iov_len != list[0].iov_len)
        return syscall(SYS_writev, fd, &half, 1);
    return syscall(SYS_writev, fd, list, n);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return syscall(SYS_pwrite64, fd, data, part(size), offset);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    return syscall(SYS_pread64, fd, data, part(size), offset);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    return syscall(SYS_sendfile, out, in, offset, part(size));
}

/* The names by which libraries ask for the same. */
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
    __attribute__((alias("pwrite")));
ssize_t pread64(int fd, void *data, size_t size, off_t offset)
    __attribute__((alias("pread")));
