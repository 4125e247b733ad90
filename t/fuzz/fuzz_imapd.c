/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IMAP sessions, whole: what an authenticated client says to imapd, over a
 * mailbox of three messages and one more mailbox.
 *
 * The first byte says how the text is cut into pieces. What must hold: all
 * that is heard are responses, with the literals they announce; and behind
 * every session is a store that can be opened, with the messages in the order
 * of their UIDs and nothing in its index that is not on the disk.
 */
#include "imapd/imapd.h"

#include <unistd.h>

#include "base/ascii.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/guest.h"
#include "t/fuzz/mail.h"
#include "t/fuzz/others.h"

static void notify_answer(struct ipc *line, const struct ipc_packet *p)
{
    (void)line;
    MUST(ipc_id(p->bytes) >= 0);
}

static const struct other others[] = {
    { "notify", notify_answer }, { NULL, NULL },
};

/* --- what is heard ----------------------------------------------------- */

/* "{12}" at the end of a line: 12 bytes follow. */
static bool announces(struct view line, size_t *size)
{
    size_t open = view_rindex(line, '{');
    uint64_t n;

    if (!view_ends(line, "}") || open == line.len ||
        !view_number(view_sub(line, open + 1, line.len - 1), SIZE_MAX, &n))
        return false;
    *size = (size_t)n;
    return true;
}

/* Take a response off: its lines, and the literals between them. */
static void take_response(struct view *rest)
{
    struct view line, first = VIEW("");
    size_t literal = 0;
    bool more = true;

    while (more) {
        MUST(view_cut(rest, '\n', &line) && rest->data != NULL);
        MUST(view_ends(line, "\r"));
        line.len--;
        for (size_t i = 0; i < line.len; i++)
            MUST(!ascii_is_control(line.data[i]));
        if (first.len == 0)
            first = line;
        more = announces(line, &literal);
        MUST(!more || literal <= rest->len);
        *rest = view_sub(*rest, more ? literal : 0, rest->len);
    }
    MUST(view_index(first, ' ') < first.len && first.data[0] != ' ');
}

/* --- the store --------------------------------------------------------- */

static void check_box(struct store *s, const char *name)
{
    enum store_why why;
    struct error err;
    struct mailbox *m = mailbox_open(s, view_of(name), true, &why, &err);

    MUST(m != NULL || why == STORE_MISSING);
    if (m != NULL)
        mail_check(m);
    mailbox_close(&m);
}

static void check_store(void)
{
    struct store *s = mail_open();

    MUST(s != NULL);
    check_box(s, "INBOX");
    check_box(s, "Work");
    store_close(&s);
    MUST(access("index.damaged", F_OK) < 0);
}

/* --- the session ------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct daemon d;
    struct client c = { .account = "ann@one.example", .session = "fuzz" };
    struct view heard;

    if (d.control_line.fd == 0) {
        fuzz_configure(imapd_params, &imapd_conf,
                       "message_size_limit = 3000\n"
                       "imap_line_length = 8192\n");
        d.root = fuzz_directory();
        others_begin(&d, -1, others);
        imapd_prepare(&d);
    }
    if (len == 0 || len > 8192)
        return 0;
    mail_make();
    c.fd = guest_begin(fuzz_text(data + 1, len - 1),
                       data[0] & 1 ? GUEST_MARKED : GUEST_LINES);
    imapd_serve(&d, &c);
    heard = guest_heard();
    while (heard.len > 0)
        take_response(&heard);
    guest_end();
    check_store();
    others_settle();
    fuzz_closed_all();
    return 0;
}
