/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/command.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/utf8.h"
#include "proto/queue.h"

/* What main.cf of the command's directory says. */
static struct config *config;

static void say(const char *kind, const char *fmt, va_list ap)
{
    struct buf clean = BUF_INIT;
    char text[2000];

    vsnprintf(text, sizeof text, fmt, ap);
    utf8_add_visible(&clean, view_of(text));
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, kind,
            buf_text(&clean));
    buf_release(&clean);
}

void command_fail(int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("fatal", fmt, ap);
    va_end(ap);
    exit(code);
}

void command_say(const char *kind, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(kind, fmt, ap);
    va_end(ap);
}

void command_warn(const char *sentence, void *unused)
{
    (void)unused;
    command_say("warning", "%s", sentence);
}

void command_begin(const char *directory)
{
    struct buf path = BUF_INIT;
    struct error err;

    log_name(program_invocation_short_name);
    buf_addf(&path, "%s/main.cf", config_directory(directory));
    if (config_read(&config, buf_text(&path), &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    buf_release(&path);
}

struct config *command_config(void)
{
    return config;
}

char *command_value(const char *name)
{
    struct buf b = BUF_INIT;
    struct error err;

    if (config_get(config, name, &b, &err) < 0)
        command_fail(EX_CONFIG, "%s", err.text);
    return buf_take(&b);
}

char *command_path(const char *name)
{
    char *dir = command_value("queue_directory");
    struct buf b = BUF_INIT;

    buf_addf(&b, "%s/%s", dir, name);
    free(dir);
    return buf_take(&b);
}

int command_connect(const char *socket_name, int type)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char *path = command_path(socket_name);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (fd < 0)
        command_fail(EX_OSERR, "cannot make a socket: %s",
                     strerrordesc_np(errno));
    if (!view_copy(view_of(path), a.sun_path, sizeof a.sun_path))
        command_fail(EX_CONFIG, "the path %s is too long for a socket", path);
    free(path);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    io_close(&fd);
    return -1;
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
