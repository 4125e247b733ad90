/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/sendmail/sendmail.h"

#include <sysexits.h>

#include "base/alloc.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"
#include "tools/common/command.h"

/* Lines of any kind in, lines with CRLF out; a NUL cannot be mail. */
void message_read(struct submission *s)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) >= 0) {
        struct view v = { line, (size_t)n };

        if (v.len > 0 && v.data[v.len - 1] == '\n')
            v.len--;
        if (v.len > 0 && v.data[v.len - 1] == '\r')
            v.len--;
        if (!s->ignore_dots && view_is(v, "."))
            break;
        for (size_t i = 0; i < v.len; i++)
            if (v.data[i] == '\0' || v.data[i] == '\r')
                line[i] = ' ';
        buf_add_view(&s->text, v);
        buf_add_text(&s->text, "\r\n");
    }
    free(line);
    if (ferror(stdin))
        command_fail(EX_IOERR, "cannot read the message");
}

static void add_rcpt(struct submission *s, char *address)
{
    s->rcpts = alloc_resize(s->rcpts, s->n_rcpts + 1, sizeof *s->rcpts);
    s->rcpts[s->n_rcpts++] = address;
}

static void add_list(struct submission *s, struct view value)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;

    mailbox_list_parse(&l, value, MAILBOX_LIST_MAX);
    for (size_t i = 0; i < l.count; i++) {
        struct view local = mailbox_list_text(&l, l.list[i].local);
        struct view domain = mailbox_list_text(&l, l.list[i].domain);
        struct buf b = BUF_INIT;

        if (l.list[i].kind != MAILBOX_ADDRESS || local.len == 0)
            continue;
        buf_add_view(&b, local);
        if (domain.len > 0)
            buf_addf(&b, "@%.*s", VIEW_ARG(domain));
        add_rcpt(s, buf_take(&b));
    }
    mailbox_list_release(&l);
}

void message_add_rcpts(struct submission *s, const char *list)
{
    add_list(s, view_of(list));
}

void message_take_rcpts(struct submission *s)
{
    struct buf kept = BUF_INIT;
    struct header_walk w;
    struct header_field f;

    header_start(&w, buf_view(&s->text), HEADER_FIELDS_MAX);
    while (header_next(&w, &f)) {
        bool blind = view_is_nocase(f.name, "Bcc") ||
                     view_is_nocase(f.name, "Resent-Bcc");

        if (blind || view_is_nocase(f.name, "To") ||
            view_is_nocase(f.name, "Cc"))
            add_list(s, f.value);
        if (!blind)
            buf_add_view(&kept, f.raw);
    }
    /* From the empty line on; a message that begins with its body has none. */
    buf_add_view(&kept, view_sub(buf_view(&s->text),
                                 w.ended ? w.offset - 2 : w.offset,
                                 s->text.len));
    buf_release(&s->text);
    s->text = kept;
}
