/* SPDX-License-Identifier: BSD-2-Clause */
/* POP3 before authentication (RFC 1939 §4, 2449, 2595, 3206, 5034). */
#include "base/encode.h"
#include "login/login.h"
#include "sasl/mechanism.h"

#define LINE_LIMIT 16500 /* AUTH with an initial response; else 255 */

struct command {
    const char *verb;
    void (*run)(struct login_client *c, struct view args);
};

static void bad(struct login_client *c, const char *why)
{
    client_say(c, "-ERR %s\r\n", why);
    client_bad(c);
}

static void pop3_greet(struct login_client *c)
{
    client_say(c, "+OK %s\r\n", login_conf.login_greeting);
}

static void cmd_capa(struct login_client *c, struct view args)
{
    struct buf names = BUF_INIT;

    (void)args;
    client_say(c, "+OK Capability list follows\r\nCAPA\r\nTOP\r\nUIDL\r\n"
               "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
    if (!c->is_tls && login_has_tls())
        client_say(c, "STLS\r\n");
    if (client_may_login(c)) {
        mechanism_add(&names, login_conf.login_mechanisms, c->is_tls, " ",
                      "");
        client_say(c, "USER\r\nSASL%s\r\n", buf_text(&names));
        buf_release(&names);
    }
    client_say(c, ".\r\n");
}

static void cmd_stls(struct login_client *c, struct view args)
{
    if (args.len > 0) {
        bad(c, "STLS takes no arguments");
    } else if (c->is_tls) {
        bad(c, "TLS is already active");
    } else if (!login_has_tls()) {
        client_say(c, "-ERR [SYS/TEMP] TLS is not available\r\n");
    } else {
        client_say(c, "+OK Begin TLS negotiation now\r\n");
        c->starttls = true;
    }
}

static bool may_login(struct login_client *c, struct view mechanism)
{
    if (!client_may_login(c))
        client_say(c, "-ERR [AUTH] Passwords are taken only in TLS\r\n");
    else if (!mechanism_is_offered(login_conf.login_mechanisms, mechanism,
                                   c->is_tls))
        client_say(c, "-ERR That mechanism is not offered\r\n");
    else
        return true;
    return false;
}

/* The answer tells nothing about the name. */
static void cmd_user(struct login_client *c, struct view args)
{
    if (!may_login(c, VIEW("PLAIN")))
        return;
    if (args.len == 0 || !view_copy(args, c->name, sizeof c->name))
        bad(c, "USER takes a name");
    else
        client_say(c, "+OK\r\n");
}

static void cmd_pass(struct login_client *c, struct view args)
{
    struct buf message = BUF_INIT;

    if (c->name[0] == '\0') {
        bad(c, "No name was given");
    } else if (may_login(c, VIEW("PLAIN"))) {
        buf_add_char(&message, '\0');
        buf_add_text(&message, c->name);
        buf_add_char(&message, '\0');
        buf_add_view(&message, args); /* blanks are part of it (§7) */
        auth_start(c, VIEW("PLAIN"), true, buf_view(&message));
    }
    buf_wipe(&message);
}

static void list_mechanisms(struct login_client *c)
{
    struct buf names = BUF_INIT;

    mechanism_add(&names, login_conf.login_mechanisms, c->is_tls, "", "\r\n");
    client_say(c, "+OK\r\n%s.\r\n", buf_text(&names));
    buf_release(&names);
}

static void cmd_auth(struct login_client *c, struct view args)
{
    struct buf initial = BUF_INIT;
    struct view mechanism, text = VIEW(""), more;
    bool has;

    if (!view_word(&args, " ", &mechanism)) {
        list_mechanisms(c);
        return;
    }
    has = view_word(&args, " ", &text);
    if (view_word(&args, " ", &more) ||
        (has && !view_is(text, "=") && decode_base64(&initial, text) < 0) ||
        initial.len > AUTH_DATA_MAX)
        bad(c, "The initial response is not base64");
    else if (may_login(c, mechanism))
        auth_start(c, mechanism, has, buf_view(&initial));
    buf_wipe(&initial);
}

static void cmd_quit(struct login_client *c, struct view args)
{
    (void)args;
    client_leave(c, "Logged out");
}

static const struct command commands[] = {
    { "CAPA", cmd_capa }, { "STLS", cmd_stls }, { "USER", cmd_user },
    { "PASS", cmd_pass }, { "AUTH", cmd_auth }, { "QUIT", cmd_quit },
};

static void dispatch(struct login_client *c, struct view line)
{
    struct view verb = view_sub(line, 0, view_index(line, ' '));
    struct view args = view_sub(line, verb.len + 1, line.len);

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (view_is_nocase(verb, commands[i].verb)) {
            commands[i].run(c, args);
            return;
        }
    }
    if (stream_is_http(line))
        client_leave(c, "Not a mail client");
    else
        bad(c, "That is no command before the login");
}

static bool pop3_command(struct login_client *c)
{
    struct view line;
    enum stream_end end;

    switch (stream_next_line(&c->stream, LINE_LIMIT, &line, &end)) {
    case STREAM_LINE:
        break;
    case STREAM_LONG:
        client_leave(c, "Line too long");
        return false;
    default:
        return false;
    }
    if (memchr(line.data, '\0', line.len) != NULL)
        bad(c, "A NUL byte");
    else
        dispatch(c, line);
    return true;
}

/* The session answers, when it has its mailbox (RFC 3206: or not). */
static void pop3_accepted(struct login_client *c)
{
    (void)c;
}

static void pop3_refused(struct login_client *c, enum auth_result why)
{
    if (why == AUTH_LATER)
        client_say(c, "-ERR [SYS/TEMP] Temporary authentication failure\r\n");
    else if (why == AUTH_TOO_MANY)
        client_say(c, "-ERR [SYS/TEMP] Too many failed logins; try again "
                   "later\r\n");
    else if (why == AUTH_NO_MECHANISM)
        client_say(c, "-ERR That mechanism is not offered\r\n");
    else if (why == AUTH_MALFORMED)
        client_say(c, "-ERR Authentication ended, or not understood\r\n");
    else
        client_say(c, "-ERR [AUTH] Authentication failed.\r\n");
}

static void pop3_bye(struct login_client *c, const char *why)
{
    client_say(c, "%s %s\r\n", strcmp(why, "Logged out") == 0 ? "+OK"
                                                                : "-ERR",
               why);
}

const struct protocol pop3_protocol = {
    "pop3", "pop3d", pop3_greet, pop3_command, pop3_accepted, pop3_refused,
    pop3_bye,
};
