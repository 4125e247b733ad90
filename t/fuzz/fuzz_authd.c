/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SASL exchanges as authd sees them, and its other questions: PLAIN, LOGIN and
 * SCRAM, several at a time, in any order. Behind it is no database, but one
 * account, ann@one.example, whose password is "secret".
 *
 * The input: messages, each with a byte that says what it is and for which
 * exchange, a byte for its length, and its bytes.
 *
 * What must hold: each exchange has one end; nobody gets in whose password was
 * not looked at and right; nobody else's name is given.
 */
#include "authd/authd.h"

#include <poll.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

#define ANN "ann@one.example"
#define TICKETS 4
#define WORKS 16

static struct {
    struct daemon d;
    struct auth_peer peer;
    struct ipc far, master; /* the other ends */
    bool gone;
    struct {
        struct work *work; /* NULL: free */
        bool ok;
    } works[WORKS];
    bool open[TICKETS];    /* the exchange has begun and not ended */
    bool raw;              /* bytes of the input's own were sent */
    unsigned right;        /* passwords that were right */
} world;

/* --- the database and the workers -------------------------------------- */

int __wrap_database_domain(struct view domain, char tenant[321],
                           struct error *err);
int __wrap_database_account(struct view address, struct account *a,
                            struct error *err);
int __wrap_database_alias(struct view address, struct buf *targets,
                          struct error *err);
int __wrap_database_secret(struct buf *out, struct error *err);
int __wrap_database_set_keys(struct view address, const char *hash,
                             const char *keys, struct error *err);
void __wrap_work_check(struct work *w, struct view password, const char *hash,
                       bool want_keys);
void __wrap_work_cancel(struct work *w);

int __wrap_database_domain(struct view domain, char tenant[321],
                           struct error *err)
{
    if (view_is(domain, "away"))
        return error_set(err, FAIL_TEMP, "the database is away");
    snprintf(tenant, 321, "acme");
    return view_is(domain, "one.example");
}

int __wrap_database_account(struct view address, struct account *a,
                            struct error *err)
{
    *a = (struct account){ .uid = 70000, .enabled = true };
    if (view_ends(address, "@away"))
        return error_set(err, FAIL_TEMP, "the database is away");
    snprintf(a->address, sizeof a->address, ANN);
    snprintf(a->tenant, sizeof a->tenant, "acme");
    snprintf(a->hash, sizeof a->hash, "hash");
    return view_is(address, ANN);
}

int __wrap_database_alias(struct view address, struct buf *targets,
                          struct error *err)
{
    (void)err;
    if (view_is(address, "all@one.example"))
        buf_add_text(targets, ANN "\nbob@two.example");
    return targets->len > 0;
}

int __wrap_database_secret(struct buf *out, struct error *err)
{
    (void)err;
    buf_add_text(out, "the secret of fake salts");
    return 0;
}

int __wrap_database_set_keys(struct view address, const char *hash,
                             const char *keys, struct error *err)
{
    (void)err;
    MUST(view_is(address, ANN) && strcmp(hash, "hash") == 0);
    MUST(keys[0] != '\0');
    return 0;
}

void __wrap_work_check(struct work *w, struct view password, const char *hash,
                       bool want_keys)
{
    size_t i = 0;

    (void)want_keys;
    MUST(password.len > 0 && memchr(password.data, '\0', password.len) ==
                                 NULL);
    while (world.works[i].work != NULL)
        MUST(++i < WORKS);
    world.works[i].work = w;
    world.works[i].ok = view_is(password, "secret") && hash[0] != '\0';
}

void __wrap_work_cancel(struct work *w)
{
    for (size_t i = 0; i < WORKS; i++)
        if (world.works[i].work == w)
            world.works[i].work = NULL;
}

static void finish_works(void)
{
    struct secret made = { .keys = "keys" };

    for (size_t i = 0; i < WORKS; i++) {
        struct work *w = world.works[i].work;

        world.works[i].work = NULL;
        if (w == NULL)
            continue;
        world.right += world.works[i].ok;
        w->done(w, world.works[i].ok, &made);
    }
}

/* --- what authd says --------------------------------------------------- */

static void on_done(const struct ipc_packet *p)
{
    struct auth_done d;
    struct error err;

    MUST(ipc_decode(p->bytes, p->fds, p->n_fds, &auth_done_type, &d, &err) ==
         0);
    MUST(d.result <= AUTH_TOO_MANY);
    if (d.result == AUTH_OK) {
        MUST(world.right > 0 && view_is(d.account, ANN));
        MUST(view_is(d.tenant, "acme"));
        world.right--;
    } else {
        MUST(d.account.len == 0);
    }
    if (world.raw)
        return;
    MUST(d.ticket < TICKETS && world.open[d.ticket]);
    /* A second begin under a ticket is refused; the first goes on. */
    if (d.result != AUTH_NO_MECHANISM)
        world.open[d.ticket] = false;
}

static void hear(void)
{
    struct ipc_packet p;

    while (ipc_recv_raw(world.far.fd, &world.far.in, &p, MSG_DONTWAIT) > 0) {
        int id = ipc_id(p.bytes);

        if (id == auth_done_type.id)
            on_done(&p);
        else
            MUST(id == auth_challenge_type.id ||
                 id == directory_answer_type.id ||
                 id == sender_answer_type.id);
        ipc_packet_release(&p);
    }
    while (ipc_recv_raw(world.master.fd, &world.master.in, &p,
                        MSG_DONTWAIT) > 0)
        ipc_packet_release(&p);
}

/* --- the loop ---------------------------------------------------------- */

static void stop(struct loop *l, void *arg)
{
    (void)arg;
    loop_stop(l);
}

static bool is_waiting(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

/* Turns until authd has nothing left to do: timers are all due at once. */
static void settle(void)
{
    struct loop *l = &world.d.loop;

    for (int i = 0; i < 20; i++) {
        if (!world.gone &&
            (is_waiting(world.peer.peer.watch.fd) || l->n_timers > 0))
            loop_run(l);
        hear();
    }
}

static void on_gone(struct peer *p)
{
    auth_parted(&world.d, p);
    world.gone = true;
}

static void meet(bool is_login)
{
    struct error err;
    int pair[2];

    MUST(ipc_pair(pair, &err) == 0);
    ipc_init(&world.far, pair[1], 1000);
    world.gone = false;
    peer_init(&world.peer.peer, &world.d.loop, pair[0],
              is_login ? "login" : "smtpd", 1, authd_rules, on_gone);
    auth_joined(&world.d, &world.peer.peer, NULL);
    memset(world.open, 0, sizeof world.open);
    world.right = 0;
    world.raw = false;
}

static void part(void)
{
    if (!world.gone)
        peer_close(&world.peer.peer);
    ipc_release(&world.far);
    for (size_t i = 0; i < WORKS; i++)
        MUST(world.works[i].work == NULL); /* all were cancelled */
}

static void set_up(void)
{
    struct error err;
    int pair[2];

    fuzz_configure(authd_params, &authd_conf,
                   "auth_failure_delay = 0\nauth_failure_delay_max = 0\n"
                   "scram_iterations = 4096\n");
    fuzz_quiet();
    MUST(scram_prepare(&err) == 0);
    loop_init(&world.d.loop);
    world.d.loop.turn = stop;
    MUST(ipc_pair(pair, &err) == 0);
    ipc_init(&world.master, pair[1], 1000);
    peer_init(&world.d.control, &world.d.loop, pair[0], "", 0,
              authd_master_rules, NULL);
}

/* --- what it is told --------------------------------------------------- */

enum { BEGIN, BEGIN_WITH, RESPOND, CANCEL, ASK_SENDER, ASK_NAME, RAW, WORK };

static void say(const struct ipc_type *type, const void *msg)
{
    struct error err;

    ipc_send(&world.far, type, msg, &err); /* it may have hung up */
}

static void begin(uint32_t ticket, bool with, unsigned which,
                  struct view data)
{
    static const char *const names[] = { "PLAIN", "login", "SCRAM-SHA-256",
                                         "SCRAM-SHA-256-PLUS", "NONE" };
    struct auth_begin b = {
        .ticket = ticket, .service = VIEW("imap"), .is_tls = which & 8,
        .mechanism = view_of(names[which % 5]), .has_initial = with,
        .client_address = VIEW("192.0.2.1"), .session = VIEW("s"),
        .data = with ? data : VIEW(""), .session_fd = -1,
        .session_role = VIEW("imapd"),
    };

    if (b.is_tls)
        b.exporter = b.endpoint = VIEW("bytes of TLS");
    world.open[ticket] = true;
    say(&auth_begin_type, &b);
}

static void tell(unsigned what, struct view data)
{
    uint32_t ticket = what >> 4 & 3;
    struct auth_response r = { ticket, data };
    struct auth_cancel c = { ticket };
    struct sender_ask s = { VIEW(ANN), data };
    struct directory_ask n = { data };

    switch (what & 7) {
    case BEGIN:
    case BEGIN_WITH:
        begin(ticket, (what & 7) == BEGIN_WITH,
              data.len ? (unsigned char)data.data[0] : 0,
              view_sub(data, 1, data.len));
        break;
    case RESPOND:
        say(&auth_response_type, &r);
        break;
    case CANCEL:
        say(&auth_cancel_type, &c);
        break;
    case ASK_SENDER:
        say(&sender_ask_type, &s);
        break;
    case ASK_NAME:
        say(&directory_ask_type, &n);
        break;
    case RAW:
        world.raw = true;
        if (data.len > 0)
            ipc_send_raw(world.far.fd, data, NULL, 0, MSG_DONTWAIT);
        break;
    default:
        finish_works();
        break;
    }
    settle();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (world.master.fd == 0)
        set_up();
    if (len == 0)
        return 0;
    meet(data[0] & 1);
    for (data++, len--; len >= 2 && !world.gone;) {
        struct view message = view_sub(fuzz_text(data, len), 2, 2 + data[1]);

        tell(data[0], message);
        data += 2 + message.len;
        len -= 2 + message.len;
    }
    finish_works();
    settle();
    part();
    return 0;
}
