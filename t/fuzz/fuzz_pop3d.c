/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POP3 sessions over a maildrop whose first message is in the input: up to a
 * NUL it is the message, then come the client's commands.
 *
 * What must hold: each answer is one, and the message that RETR sends is the
 * file's, with its line ends made CRLF and its dots doubled, whatever was in
 * it. A second session with the commands QUIT alone leaves a mailbox that can
 * be opened.
 */
#include "pop3d/pop3d.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/others.h"

static void notify_answer(struct ipc *line, const struct ipc_packet *p)
{
    (void)line;
    MUST(ipc_id(p->bytes) >= 0);
}

static const struct other others[] = {
    { "notify", notify_answer }, { NULL, NULL },
};

/* --- a message as RETR sends it ---------------------------------------- */

/* Line by line: the CR before the LF is not the line's, a dot in front is
 * doubled; a last line without an end gets one. */
static void sent_as(struct buf *out, struct view text)
{
    while (text.len > 0) {
        size_t end = view_index(text, '\n');
        struct view line = view_sub(text, 0, end);

        if (end < text.len && view_ends(line, "\r"))
            line.len--;
        if (view_starts(line, "."))
            buf_add_char(out, '.');
        buf_add_view(out, line);
        buf_add_text(out, "\r\n");
        text = view_sub(text, end + 1, text.len);
    }
    buf_add_text(out, ".\r\n");
}

static void put_message(const char *name, struct view text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0);
    MUST(write(fd, text.data, text.len) == (ssize_t)text.len);
    close(fd);
}

/* --- sessions ---------------------------------------------------------- */

static void session(struct daemon *d, struct view says, struct buf *heard)
{
    struct client c = { .account = "ann@one.example", .session = "fuzz",
                        .fd = guest_begin(says, GUEST_LINES) };

    pop3d_serve(d, &c);
    MUST(c.fd == -1 && c.authenticated);
    buf_add_view(heard, guest_heard());
    guest_end();
}

static void check_retr(struct daemon *d, struct view message)
{
    struct buf heard = BUF_INIT, expected = BUF_INIT;
    struct view rest, greeting, ok;

    session(d, VIEW("RETR 1\r\n"), &heard);
    rest = buf_view(&heard);
    MUST(view_cut(&rest, '\n', &greeting) && view_starts(greeting, "+OK"));
    MUST(view_cut(&rest, '\n', &ok) && view_starts(ok, "+OK"));
    sent_as(&expected, message);
    MUST(view_eq(rest, buf_view(&expected)));
    buf_release(&heard);
    buf_release(&expected);
}

/* TOP's answer is the beginning of RETR's. */
static void check_top(struct daemon *d)
{
    struct buf all = BUF_INIT, part = BUF_INIT;
    struct view a, p;

    session(d, VIEW("RETR 1\r\n"), &all);
    session(d, VIEW("TOP 1 2\r\n"), &part);
    a = buf_view(&all);
    p = buf_view(&part);
    MUST(view_ends(p, "\r\n.\r\n") && a.len >= p.len);
    MUST(memcmp(a.data, p.data, p.len - 3) == 0);
    buf_release(&all);
    buf_release(&part);
}

static void make_drop(struct view message)
{
    fuzz_clear();
    MUST(mkdir("tmp", 0700) == 0 && mkdir("new", 0700) == 0 &&
         mkdir("cur", 0700) == 0);
    put_message("cur/1.first:2,", message);
    put_message("new/2.second", VIEW("A: b\n\nc\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct daemon d;
    struct view rest = fuzz_text(data, len), message;
    struct buf heard = BUF_INIT;

    if (d.control_line.fd == 0) {
        fuzz_configure(pop3d_params, &pop3d_conf, "");
        d.root = fuzz_directory();
        others_begin(&d, -1, others);
        pop3d_prepare(&d);
    }
    if (len > 20000)
        return 0;
    view_cut(&rest, '\0', &message);
    make_drop(message);
    if (rest.data == NULL) {
        check_retr(&d, message);
        check_top(&d);
        return 0;
    }
    session(&d, rest, &heard);
    MUST(view_starts(buf_view(&heard), "+OK Logged in.\r\n"));
    MUST(view_ends(buf_view(&heard), "\r\n"));
    buf_reset(&heard);
    session(&d, VIEW("STAT\r\nQUIT\r\n"), &heard);
    MUST(view_starts(buf_view(&heard), "+OK Logged in.\r\n+OK "));
    buf_release(&heard);
    others_settle();
    fuzz_closed_all();
    return 0;
}
