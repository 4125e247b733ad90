/* SPDX-License-Identifier: BSD-2-Clause */
/* SMTP sessions: lines, recipients, content, chunks. The rest of the suite
 * takes everything. */
#include "cost_guest.h"

#include "smtpd/smtpd.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/others.h"

static void cleanup_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct mail_reply r = {
        .code = 250, .dsn = VIEW("2.0.0"), .text = VIEW("taken"),
        .queue_id = VIEW("0123456789ABCDEF"),
    };
    int id = ipc_id(p->bytes);

    if (id == mail_rcpt_type.id || id == mail_content_type.id)
        others_say(line, &mail_reply_type, &r);
}

static void mapd_answer(struct ipc *line, const struct ipc_packet *p)
{
    struct resolve_answer a = { .result = RESOLVE_OK,
                                .class = CLASS_VIRTUAL };

    (void)p;
    others_say(line, &resolve_answer_type, &a);
}

static void set_up(struct daemon *d)
{
    static const struct other others[] = {
        { "cleanup", cleanup_answer }, { "mapd", mapd_answer },
        { NULL, NULL },
    };

    fuzz_configure(smtpd_params, &smtpd_conf,
                   "myhostname = mx.one.example\n"
                   "smtpd_tls_security_level = none\n"
                   "smtpd_peername_lookup = no\n"
                   "smtpd_hard_error_limit = 1000\n"
                   "smtpd_soft_error_limit = 1000\n"
                   "smtpd_junk_command_limit = 1000\n"
                   "smtpd_recipient_limit = 10000\n");
    others_begin(d, -1, others);
    smtpd_prepare(d);
}

static size_t session(struct view in)
{
    size_t n = cost_session(set_up, smtpd_serve, in);

    ipc_release(&smtp_lines.cleanup);
    ipc_release(&smtp_lines.mapd);
    return n;
}

static void begin(struct buf *in)
{
    buf_add_text(in, "EHLO c.example\r\nMAIL FROM:<x@y.example>\r\n");
}

static void begin_data(struct buf *in)
{
    begin(in);
    buf_add_text(in, "RCPT TO:<a@one.example>\r\nDATA\r\nSubject: x\r\n");
}

static void make_line(struct buf *in, size_t n)
{
    cost_repeat(in, n, "x");
    buf_add_text(in, "\r\nQUIT\r\n");
}

static void make_commands(struct buf *in, size_t n)
{
    cost_repeat(in, n, "NOOP #\r\nEHLO x\r\nXYZ\r\n");
}

static void make_rcpts(struct buf *in, size_t n)
{
    begin(in);
    cost_repeat(in, n, "RCPT TO:<a#@one.example>\r\n");
}

static void make_fields(struct buf *in, size_t n)
{
    begin_data(in);
    cost_repeat(in, n, "Received: x#\r\n");
    buf_add_text(in, "\r\n.\r\nQUIT\r\n");
}

static void make_dots(struct buf *in, size_t n)
{
    begin_data(in);
    buf_add_text(in, "\r\n");
    cost_repeat(in, n, "..\r\n.#\r\n\r\n");
    buf_add_text(in, ".\r\nQUIT\r\n");
}

static void make_long(struct buf *in, size_t n)
{
    begin_data(in);
    buf_add_text(in, "\r\n");
    cost_repeat(in, n, ".x");
    buf_add_text(in, "\r\n.\r\nQUIT\r\n");
}

static void make_chunks(struct buf *in, size_t n)
{
    begin(in);
    buf_add_text(in, "RCPT TO:<a@one.example>\r\n");
    cost_repeat(in, n, "BDAT 5\r\na\r\n\r\n");
    buf_add_text(in, "BDAT 0 LAST\r\nQUIT\r\n");
}

static void make_path(struct buf *in, size_t n)
{
    buf_add_text(in, "EHLO x\r\nMAIL FROM:<");
    cost_repeat(in, n, "@a.b,");
    buf_add_text(in, "\"\\a\"@c> X=+41 Y=+41\r\nQUIT\r\n");
}

static const struct cost_case cases[] = {
    { "line", 10000, make_line, session, 0 },
    { "commands", 200, make_commands, session, 100 },
    { "recipients", 300, make_rcpts, session, 100 },
    { "fields", 500, make_fields, session, 0 },
    { "dots", 1000, make_dots, session, 0 },
    { "long line", 5000, make_long, session, 0 },
    { "chunks", 300, make_chunks, session, 100 },
    { "path", 300, make_path, session, 0 },
    { NULL, 0, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
    return cost_main(cases, argc, argv);
}
