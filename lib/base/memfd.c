/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int memfd_new(const char *name, struct error *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return error_sys(err, "cannot make memory file %s", name);
    return fd;
}

int memfd_seal(int fd, struct error *err)
{
    if (fcntl(fd, F_ADD_SEALS, ALL_SEALS) < 0)
        return error_sys(err, "cannot seal a memory file");
    return 0;
}

int memfd_check(int fd, uint64_t limit, uint64_t *size, struct error *err)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & ALL_SEALS) != ALL_SEALS)
        return error_set(err, FAIL_PERM,
                         "content came in a file that is not sealed");
    if (fstat(fd, &st) < 0)
        return error_sys(err, "cannot fstat a memory file");
    if ((uint64_t)st.st_size > limit)
        return error_set(err, FAIL_PERM,
                         "content of %llu bytes is over the limit of %llu",
                         (unsigned long long)st.st_size,
                         (unsigned long long)limit);
    *size = (uint64_t)st.st_size;
    return 0;
}
