/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: what fsync(2) says of a directory is believed. */
#include <unistd.h>

#undef fsync

int __wrap_io_sync(int fd);

int __wrap_io_sync(int fd)
{
    return fsync(fd);
}
