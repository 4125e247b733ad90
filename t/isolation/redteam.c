/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redteam - what could somebody do who has taken over a daemon?
 *
 * Linked with a daemon's own main.c, so that it gets exactly that daemon's
 * jail, uid, root and live descriptors from master. Where its row of master.cf
 * has no redteam_goal it is that daemon. Else it tries, in place of the
 * daemon's work, the goal of that name on the object named by redteam_target,
 * and logs how it went:
 *
 *     redteam service=x goal=read result=refused (open: Permission denied)
 *
 * Programs that master starts for a tenant or a session only (goal "order")
 * take their orders from what a client sends: imapd and pop3d from the lines
 * of the session, local from the messages that it is to deliver:
 *
 *     order NUMBER GOAL TARGET
 *
 * Being ended by seccomp is a refusal too, which master logs.
 */
#include "redteam.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "proto/delivery.h"
#include "queue/envelope.h"

int __real_service_main(const struct service *s, int argc, char **argv);
int __wrap_service_main(const struct service *s, int argc, char **argv);

char redteam_how[2000];

bool redteam_no(const char *call)
{
    snprintf(redteam_how, sizeof redteam_how, "%s: %s", call,
             strerrordesc_np(errno));
    return false;
}

bool redteam_any(struct daemon *d, const char *targets,
                 bool (*reach)(struct daemon *d, const char *target))
{
    struct view rest = view_of(targets), word;

    while (view_word(&rest, ",", &word)) {
        char target[1200];

        if (view_copy(word, target, sizeof target) && reach(d, target)) {
            snprintf(redteam_how, sizeof redteam_how, "%.1000s", target);
            return true;
        }
    }
    return false;
}

static const struct goal *find_goal(const char *name)
{
    const struct goal *const all[] = { host_goals, suite_goals, queue_goals };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct goal *g = all[i]; g->name != NULL; g++)
            if (strcmp(g->name, name) == 0)
                return g;
    log_fatal("there is no goal \"%s\"", name);
}

/* `what`: "service=x" or "order=7", for the reader of the log. */
static void attempt(struct daemon *d, const char *what, const char *name,
                    const char *target)
{
    bool reached;

    redteam_how[0] = '\0';
    log_info("redteam %s goal=%s begins", what, name);
    reached = find_goal(name)->reach(d, target);
    log_info("redteam %s goal=%s result=%s (%s)", what, name,
             reached ? "REACHED" : "refused", redteam_how);
}

/* What the daemon would do with what master sends is not for a probe: another
 * logd would take lines. */
static void wait_for_stop(void)
{
    struct ipc_packet p;
    struct error err;
    struct ipc c;
    int id = 0;

    ipc_init(&c, FD_CONTROL, 0);
    while (id != control_stop_type.id && ipc_recv(&c, &p, &err) > 0) {
        id = ipc_id(p.bytes);
        ipc_packet_release(&p);
    }
    exit(0);
}

static void attempt_own(struct daemon *d)
{
    const char *target = config_raw(d->config, VIEW("redteam_target"), NULL);
    char what[100];

    snprintf(what, sizeof what, "service=%s", d->instance);
    attempt(d, what, config_raw(d->config, VIEW("redteam_goal"), NULL),
            target ? target : "");
    wait_for_stop();
}

/* Carry out "order NUMBER GOAL TARGET". */
static void obey(struct daemon *d, struct view line)
{
    struct view word, number, goal;
    char what[100], name[50], target[1200];

    if (!view_word(&line, " ", &word) || !view_is(word, "order") ||
        !view_word(&line, " ", &number) || !view_word(&line, " ", &goal) ||
        !view_copy(goal, name, sizeof name) ||
        !view_copy(view_trim(line), target, sizeof target))
        return;
    snprintf(what, sizeof what, "order=%.*s", VIEW_ARG(number));
    attempt(d, what, name, target);
}

static void obey_lines(struct daemon *d, struct view text)
{
    struct view line;

    while (view_cut(&text, '\n', &line))
        obey(d, view_trim(line));
}

/* A session: what the client sends comes through login. */
static void serve_session(struct daemon *d, struct client *c)
{
    struct pollfd wait = { .fd = c->fd, .events = POLLIN };
    char line[4000];
    struct error err;
    ssize_t n;

    if (strcmp(d->service->name, "pop3d") == 0) /* it answers PASS itself */
        io_write_all(c->fd, "+OK\r\n", 5, "the session", &err);
    while (poll(&wait, 1, -1) > 0 &&
           (n = read(c->fd, line, sizeof line)) > 0)
        obey_lines(d, (struct view){ line, (size_t)n });
}

/* A delivery: qmgr hands us the message. */
static void serve_delivery(struct daemon *d, struct client *c)
{
    struct delivery_result done = { .status = RCPT_DELIVERED,
                                    .dsn = VIEW("2.0.0"),
                                    .text = VIEW("obeyed") };
    struct delivery_end end = { .why = VIEW("") };
    struct delivery_begin b;
    struct error err;
    char text[4000];
    struct ipc_packet p;
    struct ipc line;
    ssize_t n = -1;

    ipc_init(&line, c->fd, 0);
    c->fd = -1;
    while (ipc_recv(&line, &p, &err) > 0) {
        int id = ipc_id(p.bytes);

        if (id == delivery_begin_type.id &&
            ipc_packet_decode(&p, &delivery_begin_type, &b, &err) == 0)
            n = pread(b.fd, text, sizeof text, (off_t)b.content_offset);
        ipc_packet_release(&p);
        if (id != delivery_go_type.id || n < 0)
            continue;
        obey_lines(d, (struct view){ text, (size_t)n });
        close(b.fd);
        if (ipc_send(&line, &delivery_result_type, &done, &err) < 0 ||
            ipc_send(&line, &delivery_end_type, &end, &err) < 0)
            break;
    }
    ipc_release(&line);
}

static void serve_order(struct daemon *d, struct client *c)
{
    if (strcmp(d->service->name, "local") == 0)
        serve_delivery(d, c);
    else
        serve_session(d, c);
}

static bool is_probe(int argc, char **argv, bool *takes_orders)
{
    static const char goal[] = "redteam_goal=";

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], goal, sizeof goal - 1) != 0)
            continue;
        *takes_orders = strcmp(argv[i] + sizeof goal - 1, "order") == 0;
        return true;
    }
    return false;
}

int __wrap_service_main(const struct service *s, int argc, char **argv)
{
    static struct service probe;
    bool takes_orders;

    if (!is_probe(argc, argv, &takes_orders))
        return __real_service_main(s, argc, argv);
    probe = *s;
    probe.serve = takes_orders ? serve_order : NULL;
    probe.start = takes_orders ? NULL : attempt_own;
    probe.answer = NULL;
    probe.rest = NULL;
    return __real_service_main(&probe, argc, argv);
}
