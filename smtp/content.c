/* SPDX-License-Identifier: BSD-2-Clause */
/* The content as it goes out: a dot before each line that begins with one (RFC
 * 5321 §4.5.2), and no line too long (§4.5.3.1.6). */
#include "base/io.h"
#include "base/utf8.h"
#include "smtp/smtp.h"

struct sending {
    struct stream *s;
    size_t column; /* bytes in the current line */
};

/* How much of a line's piece is text: its end does not count, and a CR is
 * nothing but the first half of one. */
static size_t text_length(struct view piece)
{
    size_t len = piece.len;

    len -= len > 0 && piece.data[len - 1] == '\n';
    len -= len > 0 && piece.data[len - 1] == '\r';
    return len;
}

/* A line, or a piece of one: what is over the limit goes on in the next, behind
 * a blank, as Postfix does it. That harms a message least: its header is folded
 * so, and few parts of it mind a line's end. */
static int send_piece(struct sending *g, struct view piece, struct error *err)
{
    size_t limit = smtp_conf.smtp_line_length_limit, text;

    if (g->column == 0 && piece.data[0] == '.' &&
        stream_write(g->s, VIEW("."), err) < 0)
        return -1;
    while ((text = text_length(piece)) > limit - g->column) {
        size_t part = utf8_prefix(piece, limit - g->column);

        if (stream_write(g->s, view_sub(piece, 0, part), err) < 0 ||
            stream_write(g->s, VIEW("\r\n "), err) < 0)
            return -1;
        piece = view_sub(piece, part, piece.len);
        g->column = 1;
    }
    g->column = piece.len > 0 && piece.data[piece.len - 1] == '\n'
                    ? 0 : g->column + text;
    return stream_write(g->s, piece, err);
}

int content_send(struct stream *s, const struct delivery_begin *b,
                 struct error *err)
{
    struct sending g = { s, 0 };
    char chunk[32768];

    for (uint64_t at = 0; at < b->content_len;) {
        uint64_t left = b->content_len - at;
        size_t part = left < sizeof chunk ? (size_t)left : sizeof chunk;
        struct view rest = { chunk, part };

        if (io_pread_all(b->fd, chunk, part, b->content_offset + at,
                         "the message", err) < 0)
            return -1;
        at += part;
        while (rest.len > 0) {
            size_t end = view_index(rest, '\n') + 1;
            struct view piece = view_sub(rest, 0, end);

            stream_deadline(s, smtp_conf.smtp_data_xfer_timeout * 1000ULL);
            if (send_piece(&g, piece, err) < 0)
                return -1;
            rest = view_sub(rest, piece.len, rest.len);
        }
    }
    return stream_write(s, VIEW(".\r\n"), err);
}
