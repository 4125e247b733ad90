/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into programs under valgrind, for what Debian 12's does not know:
 *
 * openat2(2)  is made an openat(2). That follows links above the last component
 *             of a path, which is why only tests may do so.
 * a map of 64 GiB, as the index has it, is made one of 1 GiB.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAP_MAX (1ul << 30)

int mdb_env_set_mapsize(MDB_env *env, size_t size)
{
    static int (*real)(MDB_env *env, size_t size);

    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mdb_env_set_mapsize");
    return real(env, size < MAP_MAX ? size : MAP_MAX);
}

long syscall(long number, ...)
{
    static long (*real)(long number, ...);
    long a[6];
    va_list ap;

    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (number == SYS_openat2) {
        const struct open_how *how = (const void *)a[2];

        return openat((int)a[0], (const char *)a[1],
                      (int)how->flags | O_NOFOLLOW, (mode_t)how->mode);
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
