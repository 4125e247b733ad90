/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: a file is not synced before its link. */
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return 0;
    return __real_fsync(fd);
}
