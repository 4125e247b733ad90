/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* The logger is the one thing that every function may reach without being
 * handed it; its state is kept here and nowhere else. */
static struct {
    const char *name;
    int fd;
    int verbose;
    unsigned long dropped;
} logger = { "postern", -1, 0, 0 };

void log_name(const char *name)
{
    logger.name = name;
}

void log_open(int fd)
{
    logger.fd = fd;
}

void log_verbose(int on)
{
    logger.verbose = on;
}

static int send_packet(const char *data, size_t len)
{
    ssize_t n;

    do
        n = send(logger.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

static void report_dropped(void)
{
    char line[100];
    int len;

    if (logger.dropped == 0)
        return;
    len = snprintf(line, sizeof line, "%dwarning: %lu log lines were lost",
                   LEVEL_WARNING, logger.dropped);
    if (send_packet(line, (size_t)len) == 0)
        logger.dropped = 0;
}

static void to_stderr(const char *text, size_t len)
{
    char line[LOG_LINE_MAX + 100];
    int head = snprintf(line, 100, "%s: ", logger.name);
    ssize_t ignored;

    memcpy(line + head, text, len);
    line[(size_t)head + len] = '\n';
    ignored = write(STDERR_FILENO, line, (size_t)head + len + 1);
    (void)ignored;
}

static void emit(enum log_level level, const char *prefix, const char *fmt,
                 va_list ap)
{
    char line[LOG_LINE_MAX + 2];
    int saved = errno;
    size_t len;

    len = (size_t)snprintf(line, sizeof line, "%d%s", level, prefix);
    vsnprintf(line + len, sizeof line - len, fmt, ap);
    len = strlen(line);
    if (logger.fd < 0) {
        to_stderr(line + 1, len - 1);
    } else {
        report_dropped();
        if (send_packet(line, len) < 0)
            logger.dropped++;
    }
    errno = saved;
}

#define EMIT(level, prefix) \
    do { \
        va_list ap; \
        va_start(ap, fmt); \
        emit(level, prefix, fmt, ap); \
        va_end(ap); \
    } while (0)

void log_info(const char *fmt, ...)
{
    EMIT(LEVEL_INFO, "");
}

void log_warning(const char *fmt, ...)
{
    EMIT(LEVEL_WARNING, "warning: ");
}

void log_error(const char *fmt, ...)
{
    EMIT(LEVEL_ERROR, "error: ");
}

void log_debug(const char *fmt, ...)
{
    if (logger.verbose)
        EMIT(LEVEL_DEBUG, "debug: ");
}

void log_fatal(const char *fmt, ...)
{
    EMIT(LEVEL_PANIC, "fatal: ");
    exit(1);
}
