/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting master and talking to it. */
#include "tools/postern/postern.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "config/trust.h"
#include "maildir/mark.h"
#include "proto/admin.h"

#define ANSWER_MS 60000

void postern_connect(struct ipc *c, int code)
{
    int fd = command_connect(ADMIN_SOCKET, SOCK_SEQPACKET);

    if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
        command_fail(code, "the mail system is not running");
    if (fd < 0)
        command_fail(code, "cannot reach master: %s", strerrordesc_np(errno));
    ipc_init(c, fd, ANSWER_MS);
}

/* Ask master for one thing that has no answer but how it went. */
static int ask(const struct ipc_type *what)
{
    struct admin_done done;
    struct error err;
    struct ipc c;

    postern_connect(&c, EX_UNAVAILABLE);
    if (ipc_call(&c, what, NULL, &admin_done_type, &done, &err) < 0)
        command_fail(EX_SOFTWARE, "%s", err.text);
    if (done.why.len > 0)
        command_fail(EX_CONFIG, "%.*s", VIEW_ARG(done.why));
    ipc_release(&c);
    return 0;
}

int verb_reload(struct postern *p, int argc, char **argv)
{
    (void)p;
    (void)argc;
    (void)argv;
    return ask(&admin_reload_type);
}

int verb_logrotate(struct postern *p, int argc, char **argv)
{
    (void)p;
    (void)argc;
    (void)argv;
    return ask(&admin_reopen_log_type);
}

/* Wait until master's lock is free: then it has ended. */
static void wait_for_end(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char *path = command_path("pid/master.pid");
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &lock) < 0)
        command_fail(EX_OSERR, "cannot wait for %s: %s", path,
                     strerrordesc_np(errno));
    close(fd);
    free(path);
}

int verb_stop(struct postern *p, int argc, char **argv)
{
    (void)p;
    (void)argc;
    (void)argv;
    ask(&admin_stop_type);
    wait_for_end();
    return 0;
}

/* --- start ------------------------------------------------------------- */

/* Become master; `how` is its option with one value, or NULL. */
static _Noreturn void run_master(struct postern *p, const char *how,
                                 const char *value)
{
    char *dir = command_value("daemon_directory");
    char *conf = realpath(p->config_directory, NULL);
    struct buf program = BUF_INIT;
    struct error err;

    /* It says which program that is. */
    if (trust_file(conf, "main.cf", &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    buf_addf(&program, "%s/master", dir);
    execl(buf_text(&program), "master", "-c", conf, how, value, (char *)NULL);
    command_fail(EX_OSFILE, "cannot run %s: %s", buf_text(&program),
                 strerrordesc_np(errno));
}

/* In the child: what the terminal does to its jobs is not for master. */
static _Noreturn void begin_master(struct postern *p, int ready_fd)
{
    struct buf fd = BUF_INIT;

    buf_addf(&fd, "%d", ready_fd);
    setsid();
    run_master(p, "-r", buf_text(&fd));
}

int verb_start_fg(struct postern *p, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    run_master(p, "-f", NULL);
}

int verb_start(struct postern *p, int argc, char **argv)
{
    char answer[16];
    int fds[2];
    ssize_t n;
    pid_t pid;

    (void)argc;
    (void)argv;
    if (pipe2(fds, O_CLOEXEC) < 0)
        command_fail(EX_OSERR, "cannot make a pipe");
    fcntl(fds[1], F_SETFD, 0);
    pid = fork();
    if (pid < 0)
        command_fail(EX_OSERR, "cannot start master");
    if (pid == 0)
        begin_master(p, fds[1]);
    close(fds[1]);
    n = read(fds[0], answer, sizeof answer);
    close(fds[0]);
    if (n <= 0)
        command_fail(EX_UNAVAILABLE, "the mail system did not start; what "
                     "went wrong is said above and in the log");
    return 0;
}

/* --- status ------------------------------------------------------------ */

static void print_process(const struct admin_process *m)
{
    printf("%7u  %-9.*s %-20.*s %-8.*s %8llus  %.*s\n", m->pid,
           VIEW_ARG(m->program), VIEW_ARG(m->service), VIEW_ARG(m->state),
           (unsigned long long)m->age_ms / 1000, VIEW_ARG(m->tenant));
}

static void print_process_json(const struct admin_process *m)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "{\"pid\": %u, \"age\": %llu", m->pid,
             (unsigned long long)m->age_ms / 1000);
    buf_add_text(&out, ", \"program\": ");
    json_add_text(&out, m->program);
    buf_add_text(&out, ", \"service\": ");
    json_add_text(&out, m->service);
    buf_add_text(&out, ", \"state\": ");
    json_add_text(&out, m->state);
    buf_add_text(&out, ", \"tenant\": ");
    json_add_text(&out, m->tenant);
    buf_add_char(&out, '}');
    puts(buf_text(&out));
    buf_release(&out);
}

static int print_status(struct ipc *c, bool json, struct error *err)
{
    if (!json)
        printf("%7s  %-9s %-20s %-8s %9s  %s\n", "PID", "PROGRAM",
               "SERVICE", "STATE", "AGE", "TENANT");
    for (;;) {
        struct ipc_packet packet;
        struct admin_process m;
        int n = ipc_recv(c, &packet, err);

        if (n < 0)
            return -1;
        if (n == 0)
            return error_set(err, FAIL_TEMP, "master went away");
        if (ipc_id(packet.bytes) == admin_done_type.id)
            return 0;
        if (ipc_packet_decode(&packet, &admin_process_type, &m, err) < 0)
            return -1;
        if (json)
            print_process_json(&m);
        else
            print_process(&m);
    }
}

int verb_status(struct postern *p, int argc, char **argv)
{
    struct error err;
    struct ipc c;

    (void)argc;
    (void)argv;
    postern_connect(&c, 1);
    if (ipc_send(&c, &admin_status_type, NULL, &err) < 0 ||
        print_status(&c, p->json, &err) < 0)
        command_fail(EX_SOFTWARE, "%s", err.text);
    ipc_release(&c);
    return 0;
}

/* --- store ------------------------------------------------------------- */

/* Open a directory, made durably if it is not there. */
static int open_made(const char *path, struct error *err)
{
    int dir, above, rc = -1;

    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return error_sys(err, "cannot make %s", path);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_sys(err, "cannot open %s", path);
    above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above >= 0)
        rc = io_sync(above);
    io_close(&above);
    if (rc < 0) {
        error_sys(err, "cannot sync the directory above %s", path);
        io_close(&dir);
    }
    return dir;
}

static int create_store(const char *queue, const char *base,
                        struct error *err)
{
    int q = open_made(queue, err);
    int store = q < 0 ? -1 : open_made(base, err);
    int rc = store < 0 ? -1 : mark_create(q, store, err);

    if (store >= 0 && rc < 0)
        error_prefix(err, "cannot mark %s as this instance's mail store",
                     base);
    io_close(&q);
    io_close(&store);
    return rc;
}

int verb_store(struct postern *p, int argc, char **argv)
{
    struct error err;
    char *base, *queue;

    (void)p;
    if (argc != 1 || strcmp(argv[0], "create") != 0)
        command_fail(EX_USAGE, "usage: postern store create");
    base = command_value("virtual_mailbox_base");
    queue = command_value("queue_directory");
    if (create_store(queue, base, &err) < 0)
        command_fail(EX_CANTCREAT, "%s", err.text);
    free(base);
    free(queue);
    return 0;
}
