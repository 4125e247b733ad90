/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: what one write(2) did not take is not written. */
#include <unistd.h>

#include "base/io.h"

int __wrap_io_write_all(int fd, const void *data, size_t len, const char *what,
                        struct error *err);

int __wrap_io_write_all(int fd, const void *data, size_t len, const char *what,
                        struct error *err)
{
    return write(fd, data, len) < 0
               ? error_sys(err, "cannot write %s", what) : 0;
}
