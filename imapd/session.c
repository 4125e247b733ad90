/* SPDX-License-Identifier: BSD-2-Clause */
/* The dialogue: the protocol's order is the table below. */
#include <stdarg.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/log.h"
#include "imapd/commands.h"
#include "imapd/imapd.h"
#include "imapd/notice.h"

struct imapd_conf imapd_conf;

enum {
    HAS_UID = 1 << 0, /* UID may stand before it (RFC 3501 §6.4.8) */
    NUMBERS = 1 << 1, /* message numbers may not change (§7.4.1) */
    LOOK = 1 << 2,    /* look at the disk for changes behind it */
};

static const struct command {
    const char *verb;
    unsigned states, flags;
    imap_command *run;
} commands[] = {
    { "CAPABILITY", IMAP_BOTH, 0, imap_cmd_capability },
    { "NOOP", IMAP_BOTH, LOOK, imap_cmd_noop },
    { "LOGOUT", IMAP_BOTH, NUMBERS, imap_cmd_logout },
    { "ID", IMAP_BOTH, 0, imap_cmd_id },
    { "ENABLE", IMAP_BOTH, 0, imap_cmd_enable },
    { "NAMESPACE", IMAP_BOTH, 0, imap_cmd_namespace },
    { "SELECT", IMAP_BOTH, 0, imap_cmd_select },
    { "EXAMINE", IMAP_BOTH, 0, imap_cmd_examine },
    { "CREATE", IMAP_BOTH, 0, imap_cmd_create },
    { "DELETE", IMAP_BOTH, 0, imap_cmd_delete },
    { "RENAME", IMAP_BOTH, 0, imap_cmd_rename },
    { "SUBSCRIBE", IMAP_BOTH, 0, imap_cmd_subscribe },
    { "UNSUBSCRIBE", IMAP_BOTH, 0, imap_cmd_unsubscribe },
    { "LIST", IMAP_BOTH, 0, imap_cmd_list },
    { "LSUB", IMAP_BOTH, 0, imap_cmd_lsub },
    { "STATUS", IMAP_BOTH, 0, imap_cmd_status },
    { "APPEND", IMAP_BOTH, LOOK, imap_cmd_append },
    { "IDLE", IMAP_BOTH, 0, imap_cmd_idle },
    { "GETQUOTA", IMAP_BOTH, 0, imap_cmd_getquota },
    { "GETQUOTAROOT", IMAP_BOTH, 0, imap_cmd_getquotaroot },
    { "SETQUOTA", IMAP_BOTH, 0, imap_cmd_setquota },
    { "CHECK", IMAP_SELECTED, LOOK, imap_cmd_check },
    { "CLOSE", IMAP_SELECTED, 0, imap_cmd_close },
    { "UNSELECT", IMAP_SELECTED, 0, imap_cmd_unselect },
    { "EXPUNGE", IMAP_SELECTED, HAS_UID, imap_cmd_expunge },
    { "SEARCH", IMAP_SELECTED, HAS_UID | NUMBERS, imap_cmd_search },
    { "FETCH", IMAP_SELECTED, HAS_UID | NUMBERS, imap_cmd_fetch },
    { "STORE", IMAP_SELECTED, HAS_UID | NUMBERS, imap_cmd_store },
    { "COPY", IMAP_SELECTED, HAS_UID, imap_cmd_copy },
    { "MOVE", IMAP_SELECTED, HAS_UID, imap_cmd_move },
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

/* --- saying things ----------------------------------------------------- */

void imap_end(struct imap_session *s, enum imap_end why)
{
    if (s->end == IMAP_GOING_ON)
        s->end = why;
}

bool imap_all_stops(struct imap_session *s, bool woken)
{
    if (woken)
        service_hear(s->daemon);
    if (s->daemon->goodbye)
        imap_end(s, IMAP_SHUTDOWN);
    return s->daemon->goodbye;
}

void imap_say_view(struct imap_session *s, struct view text)
{
    struct error err;

    if (s->end != IMAP_LOST && stream_write(&s->stream, text, &err) < 0)
        imap_end(s, IMAP_LOST);
}

void imap_say(struct imap_session *s, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len >= (int)sizeof text)
        len = (int)sizeof text - 1;
    imap_say_view(s, (struct view){ text, (size_t)len });
}

/* Nothing that is quoted in a sentence may end the line. */
static void set_reply(struct imap_session *s, const char *word,
                      const char *fmt, va_list ap)
{
    va_list again;
    size_t start;
    int len;

    buf_reset(&s->reply);
    buf_add_text(&s->reply, word);
    start = s->reply.len;
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len > 0) {
        vsnprintf(buf_room(&s->reply, (size_t)len), (size_t)len + 1, fmt, ap);
        s->reply.len += (size_t)len;
    }
    for (size_t i = start; i < s->reply.len; i++)
        if (ascii_is_control(s->reply.data[i]))
            s->reply.data[i] = '?';
}

void imap_ok(struct imap_session *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_reply(s, "OK ", fmt, ap);
    va_end(ap);
}

void imap_no(struct imap_session *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_reply(s, "NO ", fmt, ap);
    va_end(ap);
}

void imap_bad(struct imap_session *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set_reply(s, "BAD ", fmt, ap);
    va_end(ap);
    s->bad++;
}

void imap_refuse(struct imap_session *s, enum store_why why, bool create,
                 const struct error *err)
{
    static const char *const codes[] = {
        [STORE_OK] = "[SERVERBUG]",        [STORE_LATER] = "[UNAVAILABLE]",
        [STORE_MISSING] = "[NONEXISTENT]", [STORE_EXISTS] = "[ALREADYEXISTS]",
        [STORE_BAD_NAME] = "[CANNOT]",     [STORE_LIMIT] = "[LIMIT]",
        [STORE_OVER_QUOTA] = "[OVERQUOTA]",
        [STORE_HAS_CHILDREN] = "[HASCHILDREN]",
        [STORE_DAMAGED] = "[UNAVAILABLE]",
    };

    if (why == STORE_OK || why == STORE_LATER || why == STORE_DAMAGED)
        log_error("imap(%s): %s", s->account, err->text);
    imap_no(s, "%s %s.", why == STORE_MISSING && create ? "[TRYCREATE]"
                                                        : codes[why],
            err->text);
}

void imap_failed(struct imap_session *s, const struct error *err)
{
    imap_refuse(s, STORE_LATER, false, err);
}

/* --- commands ---------------------------------------------------------- */

static const struct command *find_command(struct view verb)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (view_is_nocase(verb, commands[i].verb))
            return &commands[i];
    return NULL;
}

static const struct command *take_command(struct imap_session *s,
                                          struct imap_args *a)
{
    const struct command *c;
    struct view verb;

    s->uid = false;
    if (!imap_args_tag(a, &s->tag) || !imap_args_space(a) ||
        !imap_args_atom(a, &verb))
        return NULL;
    if (view_is_nocase(verb, "UID")) {
        s->uid = true;
        if (!imap_args_space(a) || !imap_args_atom(a, &verb))
            return NULL;
    }
    c = find_command(verb);
    if (c == NULL || (s->uid && !(c->flags & HAS_UID))) {
        imap_args_fail(a, "There is no such command.");
        return NULL;
    }
    if (!(c->states & (s->box != NULL ? IMAP_SELECTED : IMAP_AUTHENTICATED))) {
        imap_args_fail(a, "No mailbox is selected.");
        return NULL;
    }
    return c;
}

/* The message of an APPEND that went wrong before it was read comes all the
 * same if the client did not wait. */
static void drop_message(struct imap_session *s)
{
    uint64_t size;
    bool sync;

    if (imap_ends_in_literal(buf_view(&s->command), &size, &sync) && !sync) {
        imap_drain(s, size);
        if (s->end == IMAP_GOING_ON)
            imap_input(s); /* the line behind it */
    }
}

static void send_reply(struct imap_session *s, const struct buf *tag)
{
    imap_say_view(s, buf_view(tag));
    imap_say_view(s, VIEW(" "));
    imap_say_view(s, buf_view(&s->reply));
    imap_say_view(s, VIEW("\r\n"));
}

/* The client has SELECT's answer before we read the messages' records. */
static void load_mailbox(struct imap_session *s)
{
    enum store_why why;
    struct error err;
    short events;

    stream_drain(&s->stream, &events, &err); /* a broken one shows later */
    if (mailbox_load(s->box, &why, &err) == 0)
        return;
    log_error("imap(%s): %s", s->account, err.text);
    imap_say(s, "* BYE [UNAVAILABLE] The mailbox cannot be read.\r\n");
    imap_end(s, IMAP_BYE);
}

/* Tell what changed, as far as the command allows. */
static void look(struct imap_session *s, const struct command *c)
{
    if (s->box != NULL && mailbox_is_loaded(s->box))
        imap_sync(s, s->behind || (c->flags & LOOK),
                  (c->flags & NUMBERS) && !s->uid);
}

static void answer(struct imap_session *s, const struct command *c,
                   struct imap_args *a)
{
    struct buf tag = BUF_INIT; /* an APPEND's message replaces the command */

    buf_add_view(&tag, s->tag);
    if (c != NULL)
        c->run(s, a);
    if (s->reply.len == 0) {
        imap_bad(s, "%s", a->bad != NULL ? a->bad : "Something is wrong.");
        drop_message(s);
    }
    if (c != NULL)
        look(s, c);
    send_reply(s, &tag);
    buf_release(&tag);
}

static void one_command(struct imap_session *s)
{
    const struct command *c;
    struct imap_args a;

    if (imap_input(s) != IMAP_COMMAND)
        return;
    imap_args_init(&a, buf_view(&s->command), &s->pool);
    buf_reset(&s->reply);
    s->lost_some = false;
    c = take_command(s, &a);
    if (c != NULL && s->behind)
        look(s, c);
    if (s->end != IMAP_GOING_ON)
        return;
    answer(s, c, &a);
    if (s->box != NULL && !mailbox_is_loaded(s->box))
        load_mailbox(s);
    if (s->bad > imapd_conf.imap_max_bad_commands) {
        imap_say(s, "* BYE Too many senseless commands.\r\n");
        imap_end(s, IMAP_ERRORS);
    }
}

/* --- the session ------------------------------------------------------- */

static void log_end(const struct imap_session *s, const char *session)
{
    static const char *const why[] = {
        [IMAP_GOING_ON] = "", [IMAP_LOGOUT] = "Logged out",
        [IMAP_LOST] = "Connection closed", [IMAP_TIMEOUT] = "Inactivity",
        [IMAP_ERRORS] = "Too many invalid IMAP commands",
        [IMAP_BYE] = "Internal error occurred",
        [IMAP_SHUTDOWN] = "Shutting down",
    };
    const struct imap_counts *n = &s->counts;

    log_info("imap(%s)<%d><%s>: Disconnected: %s in=%llu out=%llu "
             "deleted=%llu expunged=%llu trashed=0 hdr_count=%llu "
             "hdr_bytes=%llu body_count=%llu body_bytes=%llu",
             s->account, getpid(), session, why[s->end],
             (unsigned long long)s->stream.bytes_in,
             (unsigned long long)s->stream.bytes_out,
             (unsigned long long)n->deleted, (unsigned long long)n->expunged,
             (unsigned long long)n->headers,
             (unsigned long long)n->header_bytes,
             (unsigned long long)n->bodies,
             (unsigned long long)n->body_bytes);
}

static void open_store(struct imap_session *s)
{
    struct store_options o = {
        .account = s->account,
        .host = imapd_conf.myhostname,
        .lock_ms = imapd_conf.imap_lock_timeout * 1000,
        .quota = s->quota,
        .life = s->daemon->life,
    };
    struct error err;

    s->store = store_open(s->root, &o, &err);
    if (s->store == NULL) {
        log_error("imap(%s): %s", s->account, err.text);
        imap_say(s, "* BYE [UNAVAILABLE] The mailbox cannot be opened.\r\n");
        imap_end(s, IMAP_BYE);
    }
}

void imap_session_run(struct daemon *d, int root, struct client *c)
{
    struct imap_session s = {
        .daemon = d, .account = c->account, .root = root,
        .quota = c->quota, .notify = { .fd = -1 },
    };
    struct error err;

    stream_init(&s.stream, c->fd, imapd_conf.imap_idle_timeout * 1000);
    c->fd = -1;
    open_store(&s);
    while (s.end == IMAP_GOING_ON)
        one_command(&s);
    if (s.end == IMAP_TIMEOUT)
        imap_say(&s, "* BYE Disconnected for inactivity.\r\n");
    if (s.end == IMAP_SHUTDOWN)
        imap_say(&s, "* BYE The server is shutting down.\r\n");
    if (s.box != NULL)
        mailbox_close(&s.box);
    if (s.store != NULL)
        store_close(&s.store);
    stream_deadline(&s.stream, 5000);
    stream_flush(&s.stream, &err);
    log_end(&s, c->session);
    ipc_release(&s.notify);
    stream_release(&s.stream);
    buf_release(&s.command);
    buf_release(&s.pool);
    buf_release(&s.reply);
}

void imapd_prepare(struct daemon *d)
{
    (void)d;
    store_prepare();
}

void imapd_serve(struct daemon *d, struct client *c)
{
    c->authenticated = true;
    imap_session_run(d, d->root, c);
}
