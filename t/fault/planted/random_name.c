/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: a retried delivery gets another name. */
#include <unistd.h>

#include "base/clock.h"
#include "maildir/maildir.h"

void __real_maildir_delivery_name(struct buf *out, uint64_t arrival_us,
                                  struct view queue_id, struct view recipient,
                                  const char *host, uint64_t size);
void __wrap_maildir_delivery_name(struct buf *out, uint64_t arrival_us,
                                  struct view queue_id, struct view recipient,
                                  const char *host, uint64_t size);

void __wrap_maildir_delivery_name(struct buf *out, uint64_t arrival_us,
                                  struct view queue_id, struct view recipient,
                                  const char *host, uint64_t size)
{
    buf_addf(out, "%llu-", (unsigned long long)clock_mono_us());
    __real_maildir_delivery_name(out, arrival_us, queue_id, recipient, host,
                                 size);
}
