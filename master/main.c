/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master - the supervisor.
 *
 * Privileges: root, or an ordinary user for a private instance. Parses
 *             main.cf and master.cf, typed messages of its own programs, and
 *             exit codes; nothing that came from the network or from a
 *             message.
 * State:      pid/master.pid (locked while it runs) and id_floor in the queue
 *             directory.
 * Ends:       SIGTERM or "postern stop" let sessions finish the command that
 *             they are in; its programs die with it if it is killed.
 */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/network.h"

/* --- ending ------------------------------------------------------------ */

static bool any_child(struct master *m, bool besides_logd)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i] != NULL &&
            !(besides_logd &&
              strcmp(m->slots[i]->pool->role->name, "logd") == 0))
            return true;
    return false;
}

static void stop_all(struct master *m, bool logd)
{
    list_each_safe (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if ((strcmp(p->role->name, "logd") == 0) == logd)
            pool_stop(p);
    }
}

static void on_stop_timeout(struct timer *t)
{
    struct master *m = list_entry(t, struct master, stop_timer);

    log_warning("some programs did not end in %u seconds; ending them",
                m->conf.stop_timeout);
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i] != NULL)
            kill(m->slots[i]->pid, SIGKILL);
}

void master_stop(struct master *m, const char *why)
{
    if (m->stopping)
        return;
    m->stopping = true;
    log_info("terminating %s", why);
    m->stop_timer.fire = on_stop_timeout;
    timer_set(&m->loop, &m->stop_timer, m->conf.stop_timeout * 1000ULL);
    stop_all(m, false);
    master_progress(m);
}

/* logd goes last, so that the others' last lines are kept. */
static void stop_progress(struct master *m)
{
    if (any_child(m, true))
        return;
    if (any_child(m, false))
        stop_all(m, true);
    else
        loop_stop(&m->loop);
}

static void tell_starter(struct master *m)
{
    struct error err;

    if (m->is_up || !pools_ready(m))
        return;
    m->is_up = true;
    log_info("daemon started -- version %s, configuration %s",
             POSTERN_VERSION, m->config_directory);
    if (m->ready_fd >= 0)
        io_write_all(m->ready_fd, "ready\n", 6, "the starter", &err);
    io_close(&m->ready_fd);
}

void master_progress(struct master *m)
{
    if (m->stopping)
        stop_progress(m);
    else
        tell_starter(m);
}

/* --- signals, as events ------------------------------------------------ */

static void reap(struct master *m)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        pool_reap(m, pid, status);
    master_progress(m);
}

static void on_signal(struct watch *w, uint32_t events)
{
    struct master *m = list_entry(w, struct master, signals);
    struct signalfd_siginfo info;

    (void)events;
    if (read(w->fd, &info, sizeof info) != sizeof info)
        return;
    switch (info.ssi_signo) {
    case SIGCHLD:
        reap(m);
        break;
    case SIGHUP:
        reload_begin(m, NULL, NULL);
        break;
    case SIGTERM:
        master_stop(m, "on signal 15");
        break;
    case SIGINT:
        master_stop(m, "on signal 2");
        break;
    }
}

static void watch_signals(struct master *m)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_SETMASK, &set, NULL);
    m->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    m->signals.ready = on_signal;
    if (m->signals.fd < 0 || loop_watch(&m->loop, &m->signals, EPOLLIN) < 0)
        log_fatal("cannot wait for signals: %s", strerrordesc_np(errno));
}

/* --- starting ---------------------------------------------------------- */

/* One master a queue: the lock, not the file's existence, says who it is. */
static int lock_instance(struct master *m, struct error *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[16];
    int len = snprintf(text, sizeof text, "%d\n", getpid());

    m->lock_fd = openat(m->queue_dir, "pid/master.pid",
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (m->lock_fd < 0)
        return error_sys(err, "cannot open %s/pid/master.pid",
                         m->conf.queue_directory);
    if (fcntl(m->lock_fd, F_OFD_SETLK, &lock) < 0)
        return error_set(err, FAIL_PERM, "a master is already running with "
                         "the queue %s", m->conf.queue_directory);
    if (ftruncate(m->lock_fd, 0) < 0)
        return error_sys(err, "cannot write pid/master.pid");
    return io_pwrite_all(m->lock_fd, text, (size_t)len, 0, "pid/master.pid",
                         err);
}

static void check_words(struct master *m)
{
    int walls = sandbox_walls(m->conf.sandbox_walls);

    if (walls < 0)
        log_fatal("sandbox_walls = %s names a wall that is not one of root, "
                  "landlock, seccomp, network, uid", m->conf.sandbox_walls);
    m->walls = (unsigned)walls;
    if (network_protocols(m->conf.inet_protocols) == 0)
        log_fatal("inet_protocols = %s is none of all, ipv4, ipv6",
                  m->conf.inet_protocols);
}

static void open_everything(struct master *m)
{
    struct error err;

    if (config_build(m, &err) < 0)
        log_fatal("%s", err.text);
    check_words(m);
    if (places_create(m, &err) < 0 || lock_instance(m, &err) < 0 ||
        ids_open(m, &err) < 0 || pool_log_pair(m->own_log, &err) < 0 ||
        pools_create(m, &err) < 0 || admin_open(m, &err) < 0)
        log_fatal("%s", err.text);
    if (pool_of_role(m, "logd") != NULL)
        log_open(m->own_log[0]);
    list_each_safe (l, &m->pools)
        pool_adjust(list_entry(l, struct pool, link));
}

static void use(struct master *m, int argc, char **argv)
{
    uint64_t n;
    int opt;

    while ((opt = getopt(argc, argv, "c:fr:")) != -1) {
        if (opt == 'c') {
            m->config_directory = optarg;
        } else if (opt == 'f') {
            m->in_foreground = true;
        } else if (opt == 'r' && view_number(view_of(optarg), 1000, &n)) {
            m->ready_fd = (int)n;
            fcntl(m->ready_fd, F_SETFD, FD_CLOEXEC);
        } else {
            log_fatal("usage: master [-c config_directory] [-f] [-r ready_fd]; "
                      "use \"postern start\"");
        }
    }
    if (m->config_directory[0] != '/')
        log_fatal("-c needs an absolute path, not %s", m->config_directory);
}

/* Descriptors 0 to 2 must be taken before anything else is opened. */
static void own_standard_descriptors(const struct master *m)
{
    int null = open("/dev/null", O_RDWR);

    while (null >= 0 && null <= 2)
        null = open("/dev/null", O_RDWR);
    if (null < 0)
        log_fatal("cannot open /dev/null");
    dup2(null, STDIN_FILENO);
    if (!m->in_foreground)
        dup2(null, STDOUT_FILENO);
    close(null);
}

int main(int argc, char **argv)
{
    static struct master m = {
        .config_directory = CONFIG_DIRECTORY,
        .empty_net = -1, .empty_root = -1, .queue_dir = -1, .store_dir = -1,
        .data_dir = -1, .lock_fd = -1, .ready_fd = -1,
    };

    log_name("master");
    if (argc == 2 && strcmp(argv[1], "-A") == 0) {
        roles_print();
        return 0;
    }
    use(&m, argc, argv);
    own_standard_descriptors(&m);
    m.is_root = geteuid() == 0;
    umask(022);
    list_init(&m.pools);
    list_init(&m.asks);
    loop_init(&m.loop);
    watch_signals(&m);
    open_everything(&m);
    loop_run(&m.loop);
    ids_close(&m);
    return 0;
}
