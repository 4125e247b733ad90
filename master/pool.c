/* SPDX-License-Identifier: BSD-2-Clause */
/* How many processes a service has, and what happens when one ends. */
#include "master/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "master/master.h"

/* A process that lived this long was not a bad start. */
#define GOOD_LIFE_MS 5000

/* A program that failed this often does not start: a start of the whole suite
 * is given up, and nobody waits for it. */
#define START_FAILURES 3

struct child *child_of(struct peer *control)
{
    return list_entry(control, struct child, control);
}

/* --- pools ------------------------------------------------------------- */

static void on_throttle(struct timer *t)
{
    pool_adjust(list_entry(t, struct pool, throttle));
}

static void on_trim(struct timer *t);

static struct pool *pool_new(struct master *m, const struct role *role,
                             const struct mastercf_row *row)
{
    struct pool *p = alloc_zero(1, sizeof *p);

    p->master = m;
    p->role = role;
    p->row = row;
    p->channel[0] = p->channel[1] = p->log[0] = p->log[1] = -1;
    p->throttle.fire = on_throttle;
    p->trim.fire = on_trim;
    list_init(&p->children);
    list_append(&m->pools, &p->link);
    return p;
}

void pool_free(struct pool *p)
{
    timer_cancel(&p->master->loop, &p->throttle);
    timer_cancel(&p->master->loop, &p->trim);
    list_remove(&p->link);
    for (int i = 0; i < 2; i++) {
        io_close(&p->channel[i]);
        io_close(&p->log[i]);
    }
    for (size_t i = 0; i < p->n_listeners; i++)
        close(p->listeners[i]);
    free(p->path);
    free(p);
}

int pool_log_pair(int log[2], struct error *err)
{
    int one = 1;

    if (ipc_pair(log, err) < 0)
        return -1;
    if (setsockopt(log[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) < 0)
        return error_sys(err, "cannot ask for log lines' senders");
    return 0;
}

static int pool_open(struct pool *p, struct error *err)
{
    if (ipc_pair(p->channel, err) < 0 || pool_log_pair(p->log, err) < 0)
        return -1;
    return listen_row(p, err);
}

int pools_create(struct master *m, struct error *err)
{
    for (size_t i = 0; i < m->services.n_rows; i++) {
        const struct mastercf_row *row = &m->services.rows[i];
        const struct role *role = role_find(row->command);

        if (role == NULL) {
            log_warning("%s, line %u: there is no program \"%s\"; the "
                        "service %s is left out", m->services.file, row->line,
                        row->command, row->name);
            continue;
        }
        if (pool_open(pool_new(m, role, row), err) < 0)
            return -1;
    }
    return 0;
}

struct pool *pool_derive(struct pool *row_pool, const char *tenant, uid_t uid,
                         const char *path)
{
    struct pool *p = pool_new(row_pool->master, row_pool->role, row_pool->row);
    struct error err;

    p->parent = row_pool;
    p->uid = uid;
    p->path = path ? alloc_text(path) : NULL;
    snprintf(p->tenant, sizeof p->tenant, "%s", tenant);
    if (ipc_pair(p->channel, &err) < 0) {
        log_error("%s", err.text);
        pool_free(p);
        return NULL;
    }
    return p;
}

struct pool *pool_find(struct master *m, struct view service)
{
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->parent == NULL && view_is(service, p->row->name))
            return p;
    }
    return NULL;
}

struct pool *pool_of_role(struct master *m, const char *role)
{
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->parent == NULL && strcmp(p->role->name, role) == 0)
            return p;
    }
    return NULL;
}

/* --- starting ---------------------------------------------------------- */

static void child_free(struct child *c)
{
    struct master *m = c->pool->master;

    reload_forget(c);
    if (m->slots[c->slot] == c)
        m->slots[c->slot] = NULL;
    list_remove(&c->link);
    peer_close(&c->control);
    free(c);
}

/* Slots are taken in a circle, so that one is not used again soon. */
static bool take_slot(struct master *m, struct child *c)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned slot = (m->next_slot + i) % SLOTS;

        if (m->slots[slot] == NULL) {
            m->next_slot = slot + 1;
            m->slots[slot] = c;
            c->slot = slot;
            return true;
        }
    }
    return false;
}

static int start_one(struct pool *p, struct error *err)
{
    struct child *c = alloc_zero(1, sizeof *c);
    int pair[2];

    c->pool = p;
    list_init(&c->link);
    c->started = clock_mono_ms();
    if (!take_slot(p->master, c)) {
        free(c);
        return error_set(err, FAIL_TEMP, "more than %d processes", SLOTS);
    }
    if (ipc_pair(pair, err) < 0) {
        p->master->slots[c->slot] = NULL;
        free(c);
        return -1;
    }
    peer_init(&c->control, &p->master->loop, pair[0], p->role->name, 0,
              master_rules, NULL);
    if (spawn(c, pair[1], err) < 0) {
        close(pair[1]);
        child_free(c);
        return -1;
    }
    close(pair[1]);
    c->control.pid = (uint32_t)c->pid;
    list_append(&p->children, &c->link);
    p->total++;
    p->idle++;
    return 0;
}

static unsigned limit_of(const struct pool *p)
{
    int maxproc = p->row->maxproc;

    if (p->role->shape == ROLE_HUB || p->role->per == PER_SESSION)
        return 1;
    if (maxproc == MASTERCF_PROCESS_DEFAULT)
        return p->master->conf.default_process_limit;
    return maxproc == 0 ? SLOTS : (unsigned)maxproc;
}

static unsigned wanted_idle(const struct pool *p)
{
    unsigned spare = p->parent ? 0 : p->role->spare;

    if (p->role->shape == ROLE_HUB)
        return 1;
    if (p->role->shape == ROLE_SHARED)
        return spare;
    return p->pending > spare ? p->pending : spare;
}

void pool_adjust(struct pool *p)
{
    struct master *m = p->master;
    struct error err;

    if (m->stopping || p->doomed || p->throttle.place != 0)
        return;
    if (p->role->per != PER_SERVICE && p->parent == NULL)
        return; /* only those derived from it have processes */
    while (p->idle < wanted_idle(p) && p->total < limit_of(p)) {
        if (start_one(p, &err) < 0) {
            log_error("%s", err.text);
            timer_set(&m->loop, &p->throttle, 1000);
            return;
        }
    }
    if (p->role->shape == ROLE_WORKER && p->idle > wanted_idle(p) &&
        p->trim.place == 0)
        timer_set(&m->loop, &p->trim, m->conf.max_idle * 1000ULL);
}

void pool_retry(struct pool *p)
{
    timer_cancel(&p->master->loop, &p->throttle);
    p->failures = 0;
    pool_adjust(p);
}

/* --- ending ------------------------------------------------------------ */

static void stop_child(struct child *c)
{
    struct control_stop stop = { .goodbye = c->pool->master->stopping };
    enum child_state to = stop.goodbye ? CHILD_LEAVING : CHILD_STOPPING;

    if (c->state >= to)
        return;
    if (c->state < CHILD_BUSY)
        c->pool->idle--;
    c->state = to;
    peer_send(&c->control, &control_stop_type, &stop);
}

/* Its last process has ended for good: nobody will take what waits in the
 * channel. Closed, it tells those who wait now, and not at their deadline. */
static void close_if_over(struct pool *p)
{
    if (!p->master->stopping || p->total > 0)
        return;
    io_close(&p->channel[0]);
    io_close(&p->channel[1]);
}

void pool_stop(struct pool *p)
{
    list_each (l, &p->children)
        stop_child(list_entry(l, struct child, link));
    close_if_over(p);
}

static void on_trim(struct timer *t)
{
    struct pool *p = list_entry(t, struct pool, trim);

    list_each_safe (l, &p->children) {
        struct child *c = list_entry(l, struct child, link);

        if (p->idle <= wanted_idle(p))
            break;
        if (c->state == CHILD_IDLE)
            stop_child(c);
    }
}

bool pool_does_not_start(const struct pool *p)
{
    return p->total == 0 && p->throttle.place != 0 &&
           p->failures >= START_FAILURES;
}

/* Closed, a connection that nobody took tells who waits at its other end. */
static void drop_waiting(struct pool *p)
{
    struct buf in = BUF_INIT;
    struct ipc_packet packet;

    while (ipc_recv_raw(p->channel[1], &in, &packet, MSG_DONTWAIT) > 0)
        ipc_packet_release(&packet);
    buf_release(&in);
    p->pending = 0;
}

/* A start that went wrong is repeated later and later, the first at once. */
static void throttle(struct pool *p)
{
    uint64_t delay = 1000ULL << (p->failures < 10 ? p->failures : 10);
    uint64_t most = p->master->conf.service_throttle_time * 1000ULL;

    p->failures++;
    p->failed_ms = clock_mono_ms();
    if (p->failures == 1)
        return;
    if (p->master->ready_fd >= 0 && p->parent == NULL &&
        p->failures >= START_FAILURES) {
        log_error("%s/%s does not start", p->master->conf.daemon_directory,
                  p->row->command);
        fprintf(stderr, "master: the program %s does not start; see %s\n",
                p->row->command, p->master->conf.maillog_file);
        master_stop(p->master, "because a program does not start");
        return;
    }
    if (delay > most)
        delay = most;
    log_warning("%s/%s: bad command startup -- throttling for %llu seconds",
                p->master->conf.daemon_directory, p->row->command,
                (unsigned long long)delay / 1000);
    timer_set(&p->master->loop, &p->throttle, delay);
}

static void report_end(const struct child *c, int status)
{
    const struct pool *p = c->pool;
    const char *dir = p->master->conf.daemon_directory;

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        log_error("process %s/%s service %s pid %d was ended by its seccomp "
                  "wall", dir, p->row->command, p->row->name, c->pid);
    else if (WIFSIGNALED(status))
        log_warning("process %s/%s service %s pid %d killed by signal %d",
                    dir, p->row->command, p->row->name, c->pid,
                    WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        log_warning("process %s/%s service %s pid %d exit status %d", dir,
                    p->row->command, p->row->name, c->pid,
                    WEXITSTATUS(status));
}

static struct child *find_pid(struct master *m, pid_t pid)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i] != NULL && m->slots[i]->pid == pid)
            return m->slots[i];
    return NULL;
}

/* Those who wait for clients with one that ended: see control_look. */
static void nudge(struct pool *p)
{
    if (p->role->shape == ROLE_HUB || p->master->stopping)
        return;
    list_each (l, &p->children) {
        struct child *c = list_entry(l, struct child, link);

        if (c->state == CHILD_IDLE || c->state == CHILD_STARTING)
            peer_send(&c->control, &control_look_type, NULL);
    }
}

void pool_reap(struct master *m, pid_t pid, int status)
{
    struct child *c = find_pid(m, pid);
    struct pool *p;
    bool bad, is_news;

    if (c == NULL)
        return;
    p = c->pool;
    bad = !c->was_ready ||
          (status != 0 && clock_mono_ms() - c->started < GOOD_LIFE_MS);
    /* Several that one thing ended are one failure, not one each. */
    is_news = p->failures == 0 || c->started >= p->failed_ms;
    report_end(c, status);
    p->total--;
    if (c->state == CHILD_STARTING || c->state == CHILD_IDLE)
        p->idle--;
    if (strcmp(p->role->name, "authd") == 0)
        joins_fail(m);
    child_free(c);
    nudge(p);
    if (bad && is_news)
        throttle(p);
    else if (!bad)
        p->failures = 0;
    if (pool_does_not_start(p))
        drop_waiting(p);
    close_if_over(p);
    if (p->role->per == PER_SESSION || (p->doomed && p->total == 0))
        pool_free(p);
    else
        pool_adjust(p);
}

bool pools_ready(struct master *m)
{
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);
        bool ready = wanted_idle(p) == 0 || p->role->per != PER_SERVICE;

        list_each (k, &p->children)
            ready = ready || list_entry(k, struct child, link)->was_ready;
        if (!ready)
            return false;
    }
    return true;
}
