/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket: only who owns master can connect to it. */
#include "master/master.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/admin.h"

/* The postern command at the other end; peer.h forgets it when it hangs up. */
struct visitor {
    struct peer peer;
    struct list link; /* of all of them */
    struct master *master;
};

/* Whom a reload in progress reports to; at most one. */
static struct visitor *reloader;

static struct visitor *visitor_of(struct peer *p)
{
    return list_entry(p, struct visitor, peer);
}

static void done(struct peer *p, const char *why)
{
    struct admin_done d = { view_of(why) };

    peer_send(p, &admin_done_type, &d);
}

static void on_gone(struct peer *p)
{
    if (reloader == visitor_of(p))
        reloader = NULL;
    list_remove(&visitor_of(p)->link);
    free(visitor_of(p));
}

static void on_stop(struct peer *p, const void *msg)
{
    struct master *m = visitor_of(p)->master;

    (void)msg;
    master_stop(m, "by request");
    done(p, "");
}

static void reloaded(struct master *m, void *arg, const char *why)
{
    (void)m;
    if (reloader == arg && reloader != NULL)
        done(&reloader->peer, why);
    reloader = NULL;
}

static void on_reload(struct peer *p, const void *msg)
{
    struct visitor *v = visitor_of(p);

    (void)msg;
    if (reloader != NULL) {
        done(p, "another reload is under way");
        return;
    }
    reloader = v;
    reload_begin(v->master, reloaded, v);
}

static void on_status(struct peer *p, const void *msg)
{
    static const char *const states[] = {
        [CHILD_STARTING] = "starting", [CHILD_IDLE] = "idle",
        [CHILD_BUSY] = "busy", [CHILD_STOPPING] = "stopping",
        [CHILD_LEAVING] = "stopping",
    };
    struct master *m = visitor_of(p)->master;

    (void)msg;
    list_each (l, &m->pools) {
        struct pool *pool = list_entry(l, struct pool, link);

        list_each (k, &pool->children) {
            struct child *c = list_entry(k, struct child, link);
            bool runs = pool->role->shape != ROLE_WORKER && c->was_ready;
            struct admin_process line = {
                .pid = (uint32_t)c->pid,
                .program = view_of(pool->role->name),
                .service = view_of(pool->row->name),
                .state = view_of(runs ? "running" : states[c->state]),
                .tenant = view_of(pool->tenant),
                .age_ms = clock_mono_ms() - c->started,
                .walls = c->walls,
            };

            peer_send(p, &admin_process_type, &line);
        }
    }
    done(p, "");
}

static void on_reopen_log(struct peer *p, const void *msg)
{
    (void)msg;
    files_reopen_log(visitor_of(p)->master);
    done(p, "");
}

static const struct ipc_rule rules[] = {
    { &admin_stop_type, NULL, on_stop },
    { &admin_reload_type, NULL, on_reload },
    { &admin_status_type, NULL, on_status },
    { &admin_reopen_log_type, NULL, on_reopen_log },
    { NULL, NULL, NULL },
};

static void on_connection(struct listener *l, int fd)
{
    struct master *m = list_entry(l, struct master, admin);
    uint32_t pid;
    struct visitor *v;

    if (!ipc_is_from(fd, geteuid(), &pid)) {
        close(fd);
        return;
    }
    v = alloc_zero(1, sizeof *v);
    v->master = m;
    list_append(&m->visitors, &v->link);
    peer_init(&v->peer, &m->loop, fd, "postern", pid, rules, on_gone);
}

int admin_open(struct master *m, struct error *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int len = snprintf(a.sun_path, sizeof a.sun_path, "%s/" ADMIN_SOCKET,
                       m->conf.queue_directory);
    int fd;

    if (len >= (int)sizeof a.sun_path)
        return error_set(err, FAIL_PERM, "queue_directory = %s is too long "
                         "for sockets", m->conf.queue_directory);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_sys(err, "cannot make the control socket");
    unlink(a.sun_path);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        chmod(a.sun_path, 0600) < 0 || listen(fd, 16) < 0) {
        error_sys(err, "cannot listen on %s", a.sun_path);
        close(fd);
        return -1;
    }
    list_init(&m->visitors);
    listener_init(&m->admin, &m->loop, fd, 0, on_connection);
    listener_start(&m->admin);
    return 0;
}
