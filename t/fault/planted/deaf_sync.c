/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: a failed sync is taken for a good one. */
#include <unistd.h>

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    __real_fsync(fd);
    return 0;
}
