/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a state that test_reorder.py makes are as a crash leaves them,
 * though they were all made just now: nobody has put one back. */
#include "index/file.h"

bool __wrap_file_was_put_back(int64_t changed, uint64_t expunged);

bool __wrap_file_was_put_back(int64_t changed, uint64_t expunged)
{
    (void)changed;
    (void)expunged;
    return false;
}
