/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/command.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "proto/queue.h"

/* A command's one context. */
static struct {
    const char *name;
    struct config *config;
} command = { "postern", NULL };

static void say(const char *kind, const char *fmt, va_list ap)
{
    struct buf clean = BUF_INIT;
    char text[1000];

    vsnprintf(text, sizeof text, fmt, ap);
    utf8_add_visible(&clean, view_of(text));
    fprintf(stderr, "%s: %s: %s\n", command.name, kind, buf_text(&clean));
    buf_release(&clean);
}

void command_fail(int code, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    va_start(ap, fmt);
    say("fatal", fmt, ap);
    va_end(ap);
    exit(code);
}

void command_warn(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("warning", fmt, ap);
    va_end(ap);
}

void command_begin(const char *name, const char *directory)
{
    struct buf path = BUF_INIT;
    struct error err;

    command.name = name;
    log_name(name);
    buf_addf(&path, "%s/main.cf", config_directory(directory));
    if (config_read(&command.config, buf_text(&path), &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    buf_release(&path);
}

char *command_value(const char *name)
{
    struct buf b = BUF_INIT;
    struct error err;

    if (config_get(command.config, name, &b, &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    return buf_take(&b);
}

int command_connect(const char *socket_name, int type)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char *dir = command_value("queue_directory");
    int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", dir,
                     socket_name);
    int fd;

    free(dir);
    if (n >= (int)sizeof a.sun_path)
        command_fail(EX_CONFIG, "the path %s is too long for a socket",
                     a.sun_path);
    fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        command_fail(EX_OSERR, "cannot make a socket: %s",
                     strerrordesc_np(errno));
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

unsigned queue_flush_now(const char *queue_id, const char *site)
{
    struct queue_flush f = { view_of(queue_id), view_of(site) };
    struct queue_done done;
    struct error err;
    struct ipc c;
    int fd = command_connect(QUEUE_SOCKET, SOCK_SEQPACKET);

    if (fd < 0)
        command_fail(EX_UNAVAILABLE, "Cannot flush mail queue - mail system "
                     "is down");
    ipc_init(&c, fd, 0);
    if (ipc_call(&c, &queue_flush_type, &f, &queue_done_type, &done, &err) <
        0)
        command_fail(EX_UNAVAILABLE, "%s", err.text);
    ipc_release(&c);
    return done.count;
}
