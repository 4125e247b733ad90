/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients before they are known: login's IMAP and POP3, in its own loop.
 *
 * The first byte chooses the protocol, whether passwords may be sent in clear
 * and how the text is cut into pieces. authd lets in whose message says
 * "right", asks for more at "more" and goes away at "gone". Who is let in
 * hears a session say hello.
 *
 * What must hold: every client comes to an end; what it hears are lines; it
 * hears a session only after authd let it in.
 */
#include "login/login.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/ascii.h"
#include "service/internal.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/others.h"

#define HELLO "* a session says hello\r\n"

enum { POP3 = 1, BY_MARKS = 2, WHOLE = 4, TLS_ONLY = 8 };

static struct {
    bool let_in;
    unsigned turns, turns_max;
} state;

/* --- authd ------------------------------------------------------------- */

static bool has(struct view v, const char *word)
{
    return memmem(v.data, v.len, word, strlen(word)) != NULL;
}

static void done(struct ipc *line, uint32_t ticket, struct view data)
{
    struct auth_done d = {
        .ticket = ticket,
        .result = has(data, "right") ? AUTH_OK
                  : has(data, "many") ? AUTH_TOO_MANY
                  : has(data, "later") ? AUTH_LATER
                  : has(data, "bad") ? AUTH_MALFORMED
                                     : AUTH_WRONG,
        .account = VIEW("ann@one.example"),
        .name = VIEW("ann"),
    };

    state.let_in = state.let_in || d.result == AUTH_OK;
    others_say(line, &auth_done_type, &d);
}

static void go_on(struct ipc *line, uint32_t ticket, struct view data)
{
    struct auth_challenge c = { ticket, VIEW("more?") };

    if (has(data, "gone"))
        ipc_release(line);
    else if (has(data, "junk"))
        others_babble(line);
    else if (has(data, "more"))
        others_say(line, &auth_challenge_type, &c);
    else
        done(line, ticket, data);
}

static void authd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct auth_begin b;
    struct auth_response r;

    if (ipc_id(p->bytes) == auth_begin_type.id) {
        others_decode(p, &auth_begin_type, &b);
        MUST(b.session_fd >= 0 && !b.is_tls);
        MUST(view_is(b.session_role, "imapd") ||
             view_is(b.session_role, "pop3d"));
        if (has(b.data, "right"))
            MUST(write(b.session_fd, HELLO, sizeof HELLO - 1) > 0);
        go_on(line, b.ticket, b.has_initial ? b.data : VIEW("more"));
    } else if (ipc_id(p->bytes) == auth_response_type.id) {
        others_decode(p, &auth_response_type, &r);
        go_on(line, r.ticket, r.data);
    } else {
        MUST(ipc_id(p->bytes) == auth_cancel_type.id);
    }
}

static const struct other others[] = {
    { "authd", authd_answer }, { NULL, NULL },
};

/* --- the loop ---------------------------------------------------------- */

/* Runs once: what is asked of master at the start is answered in later
 * turns. */
static void start(struct daemon *d)
{
    login_start(d);
    loop_stop(&d->loop);
}

static const struct service service = {
    .name = "login", .start = start, .waits_for_files = true,
};

static void turn(struct loop *l, void *arg)
{
    (void)arg;
    guest_turn();
    MUST(++state.turns < state.turns_max);
    if (login.n_clients == 0)
        loop_stop(l);
}

static void set_up(struct daemon *d)
{
    fuzz_configure(login_params, &login_conf,
                   "login_mechanisms = PLAIN LOGIN SCRAM-SHA-256 "
                   "SCRAM-SHA-256-PLUS\n");
    /* What was inherited under master's numbers is nobody's. */
    MUST(close_range(FD_CONTROL, FD_LISTEN, 0) == 0);
    MUST(open("/dev/null", O_RDONLY | O_CLOEXEC) == FD_CONTROL);
    others_begin(d, FD_CONTROL, others);
    d->service = &service;
    list_init(&d->joins);
    list_init(&d->peers);
    loop_init(&d->loop);
    login_prepare(d);
    hub_run(d);
    d->loop.turn = turn;
}

/* --- what is heard ----------------------------------------------------- */

static void check_heard(struct view heard)
{
    struct view line;

    MUST(heard.len == 0 || view_ends(heard, "\r\n"));
    MUST(state.let_in || !has(heard, "a session says hello"));
    while (view_cut(&heard, '\n', &line) && heard.data != NULL) {
        MUST(view_ends(line, "\r"));
        for (size_t i = 0; i + 1 < line.len; i++)
            MUST(!ascii_is_control(line.data[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct daemon d;
    unsigned how;

    if (d.service == NULL)
        set_up(&d);
    if (len == 0)
        return 0;
    how = data[0];
    login_conf.login_protocol = how & POP3 ? LOGIN_POP3 : LOGIN_IMAP;
    login_conf.disable_plaintext_auth = how & TLS_ONLY;
    state.let_in = false;
    state.turns = 0;
    state.turns_max = 1000 + 20 * (unsigned)len;
    login.n_clients++;
    client_start(guest_begin(fuzz_text(data + 1, len - 1),
                             how & BY_MARKS ? GUEST_MARKED
                             : how & WHOLE  ? GUEST_WHOLE
                                            : GUEST_LINES));
    loop_run(&d.loop);
    check_heard(guest_heard());
    guest_end();
    others_settle();
    fuzz_closed_all();
    return 0;
}
