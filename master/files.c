/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that a program may have without being able to open any. */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "config/trust.h"

static void send_file(struct child *c, struct view name, int fd)
{
    struct control_file f = { name, fd };

    peer_send(&c->control, &control_file_type, &f);
}

/* The socket of the system's logger; syslog(3) would send lines of its own
 * making from a jail that has no such path. */
static int open_syslog(void)
{
    static const struct sockaddr_un a = { AF_UNIX, "/dev/log" };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) < 0)
        io_close(&fd);
    return fd;
}

static int open_log(const struct master *m)
{
    const char *name = m->conf.maillog_file;

    if (strcmp(name, "syslog") == 0)
        return open_syslog();
    if (strcmp(name, "/dev/stdout") == 0)
        return fcntl(m->in_foreground ? STDOUT_FILENO : STDERR_FILENO,
                     F_DUPFD_CLOEXEC, 0);
    return open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
                          O_NOFOLLOW, 0640);
}

static void send_log(struct child *c, int fd)
{
    const char *name = c->pool->master->conf.maillog_file;

    send_file(c, strcmp(name, "syslog") == 0 ? VIEW("syslog") : VIEW("log"),
              fd);
    close(fd);
}

static void send_log_file(struct child *c)
{
    const struct master *m = c->pool->master;
    int fd = open_log(m);

    if (fd >= 0) {
        send_log(c, fd);
        return;
    }
    log_error("cannot open maillog_file = %s: %s; logging to standard error",
              m->conf.maillog_file, strerrordesc_np(errno));
    send_file(c, VIEW("log"), STDERR_FILENO);
}

static void send_source(struct child *c, const char *tag, int fd)
{
    struct control_log_source s = { view_of(tag), fd };

    peer_send(&c->control, &control_log_source_type, &s);
}

/* The tags that log tools key on: "postfix/smtpd", with a syslog_name of the
 * service's own "postfix/submission/smtpd"; the access side is "dovecot". */
static void make_tag(const struct pool *p, char *tag, size_t size)
{
    const struct master *m = p->master;
    const char *name = m->conf.syslog_name;

    if (p->role->is_access) {
        snprintf(tag, size, "%s", m->conf.access_syslog_name);
        return;
    }
    for (size_t i = 0; i < p->row->n_overrides; i++)
        if (strncmp(p->row->overrides[i], "syslog_name=", 12) == 0)
            name = p->row->overrides[i] + 12;
    snprintf(tag, size, "%s/%s", name, p->role->name);
}

static void send_logd_all(struct child *c)
{
    struct master *m = c->pool->master;
    char tag[121];

    send_log_file(c);
    snprintf(tag, sizeof tag, "%s/master", m->conf.syslog_name);
    send_source(c, tag, m->own_log[1]);
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->parent != NULL)
            continue;
        make_tag(p, tag, sizeof tag);
        send_source(c, tag, p->log[1]);
    }
}

/* Who may write a key file may have us speak with their key. */
static bool is_usable(int fd, const char *path)
{
    struct buf text = BUF_INIT;
    unsigned bits = trust_fd(fd);
    bool usable = !(bits & TRUST_EVERYBODY);

    if (bits != 0)
        trust_say(&text, bits, path);
    if (!usable)
        log_error("the key file is not used: %s", buf_text(&text));
    else if (bits != 0)
        log_warning("%s", buf_text(&text));
    buf_release(&text);
    return usable;
}

/* Only keyd looks into them. */
static void send_key_files(struct child *c, const char *names)
{
    struct view rest = view_of(names), word;

    while (view_word(&rest, ", \t", &word)) {
        char path[1000];
        int fd;

        if (!view_copy(word, path, sizeof path))
            continue;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) {
            log_error("cannot open the key file %s: %s", path,
                      strerrordesc_np(errno));
            continue;
        }
        if (is_usable(fd, path))
            send_file(c, word, fd);
        close(fd);
    }
}

static void send_keys(struct child *c)
{
    const struct master_conf *conf = &c->pool->master->conf;

    send_key_files(c, conf->smtpd_tls_chain_files);
    send_key_files(c, conf->smtpd_tls_cert_file);
    if (strcmp(conf->smtpd_tls_key_file, conf->smtpd_tls_cert_file) != 0)
        send_key_files(c, conf->smtpd_tls_key_file);
    send_file(c, VIEW(""), -1); /* that was all */
}

void files_send(struct child *c)
{
    if (strcmp(c->pool->role->name, "logd") == 0)
        send_logd_all(c);
    else if (strcmp(c->pool->role->name, "keyd") == 0)
        send_keys(c);
}

void files_try_log(struct child *c)
{
    int fd = open_log(c->pool->master);

    if (fd >= 0)
        send_log(c, fd);
}

void files_reopen_log(struct master *m)
{
    struct pool *p = pool_of_role(m, "logd");

    if (p == NULL)
        return;
    list_each (l, &p->children)
        send_log_file(list_entry(l, struct child, link));
}
