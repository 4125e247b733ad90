/* SPDX-License-Identifier: BSD-2-Clause */
/* One attempt at a message: from opening it to removing or deferring it. */
#include "qmgr/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "qmgr/qmgr.h"

static bool is_final(enum rcpt_status s)
{
    return s == RCPT_DELIVERED || s == RCPT_BOUNCED || s == RCPT_EXPANDED;
}

/* --- beginning --------------------------------------------------------- */

static void active_free(struct active *a)
{
    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct outcome *o = &a->outcomes[i];

        free(o->text);
        free(o->remote);
        free(o->diag);
        free(o->transport);
        free(o->nexthop);
        free(o->account);
    }
    free(a->outcomes);
    qfile_release(&a->q);
    close(a->fd);
    a->m->active = NULL;
    free(a);
    qmgr_attempt_ended();
}

static void prepare_outcomes(struct active *a)
{
    a->outcomes = alloc_zero(a->q.n_rcpts, sizeof *a->outcomes);
    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct outcome *o = &a->outcomes[i];

        o->done_before = is_final(a->q.rcpts[i].status);
        o->status = o->done_before ? a->q.rcpts[i].status : RCPT_PENDING;
        o->suspect = !a->m->tried ||
                     (a->q.offered && a->q.rcpts[i].attempts == 0);
    }
}

static size_t count_left(const struct active *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->q.n_rcpts; i++)
        n += !a->outcomes[i].done_before;
    return n;
}

/* A file that cannot be read stays; one that makes no sense is put away. */
static void give_up_reading(struct message *m, const struct error *err)
{
    qmgr_attempt_ended();
    if (m->queue == OFFERED) {
        log_warning("%s: the offer makes no sense: %s", m->id, err->text);
        offer_failed(m);
        return;
    }
    if (err->kind == FAIL_PERM) {
        message_corrupt(m, err->text);
        return;
    }
    log_error("%s: %s; trying again later", m->id, err->text);
    message_wait(m, clock_real_us() +
                        qmgr_conf.minimal_backoff_time * 1000000ULL);
}

/* How old it is by the wall clock is looked at once. Then it ages by the clock
 * that nobody sets: no message is returned because of a clock that jumped. */
static void see(struct message *m, uint64_t arrival_us)
{
    uint64_t now = clock_real_us();

    if (m->seen_us != 0)
        return;
    m->seen_us = clock_mono_us();
    m->seen_age_us = now > arrival_us ? now - arrival_us : 0;
}

static uint64_t age_us(const struct active *a)
{
    return a->m->seen_age_us + (clock_mono_us() - a->m->seen_us);
}

void attempt_begin(struct message *m, int fd)
{
    struct active *a = alloc_zero(1, sizeof *a);
    struct error err;
    bool again;

    qmgr.n_active++;
    if (qfile_read(&a->q, fd, message_path(m), &err) < 0) {
        close(fd);
        free(a);
        give_up_reading(m, &err);
        return;
    }
    see(m, a->q.arrival_us);
    a->m = m;
    a->fd = fd;
    a->since_us = clock_real_us();
    m->active = a;
    prepare_outcomes(a);
    log_info("%s: from=<%.*s>, size=%llu, nrcpt=%zu (queue active)", m->id,
             VIEW_ARG(a->q.e.sender), (unsigned long long)a->q.content_len,
             count_left(a));
    again = m->requeue || !m->tried;
    for (size_t i = 0; i < a->q.n_rcpts && !again; i++)
        again = a->q.rcpts[i].attempts > 0;
    m->requeue = false;
    if (again)
        route_begin(a);
    else
        attempt_dispatch(a);
}

/* --- dispatching ------------------------------------------------------- */

struct route {
    struct view transport, nexthop;
};

/* Local deliveries are grouped by domain, which is one tenant's; others by
 * the next hop, or the domain when there is none. */
static struct route route_of(const struct active *a, size_t i)
{
    const struct outcome *o = &a->outcomes[i];
    const struct envelope_rcpt *r = &a->q.rcpts[i].r;
    struct route route = { r->transport, r->nexthop };
    struct view account = r->account;

    if (o->transport != NULL) {
        route.transport = view_of(o->transport);
        route.nexthop = view_of(o->nexthop);
        account = view_of(o->account);
    }
    if (account.len > 0)
        route.nexthop = view_sub(account, view_rindex(account, '@') + 1,
                                 account.len);
    else if (route.nexthop.len == 0)
        route.nexthop = view_sub(r->address, view_rindex(r->address, '@') + 1,
                                 r->address.len);
    return route;
}

static bool same_route(struct route x, struct route y)
{
    return view_eq(x.transport, y.transport) &&
           view_eq_nocase(x.nexthop, y.nexthop);
}

/* A recipient that nobody can have: the transport "error" says so, its next
 * hop is the enhanced status and the reason (as Postfix's error(8)). */
static void fail_at_once(struct active *a, size_t i, struct view reason)
{
    size_t at = view_index(reason, ' ');
    struct delivery_result r = { .dsn = view_sub(reason, 0, at) };

    r.text = view_trim(view_sub(reason, at, reason.len));
    log_info("%s: to=<%.*s>, relay=none, delay=0, delays=0/0/0/0, dsn=%.*s, "
             "status=bounced (%.*s)", a->m->id,
             VIEW_ARG(a->q.rcpts[i].r.address), VIEW_ARG(r.dsn),
             VIEW_ARG(r.text));
    attempt_outcome(a, (uint32_t)i, RCPT_BOUNCED, &r);
}

/* Collect the recipients that go with the `first`, mark them and send them
 * off; the number of recipients of a job is bounded. */
static void dispatch_group(struct active *a, size_t first, bool *taken,
                           uint32_t *indices)
{
    struct route route = route_of(a, first);
    char transport[65], nexthop[513];
    size_t n = 0;

    for (size_t i = first; i < a->q.n_rcpts &&
                           n < qmgr_conf.default_destination_recipient_limit;
         i++) {
        if (taken[i] || !same_route(route, route_of(a, i)))
            continue;
        taken[i] = true;
        indices[n++] = (uint32_t)i;
    }
    view_copy(route.transport, transport, sizeof transport);
    view_copy(route.nexthop, nexthop, sizeof nexthop);
    a->jobs++;
    schedule_job(a, transport, nexthop, indices, n);
}

void attempt_dispatch(struct active *a)
{
    bool *taken = alloc_zero(a->q.n_rcpts, sizeof *taken);
    uint32_t *indices = alloc_zero(a->q.n_rcpts, sizeof *indices);

    a->jobs = 1; /* ours, until all are on their way */
    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct route route = route_of(a, i);

        if (a->outcomes[i].status == RCPT_PENDING &&
            view_is(route.transport, "error"))
            fail_at_once(a, i, route.nexthop);
        taken[i] = a->outcomes[i].status != RCPT_PENDING;
    }
    for (size_t i = 0; i < a->q.n_rcpts; i++)
        if (!taken[i])
            dispatch_group(a, i, taken, indices);
    free(taken);
    free(indices);
    attempt_job_done(a);
}

static void set_text(char **to, struct view v)
{
    free(*to);
    *to = v.len > 0 ? alloc_copy(v.data, v.len) : NULL;
}

void attempt_outcome(struct active *a, uint32_t index, enum rcpt_status status,
                     const struct delivery_result *r)
{
    struct outcome *o = &a->outcomes[index];

    o->status = status;
    o->suspect = false;
    o->relayed = r->relayed;
    view_copy(r->dsn, o->dsn, sizeof o->dsn);
    set_text(&o->text, r->text);
    set_text(&o->remote, r->remote);
    set_text(&o->diag, r->diag);
}

/* --- telling the sender ------------------------------------------------ */

static bool wants(const struct active *a, size_t i, uint32_t notify)
{
    uint32_t n = a->q.rcpts[i].r.notify;

    return n == 0 ? notify != ENVELOPE_NOTIFY_SUCCESS : (n & notify) != 0;
}

static bool failed_now(const struct active *a, size_t i)
{
    return !a->outcomes[i].done_before &&
           a->outcomes[i].status == RCPT_BOUNCED &&
           wants(a, i, ENVELOPE_NOTIFY_FAILURE);
}

static bool delivered_now(const struct active *a, size_t i)
{
    return !a->outcomes[i].done_before &&
           a->outcomes[i].status == RCPT_DELIVERED &&
           wants(a, i, ENVELOPE_NOTIFY_SUCCESS);
}

static bool is_late(const struct active *a, size_t i)
{
    return a->outcomes[i].status == RCPT_DEFERRED &&
           wants(a, i, ENVELOPE_NOTIFY_DELAY);
}

/* A notification cannot be sent back: its lifetime is one of its own. */
static uint64_t lifetime_us(const struct active *a)
{
    unsigned seconds = a->q.e.sender.len > 0
                           ? qmgr_conf.maximal_queue_lifetime
                           : qmgr_conf.bounce_queue_lifetime;

    return seconds * 1000000ULL;
}

static void expire(struct active *a)
{
    bool any = false;

    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        if (a->outcomes[i].status != RCPT_DEFERRED)
            continue;
        a->outcomes[i].status = RCPT_BOUNCED;
        a->outcomes[i].dsn[0] = '4'; /* it was, and stays, a temporary one */
        any = true;
    }
    if (any)
        log_info("%s: from=<%.*s>, status=expired, returned to sender",
                 a->m->id, VIEW_ARG(a->q.e.sender));
}

/* How long to wait: as long as it has waited so far, within the limits. */
static uint64_t backoff_us(const struct active *a)
{
    uint64_t age = age_us(a);
    uint64_t least = qmgr_conf.minimal_backoff_time * 1000000ULL;
    uint64_t most = qmgr_conf.maximal_backoff_time * 1000000ULL;

    return age < least ? least : age > most ? most : age;
}

/* One that was too old when we found it may be so by a clock that is wrong
 * since the machine was started: it gets one more attempt, and the clock must
 * still say the same then. */
static bool is_expired(const struct active *a)
{
    uint64_t most = lifetime_us(a);

    if (age_us(a) < most || most == 0 || a->m->seen_age_us < most)
        return age_us(a) >= most;
    return a->m->deferred && clock_real_us() >= a->q.arrival_us + most;
}

static bool is_due(uint64_t age, unsigned seconds)
{
    return seconds > 0 && age >= seconds * 1000000ULL;
}

void attempt_settle(struct active *a)
{
    if (!qmgr.stopping && is_expired(a))
        expire(a);
    a->notices = 1; /* ours, until all are asked for */
    notice_send(a, BOUNCE_FAILURE, 0, failed_now);
    notice_send(a, BOUNCE_SUCCESS, 0, delivered_now);
    if (is_due(age_us(a), qmgr_conf.delay_warning_time) && !a->q.warned &&
        a->q.e.sender.len > 0) {
        a->warned_now = true;
        notice_send(a, BOUNCE_DELAY, a->q.arrival_us + lifetime_us(a),
                    is_late);
    }
    attempt_notice_done(a, true);
}

/* --- ending ------------------------------------------------------------ */

/* A descriptor to append with: the file was born read-only. */
static int open_to_append(struct active *a, struct error *err)
{
    const char *path = message_path(a->m);
    int root = qmgr.daemon->root;
    int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fchmod(fd, 0600) < 0) {
        error_sys(err, "cannot make %s writable", path);
        io_close(&fd);
        return -1;
    }
    close(fd);
    fd = openat(root, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_sys(err, "cannot open %s to append", path);
    return fd;
}

static struct rcpt_record record_of(const struct active *a, size_t i)
{
    const struct outcome *o = &a->outcomes[i];

    return (struct rcpt_record){
        .index = (uint32_t)i,
        .status = o->status,
        .when_us = a->since_us,
        .attempts = a->q.rcpts[i].attempts + 1,
        .dsn = view_of(o->dsn),
        .text = view_of(o->text),
    };
}

static int append_statuses(struct active *a, struct error *err)
{
    int fd = open_to_append(a, err), rc = -1;

    if (fd < 0)
        return -1;
    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct rcpt_record s = record_of(a, i);

        if (!a->outcomes[i].done_before &&
            qfile_append(fd, &a->q.end, &s, err) < 0)
            goto out;
    }
    if (a->warned_now && !a->notify_failed) {
        struct rcpt_record s = { .index = ENVELOPE_MESSAGE,
                                 .status = MESSAGE_WARNED,
                                 .when_us = a->since_us };

        if (qfile_append(fd, &a->q.end, &s, err) < 0)
            goto out;
    }
    sync_soon(fd);
    rc = 0;
out:
    close(fd);
    return rc;
}

static void defer(struct active *a)
{
    struct message *m = a->m;
    uint64_t next = clock_real_us() + (qmgr.stopping ? 0 : backoff_us(a));
    struct timespec times[2] = {
        { .tv_sec = (time_t)(next / 1000000) },
        { .tv_sec = (time_t)(next / 1000000) },
    };
    struct error err;

    if (append_statuses(a, &err) < 0)
        log_error("%s: %s; what was delivered may be delivered again", m->id,
                  err.text);
    utimensat(qmgr.daemon->root, message_path(m), times, AT_SYMLINK_NOFOLLOW);
    m->tried = m->deferred = true;
    for (size_t i = 0; i < a->q.n_rcpts; i++)
        m->tried = m->tried && !a->outcomes[i].suspect;
    active_free(a);
    if (message_move(m, DEFERRED, &err) < 0)
        log_error("%s: %s", m->id, err.text);
    message_wait(m, next);
}

static void finish(struct active *a)
{
    struct message *m = a->m;
    bool left = false;

    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct outcome *o = &a->outcomes[i];

        /* A sender who was not told keeps the recipient undecided. */
        if (a->notify_failed && !o->done_before &&
            o->status == RCPT_BOUNCED)
            o->status = RCPT_DEFERRED;
        left = left || !is_final(o->status);
    }
    if (left) {
        defer(a);
    } else {
        active_free(a);
        if (!message_remove(m)) {
            m->tried = false; /* all of it is suspect now */
            message_wait(m, clock_real_us() +
                                qmgr_conf.minimal_backoff_time * 1000000ULL);
        }
    }
    timer_set(&qmgr.daemon->loop, &qmgr.take_timer, 0);
}

/* Is nothing known that was not before? */
static bool is_untouched(const struct active *a)
{
    for (size_t i = 0; i < a->q.n_rcpts; i++)
        if (!a->outcomes[i].done_before &&
            a->outcomes[i].status != RCPT_PENDING)
            return false;
    return true;
}

/* A recipient that no agent answered for was perhaps delivered. */
static void settle(struct active *a)
{
    const char *why = qmgr.stopping ? "the mail system was stopped"
                                    : "the delivery agent did not answer";

    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        struct outcome *o = &a->outcomes[i];

        if (o->status != RCPT_PENDING)
            continue;
        o->status = RCPT_DEFERRED;
        o->suspect = true;
        snprintf(o->dsn, sizeof o->dsn, "4.3.0");
        if (o->text == NULL)
            o->text = alloc_text(why);
    }
}

/* Has everybody got it with nobody to be told, or can nobody have it? */
static enum queue_verdict_kind verdict_of(const struct active *a)
{
    size_t delivered = 0, refused = 0;

    for (size_t i = 0; i < a->q.n_rcpts; i++) {
        delivered += a->outcomes[i].status == RCPT_DELIVERED &&
                     !delivered_now(a, i);
        refused += a->outcomes[i].status == RCPT_BOUNCED;
    }
    return delivered == a->q.n_rcpts ? QUEUE_DELIVERED
           : refused == a->q.n_rcpts ? QUEUE_REFUSED : QUEUE_COMMIT;
}

/* Nobody is told and nothing is removed: a person has to look. */
static void put_away(struct active *a)
{
    struct message *m = a->m;
    struct error err;

    if (append_statuses(a, &err) < 0)
        log_error("%s: %s", m->id, err.text);
    active_free(a);
    message_corrupt(m, "the content is not what was accepted");
    timer_set(&qmgr.daemon->loop, &qmgr.take_timer, 0);
}

void attempt_job_done(struct active *a)
{
    if (--a->jobs > 0)
        return;
    if (qmgr.stopping && a->m->queue != OFFERED && is_untouched(a)) {
        active_free(a); /* the next qmgr finds it in active/ */
        return;
    }
    settle(a);
    if (a->damaged && a->m->queue != OFFERED)
        put_away(a);
    else if (a->m->queue == OFFERED)
        offer_attempted(a->m, verdict_of(a));
    else
        attempt_settle(a);
}

void attempt_drop(struct active *a)
{
    struct message *m = a->m;

    active_free(a);
    message_forget(m);
    timer_set(&qmgr.daemon->loop, &qmgr.take_timer, 0);
}

void attempt_notice_done(struct active *a, bool ok)
{
    if (!ok)
        a->notify_failed = true;
    if (--a->notices == 0)
        finish(a);
}
