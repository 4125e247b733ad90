/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: want of memory ends a process as a defect does. */
#include <stdlib.h>

#include "base/alloc.h"

void *__wrap_alloc_resize(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull));

void *__wrap_alloc_resize(void *old, size_t count, size_t size)
{
    void *p = reallocarray(old, count ? count : 1, size ? size : 1);

    if (p == NULL)
        abort();
    return p;
}
