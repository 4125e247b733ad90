/* SPDX-License-Identifier: BSD-2-Clause */
/* postern check - is the configuration one that the suite would start with? */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/network.h"
#include "config/mastercf.h"
#include "config/trust.h"
#include "maildir/mark.h"
#include "tools/postern/postern.h"

struct check {
    const char *directory;
    unsigned errors;
};

static void wrong(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void wrong(struct check *c, const char *fmt, ...)
{
    char sentence[2000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    command_say("error", "%s", sentence);
    c->errors++;
}

/* --- parameters -------------------------------------------------------- */

static void wrong_value(const char *sentence, void *arg)
{
    wrong(arg, "%s", sentence);
}

static void check_parameters(struct check *c)
{
    config_check(command_config(), wrong_value, c);
    config_warn(command_config(), command_warn, NULL);
}

/* --- master.cf --------------------------------------------------------- */

static void check_overrides(const struct mastercf *m,
                            const struct mastercf_row *r)
{
    for (size_t i = 0; i < r->n_overrides; i++) {
        struct view rest = view_of(r->overrides[i]), name;
        char text[200];
        const char *near;

        view_cut(&rest, '=', &name);
        name = view_trim(name);
        if (param_find(name) != NULL)
            continue;
        view_copy(view_sub(name, 0, sizeof text - 1), text, sizeof text);
        near = param_nearest(text);
        command_say("warning", "%s, line %u: %s: unknown parameter%s%s%s",
                    m->file, r->line, text, near ? "; did you mean " : "",
                    near ? near : "", near ? "?" : "");
    }
}

static void check_service(struct check *c, const struct mastercf *m,
                          const struct mastercf_row *r, const char *programs)
{
    struct buf path = BUF_INIT;

    buf_addf(&path, "%s/%s", programs, r->command);
    if (access(buf_text(&path), X_OK) < 0)
        wrong(c, "%s, line %u: service %s: there is no program %s", m->file,
              r->line, r->name, buf_text(&path));
    buf_release(&path);
    check_overrides(m, r);
}

static void check_services(struct check *c)
{
    struct buf path = BUF_INIT, text = BUF_INIT;
    struct mastercf m = { .rows = NULL };
    char *programs = command_value("daemon_directory");
    struct error err;

    buf_addf(&path, "%s/master.cf", c->directory);
    if (io_read_file(AT_FDCWD, buf_text(&path), &text, CONFIG_FILE_MAX,
                     &err) < 0 ||
        mastercf_parse(&m, buf_view(&text), buf_text(&path), &err) < 0)
        wrong(c, "%s", err.text);
    for (size_t i = 0; i < m.n_rows; i++)
        check_service(c, &m, &m.rows[i], programs);
    mastercf_free(&m);
    free(programs);
    buf_release(&path);
    buf_release(&text);
}

/* --- files ------------------------------------------------------------- */

static void check_store(void)
{
    char *base = command_value("virtual_mailbox_base");
    char *queue = command_value("queue_directory");
    int store = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int q = open(queue, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct error err;

    error_set(&err, FAIL_TEMP, "no mail store there");
    if (store < 0 || q < 0 || mark_check(q, store, &err) < 0)
        command_say("warning", "virtual_mailbox_base = %s: %s (is it mounted? "
                    "a new one is made by \"postern store create\"): mail to "
                    "accounts will wait", base, err.text);
    io_close(&store);
    io_close(&q);
    free(base);
    free(queue);
}

static void check_protocols(struct check *c)
{
    char *words = command_value("inet_protocols");

    if (network_protocols(words) == 0)
        wrong(c, "inet_protocols = %s is none of all, ipv4, ipv6", words);
    free(words);
}

static void check_log(struct check *c)
{
    char *name = command_value("maillog_file");
    char *slash = strrchr(name, '/');

    if (strcmp(name, "syslog") != 0 && name[0] != '/') {
        wrong(c, "maillog_file = %s: must be a path from /, or \"syslog\"",
              name);
    } else if (slash != NULL && slash > name) {
        *slash = '\0';
        if (access(name, F_OK) < 0)
            wrong(c, "maillog_file: the directory %s: %s", name,
                  strerrordesc_np(errno));
    }
    free(name);
}

/* As master sees it: what it refuses is an error. */
static void check_trust(struct check *c, const char *path, unsigned refused)
{
    unsigned bits = trust_path(path);
    struct buf text = BUF_INIT;

    if (bits == 0)
        return;
    trust_say(&text, bits, path);
    if (bits & refused)
        wrong(c, "%s", buf_text(&text));
    else
        command_warn(buf_text(&text), NULL);
    buf_release(&text);
}

static void check_files(struct check *c)
{
    static const char *const names[] = { "", "/main.cf", "/master.cf" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct buf path = BUF_INIT;

        buf_addf(&path, "%s%s", c->directory, names[i]);
        check_trust(c, buf_text(&path), TRUST_NOT);
        buf_release(&path);
    }
}

/* A key that others can read is no secret. */
static void check_key_file(struct check *c, const char *parameter,
                           const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        wrong(c, "%s: %s: %s", parameter, path, strerrordesc_np(errno));
    } else if ((st.st_mode & 077) != 0 &&
               strcmp(parameter, "smtpd_tls_cert_file") != 0) {
        command_say("warning", "%s: %s can be read by others; run: chmod 600 "
                    "%s", parameter, path, path);
    }
    check_trust(c, path, TRUST_EVERYBODY);
}

static void check_keys(struct check *c)
{
    static const char *const names[] = { "smtpd_tls_chain_files",
                                         "smtpd_tls_cert_file",
                                         "smtpd_tls_key_file" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *value = command_value(names[i]);
        struct view rest = view_of(value), word;
        char path[1000];

        while (view_word(&rest, ", \t", &word))
            if (view_copy(word, path, sizeof path))
                check_key_file(c, names[i], path);
        free(value);
    }
}

int verb_check(struct postern *p, int argc, char **argv)
{
    struct check c = { .directory = p->config_directory };

    (void)argv;
    if (argc > 0)
        command_fail(EX_USAGE, "check takes no arguments");
    check_parameters(&c);
    check_services(&c);
    check_files(&c);
    check_protocols(&c);
    check_log(&c);
    check_store();
    check_keys(&c);
    if (c.errors > 0)
        command_fail(EX_CONFIG, "%u errors in %s", c.errors, c.directory);
    return 0;
}
