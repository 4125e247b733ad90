/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal.h - the pieces of the skeleton, for each other only.
 */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "service/service.h"
#include "service/service_params.h"

/* Serve clients one after the other until it is time to go (worker.c). The
 * epoll descriptor was made before the jail. */
void worker_run(struct daemon *d, const struct service_conf *sc, int epoll_fd);

/* Make the epoll descriptor for worker_run(). */
int worker_epoll(struct daemon *d);

/* The pieces of it that shared.c uses too: take a client off the accept
 * channel (false: another process did); hear what master says (false: it is
 * gone); tell it that we are ready. */
bool worker_take_stamped(struct client *c);
bool worker_hear_master(struct daemon *d);
void worker_tell_ready(struct daemon *d);

/* Answer many clients' questions until it is time to go (shared.c). */
void shared_run(struct daemon *d);

/* Serve peers in the loop until service_leave() (hub.c). */
void hub_run(struct daemon *d);

/* Read main.cf from the sealed `fd` with this process's overrides. */
int service_read_config(struct daemon *d, int fd, struct config **cfg,
                        struct error *err);

#endif
