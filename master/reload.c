/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: read once, sealed, handed to every child; and replaced
 * as a whole or not at all. Event loop programs parse the new one and answer;
 * only when all have accepted are they told to use it and are the workers
 * replaced. Master's own parameters that a restart alone can change keep
 * their old values.
 */
#include "master/master.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/log.h"
#include "base/memfd.h"
#include "config/trust.h"

struct reload {
    struct master *master;
    struct config *config;
    struct master_conf conf;
    int config_fd;
    unsigned waiting; /* children that have not answered */
    struct timer patience;
    void (*done)(struct master *m, void *arg, const char *why);
    void *arg;
    char why[600];
};

/* --- building ---------------------------------------------------------- */

/* What every program must know and only master can find out is added at the
 * end, so that line numbers in messages stay the file's own. */
static void add_facts(const struct master *m, const struct config *cfg,
                      struct buf *text)
{
    char host[256] = "localhost";

    buf_addf(text, "\nconfig_directory = %s\n", m->config_directory);
    if (config_raw(cfg, VIEW("myhostname"), NULL) != NULL)
        return;
    gethostname(host, sizeof host - 1);
    buf_addf(text, "myhostname = %s%s\n", host,
             strchr(host, '.') ? "" : ".localdomain");
}

static int seal_text(const struct buf *text, struct error *err)
{
    int fd = memfd_new("main.cf", err);

    if (fd >= 0 && (io_write_all(fd, text->data, text->len, "main.cf", err) <
                        0 || memfd_seal(fd, err) < 0))
        io_close(&fd);
    return fd;
}

/* Keep the first sentence. */
static void take_first(const char *sentence, void *arg)
{
    struct error *err = arg;

    if (err->text[0] == '\0')
        error_set(err, FAIL_PERM, "%s", sentence);
}

/* Programs that are not running yet would find it out too late. */
static int check_all(const struct config *cfg, struct error *err)
{
    err->text[0] = '\0';
    config_check(cfg, take_first, err);
    return err->text[0] == '\0' ? 0 : -1;
}

static int build(const struct master *m, struct reload *r, struct error *err)
{
    struct buf text = BUF_INIT;
    struct config *first = NULL;
    int rc = -1;

    r->config_fd = -1;
    if (trust_read(m->config_directory, "main.cf", &text, CONFIG_FILE_MAX,
                   err) < 0 ||
        config_parse(&first, buf_view(&text), "main.cf", err) < 0)
        goto out;
    add_facts(m, first, &text);
    if (config_parse(&r->config, buf_view(&text), "main.cf", err) < 0 ||
        check_all(r->config, err) < 0 ||
        config_load(r->config, master_params, &r->conf, err) < 0)
        goto out;
    r->config_fd = seal_text(&text, err);
    rc = r->config_fd < 0 ? -1 : 0;
    if (rc < 0)
        config_unload(master_params, &r->conf);
out:
    if (rc < 0)
        config_free(&r->config);
    config_free(&first);
    buf_release(&text);
    return rc;
}

static int build_services(struct master *m, struct error *err)
{
    struct buf text = BUF_INIT;
    int rc = -1;

    if (trust_read(m->config_directory, "master.cf", &text, CONFIG_FILE_MAX,
                   err) == 0)
        rc = mastercf_parse(&m->services, buf_view(&text), "master.cf", err);
    buf_release(&text);
    return rc;
}

static void warn(const char *sentence, void *arg)
{
    (void)arg;
    log_warning("%s", sentence);
}

int config_build(struct master *m, struct error *err)
{
    struct reload r = { .config = NULL };

    if (build(m, &r, err) < 0)
        return -1;
    m->config = r.config;
    m->conf = r.conf;
    m->config_fd = r.config_fd;
    config_warn(m->config, warn, NULL);
    return build_services(m, err);
}

/* --- replacing --------------------------------------------------------- */

static void reload_end(struct master *m)
{
    struct reload *r = m->reload;

    timer_cancel(&m->loop, &r->patience);
    m->reload = NULL;
    if (r->done != NULL)
        r->done(m, r->arg, r->why);
    if (r->config != NULL)
        config_unload(master_params, &r->conf);
    config_free(&r->config);
    io_close(&r->config_fd);
    free(r);
}

/* Tell all event loop programs; with `count`, each owes an answer. */
static void each_hub(struct master *m, const struct ipc_type *type,
                     const void *msg, unsigned *count)
{
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->role->shape != ROLE_HUB)
            continue;
        list_each (k, &p->children) {
            struct child *c = list_entry(k, struct child, link);

            peer_send(&c->control, type, msg);
            if (count != NULL) {
                c->config_asked++;
                ++*count;
            }
        }
    }
}

/* Values that a running master cannot change stay as they are. */
static void keep_restart_values(struct master *m, struct master_conf *conf)
{
    for (const struct param *p = master_params; p->name != NULL; p++) {
        char *now = (char *)&m->conf + p->offset;
        char *next = (char *)conf + p->offset;

        if (p->change != PARAM_RESTART)
            continue;
        if (p->type == PARAM_TYPE_TEXT) {
            if (strcmp(*(char **)now, *(char **)next) != 0)
                log_warning("%s changes only with \"postern stop\" and "
                            "\"postern start\"", p->name);
            free(*(char **)next);
            *(char **)next = alloc_text(*(char **)now);
        } else if (p->type == PARAM_TYPE_UINT) {
            memcpy(next, now, sizeof(unsigned));
        }
    }
}

static void replace(struct master *m)
{
    struct reload *r = m->reload;
    struct config *old = m->config;
    struct master_conf old_conf = m->conf;
    int old_fd = m->config_fd;

    config_warn(r->config, warn, NULL);
    keep_restart_values(m, &r->conf);
    m->config = r->config;
    m->conf = r->conf;
    m->config_fd = r->config_fd;
    r->config = old; /* reload_end() frees what is not used any more */
    r->conf = old_conf;
    r->config_fd = old_fd;
    each_hub(m, &control_apply_type, NULL, NULL);
    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (strcmp(p->role->name, "keyd") == 0)
            list_each (k, &p->children)
                files_send(list_entry(k, struct child, link));
    }
    list_each_safe (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        if (p->role->shape != ROLE_HUB && p->role->per != PER_SESSION)
            pool_stop(p);
        pool_retry(p); /* perhaps it lacked just this */
    }
    files_reopen_log(m);
    log_info("reload -- version %s, configuration %s", POSTERN_VERSION,
             m->config_directory);
}

static void conclude(struct master *m)
{
    if (m->reload->why[0] == '\0') {
        replace(m);
    } else {
        each_hub(m, &control_discard_type, NULL, NULL);
        log_error("reload refused, the old configuration stays: %s",
                  m->reload->why);
    }
    reload_end(m);
}

void reload_answer(struct child *c, bool accepted, struct view why)
{
    struct master *m = c->pool->master;
    struct reload *r = m->reload;

    /* Only the last answer is about this configuration. */
    if (c->config_asked == 0 || --c->config_asked > 0 || r == NULL ||
        r->waiting == 0)
        return;
    if (!accepted && r->why[0] == '\0')
        snprintf(r->why, sizeof r->why, "%s: %.*s", c->pool->role->name,
                 VIEW_ARG(why));
    if (--r->waiting == 0)
        conclude(m);
}

void reload_forget(struct child *c)
{
    struct master *m = c->pool->master;

    if (m->reload == NULL || c->config_asked == 0)
        return;
    c->config_asked = 1;
    reload_answer(c, false, VIEW("it ended during the reload"));
}

/* One that hangs must not keep all from a new configuration later. */
static void on_patience(struct timer *t)
{
    struct master *m = list_entry(t, struct reload, patience)->master;
    struct reload *r = m->reload;

    list_each (l, &m->pools) {
        struct pool *p = list_entry(l, struct pool, link);

        list_each (k, &p->children)
            if (list_entry(k, struct child, link)->config_asked > 0)
                snprintf(r->why, sizeof r->why, "%s did not answer for %u "
                         "seconds", p->role->name, m->conf.reload_timeout);
    }
    conclude(m);
}

void reload_begin(struct master *m, void (*done)(struct master *m, void *arg,
                                                 const char *why),
                  void *arg)
{
    struct reload *r;
    struct control_config msg;
    struct error err;

    if (m->reload != NULL) {
        if (done != NULL)
            done(m, arg, "another reload is under way");
        return;
    }
    r = alloc_zero(1, sizeof *r);
    r->done = done;
    r->arg = arg;
    r->config_fd = -1;
    r->master = m;
    r->patience.fire = on_patience;
    m->reload = r;
    if (build(m, r, &err) < 0) {
        snprintf(r->why, sizeof r->why, "%s", err.text);
        log_error("reload refused, the old configuration stays: %s", r->why);
        reload_end(m);
        return;
    }
    msg.config = r->config_fd;
    each_hub(m, &control_config_type, &msg, &r->waiting);
    if (r->waiting == 0)
        conclude(m);
    else
        timer_set(&m->loop, &r->patience, m->conf.reload_timeout * 1000ULL);
}
