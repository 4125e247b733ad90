/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP before authentication (RFC 3501 §6.1, §6.2; RFC 2971, 4959, 7888). */
#include "base/ascii.h"
#include "base/encode.h"
#include "login/login.h"
#include "sasl/mechanism.h"
#include "proto/imap.h"

#define COMMAND_MAX 8192 /* bytes, literals counted */
#define LITERAL_MAX 2048
#define TEXT_MAX    1024 /* of a name or password */

struct command {
    const char *verb;
    void (*run)(struct login_client *c, struct view args);
};

static void reply(struct login_client *c, const char *text)
{
    client_say(c, "%s %s\r\n", c->tag, text);
}

static bool bad(struct login_client *c, const char *why)
{
    client_say(c, "%s BAD %s\r\n", c->tag[0] ? c->tag : "*", why);
    return client_bad(c);
}

/* --- the parts of a command -------------------------------------------- */

/* "{n}" or, of a client that does not wait for us, "{n+}" at a line's end. */
static bool ends_in_literal(struct view line, uint64_t *size, bool *waits)
{
    size_t open = view_rindex(line, '{');
    struct view number = view_sub(line, open + 1, line.len - 1);

    if (!view_ends(line, "}") || open == line.len)
        return false;
    *waits = !view_ends(number, "+");
    if (!*waits)
        number.len--;
    return view_number(number, UINT32_MAX, size);
}

/* The whole of the next command, its literals among it: 1, 0 when not all of
 * it has come, -1 when it is too long. */
static int collect(struct login_client *c, struct view *cmd, size_t *total)
{
    struct view in = stream_input(&c->stream);
    size_t at = 0;

    for (size_t n = 0; at <= in.len; n++) {
        size_t end = at + view_index(view_sub(in, at, in.len), '\n');
        uint64_t size;
        bool waits;

        if (end >= in.len || end > COMMAND_MAX)
            break;
        *cmd = view_sub(in, 0, end > at && in.data[end - 1] == '\r' ? end - 1
                                                                    : end);
        *total = end + 1;
        if (!ends_in_literal(view_sub(*cmd, at, cmd->len), &size, &waits))
            return 1;
        if (size > LITERAL_MAX)
            return -1;
        if (waits && n >= c->prompted) {
            client_say(c, "+ OK\r\n");
            c->prompted = n + 1;
        }
        at = end + 1 + (size_t)size;
    }
    return in.len > COMMAND_MAX ? -1 : 0;
}

static bool is_atom_char(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c != 0x7f &&
           strchr("(){%*\"\\", c) == NULL;
}

static bool take_literal(struct view *rest, struct buf *out)
{
    size_t end = view_index(*rest, '\n');
    struct view line = view_sub(*rest, 0, end);
    uint64_t size;
    bool waits;

    if (end == rest->len)
        return false;
    if (view_ends(line, "\r"))
        line.len--;
    if (!ends_in_literal(line, &size, &waits) || size > rest->len - end - 1)
        return false;
    buf_add_view(out, view_sub(*rest, end + 1, end + 1 + (size_t)size));
    *rest = view_sub(*rest, end + 1 + (size_t)size, rest->len);
    return true;
}

static bool take_quoted(struct view *rest, struct buf *out)
{
    for (size_t i = 1; i < rest->len; i++) {
        if (rest->data[i] == '"') {
            *rest = view_sub(*rest, i + 1, rest->len);
            return true;
        }
        if (rest->data[i] == '\\' && ++i >= rest->len)
            return false;
        buf_add_char(out, rest->data[i]);
    }
    return false;
}

/* An astring (RFC 3501 §9), and the blank before it. */
static bool take_string(struct view *rest, struct buf *out)
{
    if (rest->len < 2 || rest->data[0] != ' ')
        return false;
    *rest = view_sub(*rest, 1, rest->len);
    if (rest->data[0] == '"')
        return take_quoted(rest, out) && out->len <= TEXT_MAX;
    if (rest->data[0] == '{')
        return take_literal(rest, out) && out->len <= TEXT_MAX;
    while (rest->len > 0 && is_atom_char(rest->data[0])) {
        buf_add_char(out, rest->data[0]);
        *rest = view_sub(*rest, 1, rest->len);
    }
    return out->len > 0 && out->len <= TEXT_MAX;
}

/* --- commands ---------------------------------------------------------- */

static void add_capabilities(const struct login_client *c, struct buf *out)
{
    buf_add_text(out, IMAP_LOGIN_CAPABILITIES);
    if (!c->is_tls && login_has_tls())
        buf_add_text(out, " STARTTLS");
    if (!client_may_login(c))
        buf_add_text(out, " LOGINDISABLED");
    else
        mechanism_add(out, login_conf.login_mechanisms, c->is_tls, " AUTH=",
                      "");
}

static void imap_greet(struct login_client *c)
{
    struct buf caps = BUF_INIT;

    add_capabilities(c, &caps);
    client_say(c, "* OK [CAPABILITY %s] %s\r\n", buf_text(&caps),
               login_conf.login_greeting);
    buf_release(&caps);
}

static void cmd_capability(struct login_client *c, struct view args)
{
    struct buf caps = BUF_INIT;

    (void)args;
    add_capabilities(c, &caps);
    client_say(c, "* CAPABILITY %s\r\n", buf_text(&caps));
    reply(c, "OK Capabilities listed.");
    buf_release(&caps);
}

static void cmd_noop(struct login_client *c, struct view args)
{
    (void)args;
    reply(c, "OK NOOP completed.");
}

static void cmd_id(struct login_client *c, struct view args)
{
    (void)args;
    client_say(c, "* ID " IMAP_ID "\r\n");
    reply(c, "OK ID completed.");
}

static void cmd_logout(struct login_client *c, struct view args)
{
    (void)args;
    client_leave(c, "Logged out");
    reply(c, "OK Logout completed.");
}

static void cmd_starttls(struct login_client *c, struct view args)
{
    if (args.len > 0) {
        bad(c, "STARTTLS takes no arguments.");
    } else if (c->is_tls) {
        bad(c, "TLS is already active.");
    } else if (!login_has_tls()) {
        reply(c, "NO [UNAVAILABLE] TLS is not available.");
    } else {
        reply(c, "OK Begin TLS negotiation now.");
        c->starttls = true;
    }
}

static bool may_login(struct login_client *c, const char *mechanism)
{
    if (!client_may_login(c))
        reply(c, "NO [PRIVACYREQUIRED] Passwords are taken only in TLS.");
    else if (!mechanism_is_offered(login_conf.login_mechanisms,
                                   view_of(mechanism), c->is_tls))
        reply(c, "NO [CANNOT] That mechanism is not offered.");
    else
        return true;
    return false;
}

/* LOGIN is AUTHENTICATE PLAIN in other words (RFC 4616 §2). */
static void cmd_login(struct login_client *c, struct view args)
{
    struct buf name = BUF_INIT, password = BUF_INIT, message = BUF_INIT;

    if (!take_string(&args, &name) || !take_string(&args, &password) ||
        args.len > 0) {
        bad(c, "LOGIN takes a name and a password.");
    } else if (may_login(c, "PLAIN")) {
        buf_add_char(&message, '\0');
        buf_add_view(&message, buf_view(&name));
        buf_add_char(&message, '\0');
        buf_add_view(&message, buf_view(&password));
        auth_start(c, VIEW("PLAIN"), true, buf_view(&message));
    }
    buf_release(&name);
    buf_wipe(&password);
    buf_wipe(&message);
}

static void cmd_authenticate(struct login_client *c, struct view args)
{
    struct buf initial = BUF_INIT;
    struct view mechanism, text = VIEW(""), more;
    char name[33];
    bool has;

    if (!view_word(&args, " ", &mechanism) ||
        !view_copy(mechanism, name, sizeof name)) {
        bad(c, "AUTHENTICATE takes a mechanism.");
        return;
    }
    has = view_word(&args, " ", &text); /* RFC 4959 */
    if (view_word(&args, " ", &more) ||
        (has && !view_is(text, "=") && decode_base64(&initial, text) < 0) ||
        initial.len > AUTH_DATA_MAX)
        bad(c, "The initial response is not base64.");
    else if (may_login(c, name))
        auth_start(c, mechanism, has, buf_view(&initial));
    buf_wipe(&initial);
}

static const struct command commands[] = {
    { "CAPABILITY", cmd_capability },
    { "NOOP", cmd_noop },
    { "ID", cmd_id },
    { "LOGOUT", cmd_logout },
    { "STARTTLS", cmd_starttls },
    { "LOGIN", cmd_login },
    { "AUTHENTICATE", cmd_authenticate },
};

static void dispatch(struct login_client *c, struct view cmd)
{
    size_t blank = view_index(cmd, ' ');
    struct view tag = view_sub(cmd, 0, blank), verb, args;
    bool good = tag.len > 0;

    for (size_t i = 0; i < tag.len; i++)
        good = good && is_atom_char(tag.data[i]) && tag.data[i] != '+';
    c->tag[0] = '\0';
    if (!good || !view_copy(tag, c->tag, sizeof c->tag)) {
        bad(c, "A command begins with a tag.");
        return;
    }
    cmd = view_sub(cmd, blank + 1, cmd.len);
    verb = view_sub(cmd, 0, view_index(cmd, ' '));
    args = view_sub(cmd, verb.len, cmd.len);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (view_is_nocase(verb, commands[i].verb)) {
            commands[i].run(c, args);
            return;
        }
    }
    bad(c, "That is no command before the login.");
}

static bool imap_command(struct login_client *c)
{
    struct view cmd;
    size_t total;
    int rc = collect(c, &cmd, &total);

    if (rc < 0)
        client_leave(c, "Command too long");
    if (rc <= 0)
        return false;
    c->prompted = 0;
    stream_took(&c->stream, total);
    if (stream_is_http(cmd))
        client_leave(c, "Not a mail client");
    else if (memchr(cmd.data, '\0', cmd.len) != NULL)
        bad(c, "A NUL byte.");
    else
        dispatch(c, cmd);
    return true;
}

/* --- authentication ---------------------------------------------------- */

static void imap_accepted(struct login_client *c)
{
    client_say(c, "%s OK [CAPABILITY " IMAP_CAPABILITIES "] Logged in\r\n",
               c->tag);
}

static void imap_refused(struct login_client *c, enum auth_result why)
{
    switch (why) {
    case AUTH_MALFORMED:
        reply(c, "BAD Authentication ended, or not understood.");
        return;
    case AUTH_LATER:
        reply(c, "NO [UNAVAILABLE] Temporary authentication failure.");
        return;
    case AUTH_TOO_MANY:
        reply(c, "NO [UNAVAILABLE] Too many failed logins; try again later.");
        return;
    case AUTH_NO_MECHANISM:
        reply(c, "NO [CANNOT] That mechanism is not offered.");
        return;
    default:
        reply(c, "NO [AUTHENTICATIONFAILED] Authentication failed.");
        return;
    }
}

static void imap_bye(struct login_client *c, const char *why)
{
    client_say(c, "* BYE %s\r\n", why);
}

const struct protocol imap_protocol = {
    "imap", "imapd", imap_greet, imap_command, imap_accepted, imap_refused,
    imap_bye,
};
