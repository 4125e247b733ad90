/* SPDX-License-Identifier: BSD-2-Clause */
/* A move that failed does not bring its files back: they are gone. */
#include <stdio.h>
#include <unistd.h>

int __real_renameat(int from_dir, const char *from, int to_dir,
                    const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir,
                    const char *to);

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    if (from_dir != to_dir)
        return unlinkat(from_dir, from, 0);
    return __real_renameat(from_dir, from, to_dir, to);
}
