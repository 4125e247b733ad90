/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>

/* In brackets, a name is not a macro's. */

int (error_set)(struct error *err, enum fail kind, const char *fmt, ...)
{
    va_list ap;

    err->kind = kind;
    err->sys = 0;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

int (error_sys)(struct error *err, const char *fmt, ...)
{
    int saved = errno;
    size_t len;
    va_list ap;

    err->kind = FAIL_TEMP;
    err->sys = saved;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s",
             strerrordesc_np(saved) ? strerrordesc_np(saved) : "unknown error");
    return -1;
}

int (error_prefix)(struct error *err, const char *fmt, ...)
{
    char old[sizeof err->text];
    size_t len;
    va_list ap;

    memcpy(old, err->text, sizeof old);
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", old);
    return -1;
}
