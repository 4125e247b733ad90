/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/alloc.h"

#include <unistd.h>

#include "base/log.h"

void out_of_memory(void)
{
    log_error("out of memory"); /* takes none */
    _exit(1);
}

void *alloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *alloc_zero(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *alloc_resize(void *old, size_t count, size_t size)
{
    void *p = reallocarray(old, count ? count : 1, size ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

char *alloc_copy(const void *data, size_t len)
{
    char *p = alloc(len + 1);

    if (len > 0)
        memcpy(p, data, len);
    p[len] = '\0';
    return p;
}

char *alloc_text(const char *text)
{
    return alloc_copy(text, strlen(text));
}
