/* SPDX-License-Identifier: BSD-2-Clause */
#include "pop3d/pop3d.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/notify.h"

#define LINE_LIMIT 255 /* RFC 2449 §4, and then some */

struct pop3d_conf pop3d_conf;

struct command {
    const char *verb;
    unsigned max_args;
    void (*run)(struct pop3_session *s, struct view args);
};

void pop3_say(struct pop3_session *s, const char *fmt, ...)
{
    char text[600];
    struct error err;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (stream_printf(&s->stream, &err, "%s\r\n", text) < 0)
        s->over = true;
}

static void bad(struct pop3_session *s, const char *why)
{
    pop3_say(s, "-ERR %s", why);
    if (++s->bad > pop3d_conf.pop3_bad_command_limit) {
        s->why = "Too many invalid commands";
        s->over = true;
    }
}

bool pop3_number(struct pop3_session *s, struct view *args, size_t *index)
{
    struct view word;
    uint64_t n;

    if (!view_word(args, " ", &word) || !view_number(word, UINT32_MAX, &n) ||
        n == 0) {
        bad(s, "A message number is missing");
        return false;
    }
    if (n > s->box->n) {
        pop3_say(s, "-ERR There's no message %llu", (unsigned long long)n);
        return false;
    }
    *index = (size_t)n - 1;
    if (s->deleted[*index]) {
        pop3_say(s, "-ERR Message is deleted");
        return false;
    }
    return true;
}

/* --- commands ---------------------------------------------------------- */

static void cmd_capa(struct pop3_session *s, struct view args)
{
    (void)args;
    pop3_say(s, "+OK Capability list follows\r\nCAPA\r\nTOP\r\nUIDL\r\n"
             "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n.");
}

static void cmd_stat(struct pop3_session *s, struct view args)
{
    unsigned long long bytes = 0;
    size_t n = 0;

    (void)args;
    for (size_t i = 0; i < s->box->n; i++) {
        if (s->deleted[i])
            continue;
        n++;
        bytes += s->box->entries[i].size;
    }
    pop3_say(s, "+OK %zu %llu", n, bytes);
}

static void list_one(struct pop3_session *s, const char *before, size_t i)
{
    pop3_say(s, "%s%zu %llu", before, i + 1,
             (unsigned long long)s->box->entries[i].size);
}

/* Validity and UID: what names the message for as long as it is there. */
static void uidl_one(struct pop3_session *s, const char *before, size_t i)
{
    pop3_say(s, "%s%zu %08x%08x", before, i + 1, s->box->uid_validity,
             s->box->entries[i].uid);
}

static void list(struct pop3_session *s, struct view args,
                 void (*one)(struct pop3_session *, const char *, size_t))
{
    size_t i;

    if (args.len > 0) {
        if (pop3_number(s, &args, &i))
            one(s, "+OK ", i);
        return;
    }
    pop3_say(s, "+OK");
    for (i = 0; i < s->box->n && !s->over; i++)
        if (!s->deleted[i])
            one(s, "", i);
    pop3_say(s, ".");
}

static void cmd_list(struct pop3_session *s, struct view args)
{
    list(s, args, list_one);
}

static void cmd_uidl(struct pop3_session *s, struct view args)
{
    list(s, args, uidl_one);
}

static void cmd_dele(struct pop3_session *s, struct view args)
{
    size_t i;

    if (!pop3_number(s, &args, &i))
        return;
    s->deleted[i] = true;
    s->n_deleted++;
    pop3_say(s, "+OK Marked to be deleted.");
}

static void cmd_noop(struct pop3_session *s, struct view args)
{
    (void)args;
    pop3_say(s, "+OK");
}

static void cmd_rset(struct pop3_session *s, struct view args)
{
    (void)args;
    memset(s->deleted, 0, s->box->n * sizeof *s->deleted);
    s->n_deleted = 0;
    pop3_say(s, "+OK");
}

/* --- the update state (RFC 1939 §6) ------------------------------------ */

static size_t collect(const struct pop3_session *s, const bool *which,
                      size_t *indices)
{
    size_t n = 0;

    for (size_t i = 0; i < s->box->n; i++)
        if (which[i])
            indices[n++] = i;
    return n;
}

static int set_flag(struct pop3_session *s, const size_t *indices, size_t n,
                    uint32_t flag, struct error *err)
{
    struct mailbox_change change = { .how = MAILBOX_ADD, .flags = flag };
    bool *modified = alloc_zero(n + 1, sizeof *modified);
    int rc = n > 0 ? mailbox_store(s->box, indices, n, &change, modified, err)
                   : 0;

    free(modified);
    return rc;
}

static void tell_others(struct pop3_session *s)
{
    struct notify_changed msg = { view_of(s->client->account),
                                  VIEW("INBOX") };
    struct ipc hub = { .fd = -1 };
    struct error err;

    if (service_connect(s->daemon, "notify", "", 1000, &hub, &err) < 0 ||
        ipc_send(&hub, &notify_changed_type, &msg, &err) < 0)
        log_debug("cannot tell others: %s", err.text);
    ipc_release(&hub);
}

static int update(struct pop3_session *s, struct error *err)
{
    size_t *indices = alloc_zero(s->box->n + 1, sizeof *indices);
    size_t n;
    int rc = 0;

    if (!pop3d_conf.pop3_no_flag_updates) {
        n = collect(s, s->seen, indices);
        rc = set_flag(s, indices, n, MAILBOX_SEEN, err);
    }
    n = collect(s, s->deleted, indices);
    if (rc == 0 && n > 0) {
        rc = set_flag(s, indices, n, MAILBOX_DELETED, err);
        if (rc == 0)
            rc = mailbox_expunge(s->box, indices, n, err);
        tell_others(s);
    }
    free(indices);
    return rc;
}

static void cmd_quit(struct pop3_session *s, struct view args)
{
    struct error err;

    (void)args;
    if (update(s, &err) == 0) {
        pop3_say(s, s->n_deleted > 0 ? "+OK Logging out, messages deleted."
                                     : "+OK Logging out.");
    } else {
        log_error("pop3(%s)<%d><%s>: %s", s->client->account, getpid(),
                  s->client->session, err.text);
        s->n_deleted = 0;
        pop3_say(s, "-ERR [SYS/TEMP] Some deleted messages not removed");
    }
    s->why = "Logged out";
    s->over = true;
}

static const struct command commands[] = {
    { "CAPA", 0, cmd_capa }, { "STAT", 0, cmd_stat }, { "LIST", 1, cmd_list },
    { "UIDL", 1, cmd_uidl }, { "RETR", 1, cmd_retr }, { "TOP", 2, cmd_top },
    { "DELE", 1, cmd_dele }, { "NOOP", 0, cmd_noop }, { "RSET", 0, cmd_rset },
    { "QUIT", 0, cmd_quit },
};

static unsigned count_words(struct view args)
{
    struct view word;
    unsigned n = 0;

    while (view_word(&args, " ", &word))
        n++;
    return n;
}

static void dispatch(struct pop3_session *s, struct view line)
{
    struct view verb = view_sub(line, 0, view_index(line, ' '));
    struct view args = view_trim(view_sub(line, verb.len, line.len));

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!view_is_nocase(verb, commands[i].verb))
            continue;
        if (count_words(args) > commands[i].max_args)
            bad(s, "Too many arguments");
        else
            commands[i].run(s, args);
        return;
    }
    bad(s, "Unknown command");
}

/* --- the session ------------------------------------------------------- */

static void one_command(struct pop3_session *s)
{
    struct view line;
    enum stream_end end;
    struct error err;
    enum stream_result r = stream_await(&s->stream,
                                        service_wake_fd(s->daemon), &err);

    if (r == STREAM_LINE)
        r = stream_line(&s->stream, LINE_LIMIT, &line, &end, &err);
    switch (r) {
    case STREAM_LINE:
        dispatch(s, line);
        return;
    case STREAM_AGAIN:
        service_hear(s->daemon);
        return;
    case STREAM_LONG:
        pop3_say(s, "-ERR Line too long");
        s->why = "Line too long";
        break;
    case STREAM_TIMEOUT:
        pop3_say(s, "-ERR Disconnected for inactivity.");
        s->why = "Disconnected for inactivity";
        break;
    default:
        s->why = "Connection closed";
        break;
    }
    s->over = true;
}

static bool open_drop(struct pop3_session *s)
{
    struct store_options o = {
        .account = s->client->account,
        .host = pop3d_conf.myhostname,
        .lock_ms = pop3d_conf.index_lock_timeout * 1000,
        .quota = s->client->quota,
        .life = s->daemon->life,
    };
    enum store_why why;
    struct error err;

    s->store = store_open(s->daemon->root, &o, &err);
    if (s->store != NULL)
        s->box = mailbox_open(s->store, VIEW("INBOX"), false, &why, &err);
    if (s->box == NULL) {
        log_error("pop3(%s)<%d><%s>: %s", s->client->account, getpid(),
                  s->client->session, err.text);
        pop3_say(s, "-ERR [SYS/TEMP] Mailbox is not available at the moment");
        return false;
    }
    s->deleted = alloc_zero(s->box->n + 1, sizeof *s->deleted);
    s->seen = alloc_zero(s->box->n + 1, sizeof *s->seen);
    pop3_say(s, "+OK Logged in.");
    return true;
}

static void log_end(const struct pop3_session *s)
{
    unsigned long long size = 0;

    for (size_t i = 0; i < s->box->n; i++)
        size += s->box->entries[i].size;
    log_info("pop3(%s)<%d><%s>: Disconnected: %s top=%u/%llu, retr=%u/%llu, "
             "del=%u/%zu, size=%llu", s->client->account, getpid(),
             s->client->session, s->why ? s->why : "Connection closed",
             s->n_top, (unsigned long long)s->top_bytes, s->n_retr,
             (unsigned long long)s->retr_bytes, s->n_deleted, s->box->n, size);
}

void pop3d_prepare(struct daemon *d)
{
    (void)d;
    store_prepare();
}

void pop3d_serve(struct daemon *d, struct client *c)
{
    struct pop3_session s = { .daemon = d, .client = c };
    struct error err;

    c->authenticated = true;
    stream_init(&s.stream, c->fd, pop3d_conf.pop3_timeout * 1000);
    c->fd = -1;
    if (open_drop(&s)) {
        while (!s.over && !d->goodbye)
            one_command(&s);
        if (!s.over) { /* without QUIT nothing is deleted */
            pop3_say(&s, "-ERR [SYS/TEMP] The server is shutting down.");
            s.why = "Shutting down";
        }
        log_end(&s);
    }
    stream_deadline(&s.stream, 5000);
    stream_flush(&s.stream, &err);
    mailbox_close(&s.box);
    store_close(&s.store);
    free(s.deleted);
    free(s.seen);
    stream_release(&s.stream);
}
