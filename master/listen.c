/* SPDX-License-Identifier: BSD-2-Clause */
#include "master/master.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/network.h"

#define BACKLOG 1024

static const struct {
    const char *name;
    uint16_t port;
} known_ports[] = {
    { "smtp", 25 },    { "smtps", 465 }, { "submissions", 465 },
    { "submission", 587 }, { "imap", 143 }, { "imap2", 143 },
    { "imaps", 993 },  { "pop3", 110 },  { "pop3s", 995 },
    { "sieve", 4190 },
};

static bool parse_port(struct view v, uint16_t *port)
{
    uint64_t n;

    for (size_t i = 0; i < sizeof known_ports / sizeof *known_ports; i++) {
        if (view_is(v, known_ports[i].name)) {
            *port = known_ports[i].port;
            return true;
        }
    }
    if (!view_number(v, 65535, &n) || n == 0)
        return false;
    *port = (uint16_t)n;
    return true;
}

struct address {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
    socklen_t len;
};

/* A numeric address, IPv6 ones in brackets or not. */
static bool parse_address(struct view v, uint16_t port, struct address *a)
{
    char text[INET6_ADDRSTRLEN + 1];

    if (view_starts(v, "[") && view_ends(v, "]"))
        v = view_sub(v, 1, v.len - 1);
    if (!view_copy(v, text, sizeof text))
        return false;
    *a = (struct address){ .len = 0 };
    if (inet_pton(AF_INET, text, &a->u.in.sin_addr) == 1) {
        a->u.in.sin_family = AF_INET;
        a->u.in.sin_port = htons(port);
        a->len = sizeof a->u.in;
        return true;
    }
    if (inet_pton(AF_INET6, text, &a->u.in6.sin6_addr) == 1) {
        a->u.in6.sin6_family = AF_INET6;
        a->u.in6.sin6_port = htons(port);
        a->len = sizeof a->u.in6;
        return true;
    }
    return false;
}

static int add_socket(struct pool *p, const struct address *a, int type,
                      const char *what, struct error *err)
{
    int fd = socket(a->u.sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return error_sys(err, "cannot make a socket for %s", what);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->u.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, &a->u.sa, a->len) < 0 || listen(fd, BACKLOG) < 0) {
        error_sys(err, "%s, line %u: cannot listen on %s",
                  p->master->services.file, p->row->line, what);
        close(fd);
        return -1;
    }
    if (p->n_listeners == SERVICE_LISTENERS_MAX) {
        close(fd);
        return error_set(err, FAIL_PERM, "%s, line %u: more than %d "
                         "addresses to listen on", p->master->services.file,
                         p->row->line, SERVICE_LISTENERS_MAX);
    }
    p->listeners[p->n_listeners++] = fd;
    return 0;
}

static int add_inet(struct pool *p, struct view host, uint16_t port,
                    struct error *err)
{
    struct address a;
    char what[100];

    if (!parse_address(host, port, &a))
        return error_set(err, FAIL_PERM, "%s, line %u: \"%.*s\" is not a "
                         "numeric address", p->master->services.file,
                         p->row->line, VIEW_ARG(host));
    if (!(network_protocols(p->master->conf.inet_protocols) &
          (a.u.sa.sa_family == AF_INET6 ? NETWORK_IPV6 : NETWORK_IPV4)))
        return 0;
    snprintf(what, sizeof what, "%.*s port %u", VIEW_ARG(host), port);
    return add_socket(p, &a, SOCK_STREAM, what, err);
}

/* An IPv6 address that this machine cannot have is no reason not to serve
 * IPv4, unless it was asked for by name. */
static int add_inet6_if_any(struct pool *p, const char *host, uint16_t port,
                            struct error *err)
{
    if (add_inet(p, view_of(host), port, err) == 0)
        return 0;
    if (err->sys != EAFNOSUPPORT && err->sys != EADDRNOTAVAIL)
        return -1;
    log_info("no IPv6 here: %s", err->text);
    return 0;
}

static int listen_inet(struct pool *p, struct error *err)
{
    struct view name = view_of(p->row->name), rest, host;
    size_t colon = view_rindex(name, ':');
    uint16_t port;

    if (!parse_port(colon < name.len ? view_sub(name, colon + 1, name.len)
                                     : name, &port))
        return error_set(err, FAIL_PERM, "%s, line %u: \"%s\" is not a port "
                         "number or a known service name",
                         p->master->services.file, p->row->line, p->row->name);
    if (colon < name.len)
        return add_inet(p, view_sub(name, 0, colon), port, err);
    rest = view_of(p->master->conf.inet_interfaces);
    while (view_word(&rest, ", \t", &host)) {
        int rc;

        if (view_is(host, "all"))
            rc = add_inet(p, VIEW("0.0.0.0"), port, err) < 0
                     ? -1 : add_inet6_if_any(p, "::", port, err);
        else if (view_is(host, "loopback-only"))
            rc = add_inet(p, VIEW("127.0.0.1"), port, err) < 0
                     ? -1 : add_inet6_if_any(p, "::1", port, err);
        else
            rc = add_inet(p, host, port, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* A socket file in public/ or private/. Replacing the file of an earlier
 * master is safe: we hold the lock that says we are the only one. */
static int listen_unix(struct pool *p, const char *name, int type,
                       struct error *err)
{
    const char *folder = p->row->is_private ? "private" : "public";
    struct address a = { .u.un.sun_family = AF_UNIX,
                         .len = sizeof a.u.un };
    int len = snprintf(a.u.un.sun_path, sizeof a.u.un.sun_path, "%s/%s/%s",
                       p->master->conf.queue_directory, folder, name);

    if (len >= (int)sizeof a.u.un.sun_path)
        return error_set(err, FAIL_PERM, "the path %s/%s/%s is too long for "
                         "a socket; choose a shorter queue_directory",
                         p->master->conf.queue_directory, folder, name);
    unlink(a.u.un.sun_path);
    if (add_socket(p, &a, type, a.u.un.sun_path, err) < 0)
        return -1;
    if (chmod(a.u.un.sun_path, p->row->is_private ? 0600 : 0666) < 0)
        return error_sys(err, "cannot set the mode of %s", a.u.un.sun_path);
    return 0;
}

int listen_row(struct pool *p, struct error *err)
{
    struct view words, w;

    if (p->row->type == MASTERCF_INET)
        return listen_inet(p, err);
    if (p->role->sockets == NULL)
        return 0;
    if (strcmp(p->role->sockets, "*") == 0)
        return listen_unix(p, p->row->name, SOCK_STREAM, err);
    words = view_of(p->role->sockets);
    while (view_word(&words, " ", &w)) {
        char name[32];

        /* showq is a stream of text that monitoring tools read; the others
         * speak our messages. */
        if (!view_copy(w, name, sizeof name) ||
            listen_unix(p, name, view_is(w, "showq") ? SOCK_STREAM
                                                     : SOCK_SEQPACKET,
                        err) < 0)
            return -1;
    }
    return 0;
}
