/* SPDX-License-Identifier: BSD-2-Clause */
#include "imapd/notice.h"

#include <poll.h>

#include "base/io.h"
#include "proto/notify.h"

#define WAIT_MS 100

static bool join(struct imap_session *s)
{
    struct error err;

    if (s->notify.fd >= 0)
        return true;
    if (service_connect_soon(s->daemon, "notify", WAIT_MS, &s->notify,
                             &err) < 0)
        return false;
    if (ipc_send(&s->notify, &notify_listen_type, NULL, &err) < 0)
        ipc_release(&s->notify);
    return s->notify.fd >= 0;
}

void notice_listen(struct imap_session *s)
{
    join(s);
}

int notice_fd(const struct imap_session *s)
{
    return s->notify.fd;
}

bool notice_take(struct imap_session *s)
{
    bool ours = false;

    while (s->notify.fd >= 0 && io_wait(s->notify.fd, POLLIN, 0) > 0) {
        struct notify_changed n;
        struct error err;

        if (ipc_expect(&s->notify, &notify_changed_type, &n, &err) < 0)
            ipc_release(&s->notify);
        else if (s->box != NULL && view_is(n.mailbox, s->box->name))
            ours = true;
    }
    return ours;
}

void imap_tell(struct imap_session *s, struct view mailbox)
{
    struct notify_changed n = { view_of(s->account), mailbox };
    struct error err;

    notice_take(s); /* else those of a busy account would pile up */
    if (join(s) && ipc_send(&s->notify, &notify_changed_type, &n, &err) < 0)
        ipc_release(&s->notify);
}
