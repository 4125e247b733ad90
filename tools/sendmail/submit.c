/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/sendmail/sendmail.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/esmtp.h"
#include "net/stream.h"
#include "tools/common/command.h"

#define SUBMIT_SOCKET "public/submit"
#define PATIENCE_MS   300000

static int connect_smtpd(void)
{
    int fd = command_connect(SUBMIT_SOCKET, SOCK_STREAM);

    /* 75: the caller keeps the message and tries again. */
    if (fd < 0)
        command_fail(EX_TEMPFAIL, "the mail system is down: %s",
                     strerrordesc_np(errno));
    return fd;
}

/* Read a reply of one or more lines; its code, and its last line in `text`. */
static unsigned read_reply(struct stream *smtp, struct buf *text)
{
    struct view line;
    enum stream_end end;
    struct error err;
    uint64_t code;

    do {
        if (stream_line(smtp, 2000, &line, &end, &err) != STREAM_LINE ||
            !view_number(view_sub(line, 0, 3), 599, &code))
            command_fail(EX_TEMPFAIL, "the mail system went away");
        buf_reset(text);
        buf_add_view(text, line);
    } while (line.len > 3 && line.data[3] == '-');
    return (unsigned)code;
}

static int exit_code(unsigned reply, int permanent)
{
    return reply / 100 == 4 ? EX_TEMPFAIL : permanent;
}

/* Say one command ("": nothing, the greeting is waited for); its reply's code,
 * and its last line in `text`. */
static unsigned ask(struct stream *smtp, const struct submission *s,
                    struct view line, struct buf *text)
{
    struct error err;
    unsigned reply;

    if (s->verbose && line.len > 0)
        fprintf(stderr, ">>> %.*s\n", VIEW_ARG(line));
    if (line.len > 0 && (stream_write(smtp, line, &err) < 0 ||
                         stream_write(smtp, VIEW("\r\n"), &err) < 0))
        command_fail(EX_TEMPFAIL, "%s", err.text);
    reply = read_reply(smtp, text);
    if (s->verbose)
        fprintf(stderr, "%s\n", buf_text(text));
    return reply;
}

/* The same, and exit when the reply is not of class 2 or 3. */
static void say(struct stream *smtp, const struct submission *s, int code,
                struct view line)
{
    struct buf text = BUF_INIT;
    unsigned reply = ask(smtp, s, line, &text);

    if (reply >= 400)
        command_fail(exit_code(reply, code), "%s", buf_text(&text));
    buf_release(&text);
}

/* Write an address as a path, completed with our domain; exits when it is
 * none. */
static void add_path(struct buf *out, const char *text, int code)
{
    char *origin = command_value("myorigin");
    struct address a;
    struct error err;

    if (address_parse(view_of(text), ADDRESS_SMTPUTF8 | ADDRESS_LONG |
                      ADDRESS_NULL | ADDRESS_LOCAL_ONLY, &a, &err) < 0)
        command_fail(code, "%s: %s", text, err.text);
    buf_add_char(out, '<');
    address_format(out, &a);
    if (!a.null && a.domain_len == 0)
        buf_addf(out, "@%s", origin);
    buf_add_char(out, '>');
    free(origin);
}

static void send_sender(struct stream *smtp, const struct submission *s)
{
    struct buf line = BUF_INIT;
    bool utf8 = utf8_has_high(view_of(s->sender));

    for (size_t i = 0; i < s->n_rcpts; i++)
        utf8 = utf8 || utf8_has_high(view_of(s->rcpts[i]));
    buf_add_text(&line, "MAIL FROM:");
    add_path(&line, s->sender, EX_USAGE);
    buf_addf(&line, " SIZE=%zu%s%s", s->text.len,
             utf8_has_high(buf_view(&s->text)) ? " BODY=8BITMIME" : "",
             utf8 ? " SMTPUTF8" : "");
    if (s->ret != NULL)
        buf_addf(&line, " RET=%s", s->ret);
    if (s->envid != NULL) {
        buf_add_text(&line, " ENVID=");
        esmtp_xtext_encode(&line, view_of(s->envid));
    }
    say(smtp, s, EX_NOPERM, buf_view(&line));
    buf_release(&line);
}

static unsigned ask_rcpt(struct stream *smtp, const struct submission *s,
                         const char *rcpt, struct buf *text)
{
    struct buf line = BUF_INIT;
    unsigned reply;

    buf_add_text(&line, "RCPT TO:");
    add_path(&line, rcpt, EX_USAGE);
    if (s->notify != NULL)
        buf_addf(&line, " NOTIFY=%s", s->notify);
    reply = ask(smtp, s, buf_view(&line), text);
    buf_release(&line);
    return reply;
}

static void send_rcpts(struct stream *smtp, const struct submission *s)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < s->n_rcpts; i++) {
        unsigned reply = ask_rcpt(smtp, s, s->rcpts[i], &text);

        if (reply >= 400)
            command_fail(exit_code(reply, EX_NOUSER), "%s", buf_text(&text));
    }
    buf_release(&text);
}

/* Tell what would become of each recipient; the exit code is the last bad
 * one's. */
static int verify_rcpts(struct stream *smtp, const struct submission *s)
{
    struct buf text = BUF_INIT;
    int code = 0;

    for (size_t i = 0; i < s->n_rcpts; i++) {
        unsigned reply = ask_rcpt(smtp, s, s->rcpts[i], &text);

        printf("%s... %s\n", s->rcpts[i],
               reply < 400 ? "deliverable" : buf_text(&text));
        if (reply >= 400)
            code = exit_code(reply, EX_NOUSER);
    }
    buf_release(&text);
    return code;
}

static void send_text(struct stream *smtp, const struct submission *s)
{
    struct view rest = buf_view(&s->text), line;
    struct error err;
    int rc = 0;

    while (rc == 0 && rest.len > 0) {
        size_t at = view_index(rest, '\n');

        line = view_sub(rest, 0, at + 1);
        rest = view_sub(rest, at + 1, rest.len);
        if (line.data[0] == '.')
            rc = stream_write(smtp, VIEW("."), &err);
        if (rc == 0)
            rc = stream_write(smtp, line, &err);
    }
    if (rc < 0)
        command_fail(EX_TEMPFAIL, "%s", err.text);
}

int submit(struct submission *s)
{
    struct stream smtp;

    if (s->n_rcpts == 0)
        command_fail(EX_USAGE, "Recipient addresses must be specified on the "
                     "command line or via the -t option");
    stream_init(&smtp, connect_smtpd(), PATIENCE_MS);
    say(&smtp, s, EX_UNAVAILABLE, VIEW(""));
    say(&smtp, s, EX_UNAVAILABLE, VIEW("EHLO localhost"));
    send_sender(&smtp, s);
    if (s->verify_only) {
        int code = verify_rcpts(&smtp, s);

        stream_release(&smtp);
        return code;
    }
    send_rcpts(&smtp, s);
    say(&smtp, s, EX_UNAVAILABLE, VIEW("DATA"));
    send_text(&smtp, s);
    say(&smtp, s, EX_UNAVAILABLE, VIEW("."));
    say(&smtp, s, EX_UNAVAILABLE, VIEW("QUIT"));
    stream_release(&smtp);
    return 0;
}

/* Copy what there is from one to the other; false at the end. */
static bool pass_on(int from, int to)
{
    char data[16384];
    struct error err;
    ssize_t n = read(from, data, sizeof data);

    return n > 0 && io_write_all(to, data, (size_t)n, "", &err) == 0;
}

int submit_smtp(void)
{
    int fd = connect_smtpd();
    struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                           { .fd = fd, .events = POLLIN } };

    while (poll(p, 2, -1) >= 0 || errno == EINTR) {
        if (p[1].revents && !pass_on(fd, STDOUT_FILENO))
            break;
        if (p[0].revents && !pass_on(STDIN_FILENO, fd)) {
            shutdown(fd, SHUT_WR);
            p[0].fd = -1;
        }
    }
    close(fd);
    return 0;
}
