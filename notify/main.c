/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify - tells open sessions that a mailbox of their account changed.
 *
 * Privileges: none. Own user, empty root, no network, no file.
 * Peers:      local, imapd and pop3d, which tell and (imapd) listen.
 * State:      who listens, in memory. A notice that nobody hears is gone: the
 *             mailbox itself is looked at now and then anyway.
 */
#include "notify/notify.h"

static const struct service notify_service = {
    .name = "notify",
    .params = NULL,
    .sandbox = { .promises = 0, .rules = NULL },
    .rules = notify_rules,
    .peer_size = sizeof(struct notify_peer),
    .joined = notify_joined,
    .parted = notify_parted,
};

int main(int argc, char **argv)
{
    return service_main(&notify_service, argc, argv);
}
