/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "local/local.h"
#include "proto/notify.h"

#define WAIT_MS  100
#define AGAIN_MS 10000 /* after a failure */

/* The line to notify, kept from delivery to delivery. */
static struct {
    struct ipc notify;
    uint64_t not_before; /* by clock_mono_ms(), if it is not joined */
} line = { .notify = { .fd = -1 } };

void local_tell(struct daemon *d, struct view account)
{
    struct notify_changed n = { account, VIEW("INBOX") };
    struct error err;

    if (line.notify.fd < 0 && clock_mono_ms() < line.not_before)
        return;
    if ((line.notify.fd < 0 &&
         service_connect_soon(d, "notify", WAIT_MS, &line.notify, &err) < 0) ||
        ipc_send(&line.notify, &notify_changed_type, &n, &err) < 0) {
        log_debug("no notice for %.*s: %s", VIEW_ARG(account), err.text);
        ipc_release(&line.notify);
        line.not_before = clock_mono_ms() + AGAIN_MS;
    }
}
