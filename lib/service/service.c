/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/service.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memfd.h"
#include "service/internal.h"

static unsigned long number(const char *text)
{
    uint64_t n;

    if (!view_number(view_of(text), UINT64_MAX, &n))
        log_fatal("master passed \"%s\" where a number belongs", text);
    return n;
}

struct calls {
    struct buf names;
    unsigned n;
};

static void add_call(const char *name, void *arg)
{
    struct calls *c = arg;

    buf_addf(&c->names, " %s", name);
    c->n++;
}

/* -A: what this program's system call wall lets through, as a line of
 * "postern hardening calls". */
static int print_calls(const struct service *s)
{
    struct calls c = { .n = 0 };

    sandbox_each_syscall(&s->sandbox, add_call, &c);
    printf("%-8s %3u %s\n", s->name, c.n, buf_text(&c.names));
    buf_release(&c.names);
    return 0;
}

/* -R: what it may do below its root directory, as a line of "postern
 * hardening rules". What the configuration adds is not known here. */
static int print_rules(const struct service *s)
{
    static const char *const words[] = { "read", "list", "write", "make",
                                         "mkdir", "remove", "move" };

    printf("%-8s", s->name);
    for (const struct sandbox_rule *r = s->sandbox.rules;
         r != NULL && r->path != NULL; r++) {
        printf(" %s:", r->path);
        for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
            if (r->access & (1u << i))
                printf(" %s", words[i]);
    }
    puts(s->sandbox.rules == NULL ? " nothing" : "");
    return 0;
}

static void read_arguments(struct daemon *d, int argc, char **argv)
{
    int verbose = 0;
    int opt;

    d->overrides = alloc_zero((size_t)argc, sizeof *d->overrides);
    while ((opt = getopt(argc, argv, "s:l:n:b:L:o:v")) != -1) {
        switch (opt) {
        case 's':
            d->instance = optarg;
            break;
        case 'l':
            d->n_listeners = number(optarg);
            break;
        case 'n':
            d->slot = (unsigned)number(optarg);
            break;
        case 'b':
            d->id_base = number(optarg);
            break;
        case 'L':
            d->life = number(optarg);
            break;
        case 'o':
            d->overrides[d->n_overrides++] = optarg;
            break;
        case 'v':
            log_verbose(++verbose);
            break;
        default:
            log_fatal("this program is started by master, not by hand");
        }
    }
    if (d->n_listeners > SERVICE_LISTENERS_MAX)
        log_fatal("%zu listeners are too many", d->n_listeners);
    for (size_t i = 0; i < d->n_listeners; i++)
        d->listeners[i] = FD_LISTEN + (int)i;
}

int service_read_config(struct daemon *d, int fd, struct config **cfg,
                        struct error *err)
{
    struct buf text = BUF_INIT;
    uint64_t size;
    int rc = -1;

    *cfg = NULL;
    if (memfd_check(fd, CONFIG_FILE_MAX, &size, err) < 0 ||
        io_pread_all(fd, buf_room(&text, size), size, 0, "main.cf", err) < 0)
        goto out;
    text.len = size;
    if (config_parse(cfg, buf_view(&text), "main.cf", err) < 0)
        goto out;
    for (size_t i = 0; i < d->n_overrides; i++)
        if (config_override(*cfg, view_of(d->overrides[i]), "master.cf", err) <
            0)
            goto out;
    rc = 0;
out:
    if (rc < 0)
        config_free(cfg);
    buf_release(&text);
    return rc;
}

static void load(struct daemon *d, struct service_conf *sc)
{
    const struct service *s = d->service;
    struct error err;

    if (service_read_config(d, FD_CONFIG, &d->config, &err) < 0 ||
        config_load(d->config, service_params, sc, &err) < 0 ||
        (s->params && config_load(d->config, s->params, s->conf, &err) < 0))
        log_fatal("%s", err.text);
    close(FD_CONFIG);
}

/* Walls that a test took away are said aloud, every time. */
static unsigned chosen_walls(const struct service_conf *sc)
{
    int walls = sandbox_walls(sc->sandbox_walls);

    if (walls < 0)
        log_fatal("sandbox_walls = %s names a wall that is not one of root, "
                  "landlock, seccomp, network, uid", sc->sandbox_walls);
    if (walls != WALL_ALL && sc->sandbox_required)
        log_fatal("sandbox_walls leaves out a wall, but sandbox_required = "
                  "yes");
    if (walls != WALL_ALL)
        log_warning("running with the walls %s only", sc->sandbox_walls);
    return (unsigned)walls;
}

void service_allow(struct daemon *d, const char *path, unsigned access)
{
    d->extra = alloc_resize(d->extra, d->n_extra + 2, sizeof *d->extra);
    d->extra[d->n_extra++] = (struct sandbox_rule){ alloc_text(path), access };
    d->extra[d->n_extra] = (struct sandbox_rule){ NULL, 0 };
}

static void enter_jail(struct daemon *d, const struct service_conf *sc)
{
    struct sandbox sandbox = d->service->sandbox;
    unsigned walls = chosen_walls(sc);
    struct error err;

    sandbox.extra = d->extra;
    if (sandbox_enter(&sandbox, &d->root, walls, &d->walls, &err) == 0) {
        d->rooted = d->walls & WALL_ROOT;
        return;
    }
    if (sc->sandbox_required)
        log_fatal("no jail, no service: %s", err.text);
    d->rooted = d->walls & WALL_ROOT;
    log_warning("running without all walls: %s", err.text);
}

/* Nothing that we were handed may reach a program that we might start. */
static void close_on_exec(void)
{
    for (int fd = FD_CONTROL; fd < FD_LISTEN + SERVICE_LISTENERS_MAX; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int service_main(const struct service *s, int argc, char **argv)
{
    static struct daemon d; /* the one context; too large for a small stack */
    struct service_conf sc;
    int epoll_fd = -1;

    d.service = s;
    d.instance = s->name;
    d.uid = geteuid();
    /* Later the number may be that of a file which prepare() opened. */
    d.root = fcntl(FD_ROOT, F_GETFD) >= 0 ? FD_ROOT : -1;
    d.id_mono = clock_mono_us();
    list_init(&d.joins);
    list_init(&d.peers);
    log_name(s->name);
    if (argc == 2 && strcmp(argv[1], "-A") == 0)
        return print_calls(s);
    if (argc == 2 && strcmp(argv[1], "-R") == 0)
        return print_rules(s);
    if (fcntl(FD_CONTROL, F_GETFD) < 0 || fcntl(FD_CONFIG, F_GETFD) < 0)
        log_fatal("this program is started by master, not by hand");
    if (fcntl(FD_LOG, F_GETFD) >= 0)
        log_open(FD_LOG);
    read_arguments(&d, argc, argv);
    close_on_exec();
    tzset();
    load(&d, &sc);
    ipc_init(&d.control_line, FD_CONTROL, sc.ipc_timeout * 1000);
    if (s->serve != NULL)
        epoll_fd = worker_epoll(&d);
    else
        loop_init(&d.loop);
    if (s->prepare != NULL)
        s->prepare(&d);
    enter_jail(&d, &sc);
    if (s->serve != NULL)
        worker_run(&d, &sc, epoll_fd);
    else if (s->answer != NULL)
        shared_run(&d);
    else
        hub_run(&d);
    config_unload(service_params, &sc);
    return 0;
}
