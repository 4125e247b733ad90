/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages in memory and where their files are. */
#include "qmgr/message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "qmgr/qmgr.h"

static const char *const names[N_QUEUES + 1] = {
    "incoming", "active", "deferred", "hold",
    [OFFERED] = "offered", /* no directory; for what is said of it */
};

const char *queue_name(enum queue_dir q)
{
    return names[q];
}

const char *message_path(const struct message *m)
{
    static char path[16 + QFILE_ID_LEN + 1];

    snprintf(path, sizeof path, "%s/%s", names[m->queue], m->id);
    return path;
}

static void on_due(struct timer *t)
{
    message_ready(list_entry(t, struct message, due));
    messages_take();
}

struct message *message_find(struct view id)
{
    struct map_node *n = map_find(&qmgr.messages, id);

    return n ? map_entry(n, struct message, node) : NULL;
}

struct message *message_add(struct view id, enum queue_dir queue)
{
    struct message *m;

    if (message_find(id) != NULL)
        return NULL;
    m = alloc_zero(1, sizeof *m);
    view_copy(id, m->id, sizeof m->id);
    m->node.key = (struct view){ m->id, QFILE_ID_LEN };
    m->queue = queue;
    m->due.fire = on_due;
    /* What cleanup has just made nobody can have delivered before. */
    m->tried = qfile_id_time(id) >= qmgr.start_us;
    list_init(&m->link);
    map_add(&qmgr.messages, &m->node);
    return m;
}

void message_forget(struct message *m)
{
    timer_cancel(&qmgr.daemon->loop, &m->due);
    list_remove(&m->link);
    map_remove(&qmgr.messages, &m->node);
    free(m);
}

void message_ready(struct message *m)
{
    timer_cancel(&qmgr.daemon->loop, &m->due);
    if (list_empty(&m->link))
        list_append(&qmgr.ready, &m->link);
}

void message_wait(struct message *m, uint64_t next_us)
{
    uint64_t now = clock_real_us();

    m->next_us = next_us;
    timer_set(&qmgr.daemon->loop, &m->due,
              next_us > now ? (next_us - now) / 1000 + 1 : 0);
}

int message_move(struct message *m, enum queue_dir to, struct error *err)
{
    char from[16 + QFILE_ID_LEN + 1];
    enum queue_dir old = m->queue;
    int root = qmgr.daemon->root;

    snprintf(from, sizeof from, "%s", message_path(m));
    m->queue = to;
    if (renameat(root, from, root, message_path(m)) < 0) {
        error_sys(err, "cannot move %s to %s", from, names[to]);
        m->queue = old;
        return -1;
    }
    return 0;
}

bool message_is_in(const struct message *m, enum queue_dir q)
{
    char path[16 + QFILE_ID_LEN + 1];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", names[q], m->id);
    return fstatat(qmgr.daemon->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool message_remove(struct message *m)
{
    if (unlinkat(qmgr.daemon->root, message_path(m), 0) < 0 &&
        errno != ENOENT) {
        log_error("cannot remove %s: %s", message_path(m),
                  strerrordesc_np(errno));
        return false;
    }
    log_info("%s: removed", m->id);
    message_forget(m);
    return true;
}

void message_corrupt(struct message *m, const char *why)
{
    char to[16 + QFILE_ID_LEN + 1];
    int root = qmgr.daemon->root;

    snprintf(to, sizeof to, "corrupt/%s", m->id);
    log_error("%s: %s; the file is kept as %s", m->id, why, to);
    if (renameat(root, message_path(m), root, to) < 0)
        log_error("cannot move %s to %s: %s", message_path(m), to,
                  strerrordesc_np(errno));
    message_forget(m);
}

/* --- taking ------------------------------------------------------------ */

/* The file cannot be had at the moment: it stays where it is and is tried
 * again later. */
static void postpone(struct message *m, const char *why)
{
    log_error("%s: %s; trying again later", m->id, why);
    message_wait(m, clock_real_us() +
                        qmgr_conf.minimal_backoff_time * 1000000ULL);
}

static void take(struct message *m)
{
    struct error err;
    int fd;

    if (m->queue != ACTIVE && message_move(m, ACTIVE, &err) < 0) {
        if (err.sys == ENOENT)
            message_forget(m); /* somebody removed it by hand */
        else
            postpone(m, err.text);
        return;
    }
    fd = openat(qmgr.daemon->root, message_path(m),
                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP) { /* Landlock does not even let us move it */
        message_corrupt(m, "it is a link, and no queue file");
        return;
    }
    if (fd < 0) {
        error_sys(&err, "cannot open %s", message_path(m));
        postpone(m, err.text);
        return;
    }
    attempt_begin(m, fd);
}

void messages_take(void)
{
    while (!list_empty(&qmgr.ready) && qmgr_has_room()) {
        struct message *m = list_entry(qmgr.ready.next, struct message, link);

        list_remove(&m->link);
        take(m);
    }
}

/* --- scanning ---------------------------------------------------------- */

static void found(enum queue_dir q, const char *name, int dir)
{
    struct message *m;
    struct stat st;

    if (!qfile_is_id(view_of(name)))
        return; /* not ours; corrupt/ is for files that pretend to be */
    m = message_add(view_of(name), q);
    if (m == NULL)
        return;
    if (q == ARRIVED || q == ACTIVE) {
        message_ready(m);
    } else if (q == DEFERRED) {
        uint64_t latest = clock_real_us() +
                          qmgr_conf.maximal_backoff_time * 1000000ULL;
        uint64_t next = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0
                            ? 0 : (uint64_t)st.st_mtime * 1000000;

        /* Later than any attempt is put off: the clock was set back. */
        message_wait(m, next < latest ? next : latest);
    }
}

static void scan(enum queue_dir q)
{
    DIR *dir = io_open_dir(qmgr.daemon->root, names[q]);
    struct dirent *e;

    if (dir == NULL) {
        log_error("cannot list %s: %s", names[q], strerrordesc_np(errno));
        return;
    }
    while (io_next_name(dir, &e))
        found(q, e->d_name, dirfd(dir));
    if (errno != 0)
        log_error("cannot list all of %s: %s", names[q],
                  strerrordesc_np(errno));
    closedir(dir);
}

void messages_arrived(void)
{
    scan(ARRIVED);
    messages_take();
}

void messages_scan(bool at_start)
{
    for (enum queue_dir q = ARRIVED; q < N_QUEUES; q++)
        if (at_start || q != ACTIVE)
            scan(q);
    messages_take();
}
