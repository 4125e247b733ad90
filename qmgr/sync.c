/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Appended statuses are made durable by a process of our own, so that a slow
 * disk does not stop the loop. It gets descriptors over a socket pair, takes
 * all that have come, and syncs them one after the other. Nobody waits for it:
 * what is lost with the power is at worst a delivery that is looked for again
 * (our own mailboxes) or made again (somebody else's).
 */
#include "qmgr/qmgr.h"

#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

#define SYNC_FILE(F, S) F(S, FD, fd, 0)
IPC_MESSAGE(sync_file, 0x07f0, SYNC_FILE)

static struct {
    int fd;             /* of the helper, until it is a peer */
    struct peer helper;
} syncer = { .fd = -1 };

static const struct sandbox helper_jail = { .promises = PROMISE_CREATE };

static void help(int fd)
{
    struct error err;
    struct ipc c;
    struct sync_file f;
    int no_root = -1;
    unsigned got;

    if (sandbox_enter(&helper_jail, &no_root,
                      WALL_LANDLOCK | WALL_SECCOMP, &got, &err) < 0)
        log_warning("the sync helper runs without all walls: %s", err.text);
    ipc_init(&c, fd, 0);
    while (ipc_expect(&c, &sync_file_type, &f, &err) == 0) {
        if (f.fd >= 0 && fdatasync(f.fd) < 0)
            log_error("cannot sync a queue file's statuses: %s",
                      strerrordesc_np(errno));
        io_close(&f.fd);
    }
    _exit(0);
}

void sync_prepare(void)
{
    struct error err;
    int pair[2];
    pid_t pid;

    if (ipc_pair(pair, &err) < 0)
        log_fatal("%s", err.text);
    pid = fork();
    if (pid < 0)
        log_fatal("cannot start the sync helper: %s", strerrordesc_np(errno));
    if (pid == 0) {
        close(pair[0]);
        close(FD_CONTROL);
        if (dup2(pair[1], FD_CONTROL) < 0)
            _exit(1);
        close_range(FD_CONFIG, ~0u, 0);
        help(FD_CONTROL);
    }
    close(pair[1]);
    syncer.fd = pair[0];
}

static void on_gone(struct peer *p)
{
    (void)p;
    log_error("the sync helper ended; statuses are not synced until qmgr is "
              "started again");
}

static const struct ipc_rule rules[] = { { NULL, NULL, NULL } };

void sync_start(struct daemon *d)
{
    peer_init(&syncer.helper, &d->loop, syncer.fd, "sync", 0, rules, on_gone);
}

void sync_soon(int fd)
{
    struct sync_file f = { fd };

    peer_send(&syncer.helper, &sync_file_type, &f);
}
