/* SPDX-License-Identifier: BSD-2-Clause */
/* RETR and TOP: a message, its dots doubled (RFC 1939 §3), lines in CRLF. */
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "pop3d/pop3d.h"

/* How far a message has been sent. */
struct sending {
    struct pop3_session *s;
    char before;         /* the last byte of it */
    bool in_body;
    size_t line_len;     /* of the line so far */
    bool limited;        /* TOP: */
    uint64_t lines_left; /* of the body */
};

/* Send a piece that has no LF but, if any, at its end. */
static int send_piece(struct sending *g, struct view piece, struct error *err)
{
    struct stream *out = &g->s->stream;
    bool ends = piece.data[piece.len - 1] == '\n';

    if (g->line_len == 0 && piece.data[0] == '.' &&
        stream_write(out, VIEW("."), err) < 0)
        return -1;
    if (!ends) {
        g->line_len += piece.len;
        g->before = piece.data[piece.len - 1];
        return stream_write(out, piece, err);
    }
    piece.len--;
    if (piece.len > 0)
        g->before = piece.data[piece.len - 1];
    g->line_len += piece.len;
    /* An empty line ends the header: nothing in it but its CR. */
    if (g->line_len == 0 || (g->line_len == 1 && g->before == '\r'))
        g->in_body = true;
    if (stream_write(out, piece, err) < 0 ||
        stream_write(out, g->line_len > 0 && g->before == '\r' ? VIEW("\n")
                                                               : VIEW("\r\n"),
                     err) < 0)
        return -1;
    g->line_len = 0;
    g->before = '\n';
    return 0;
}

/* Send a chunk's lines, as far as they are wanted. */
static int send_chunk(struct sending *g, struct view rest, struct error *err)
{
    while (rest.len > 0) {
        struct view piece = view_sub(rest, 0, view_index(rest, '\n') + 1);
        bool was_body = g->in_body;

        if (g->limited && was_body && g->lines_left == 0)
            return 0;
        if (send_piece(g, piece, err) < 0)
            return -1;
        if (was_body && g->line_len == 0 && g->lines_left > 0)
            g->lines_left--;
        rest = view_sub(rest, piece.len, rest.len);
    }
    return 0;
}

static int send_file(struct sending *g, int fd, uint64_t len,
                     struct error *err)
{
    char chunk[32768];

    for (uint64_t at = 0; at < len;) {
        size_t part = len - at < sizeof chunk ? (size_t)(len - at)
                                              : sizeof chunk;

        if (io_pread_all(fd, chunk, part, at, "a message", err) < 0 ||
            send_chunk(g, (struct view){ chunk, part }, err) < 0)
            return -1;
        if (g->limited && g->in_body && g->lines_left == 0)
            break;
        at += part;
    }
    if (g->line_len > 0 && stream_write(&g->s->stream, VIEW("\r\n"), err) < 0)
        return -1;
    return stream_write(&g->s->stream, VIEW(".\r\n"), err);
}

/* Send message `i`; the bytes that went out, or 0. */
static uint64_t retrieve(struct pop3_session *s, size_t i, bool limited,
                         uint64_t lines)
{
    struct sending g = { .s = s, .before = '\n', .limited = limited,
                         .lines_left = lines };
    uint64_t len, bare, start = s->stream.bytes_out + s->stream.out.len;
    struct error err = { .text = "" };
    int fd = mailbox_file(s->box, i, &len, &bare, &err);

    if (fd < 0) {
        pop3_say(s, s->box->entries[i].is_gone
                        ? "-ERR Message is gone"
                        : "-ERR [SYS/TEMP] Message cannot be read");
        if (!s->box->entries[i].is_gone)
            log_error("pop3(%s): %s", s->client->account, err.text);
        return 0;
    }
    pop3_say(s, "+OK %llu octets",
             (unsigned long long)s->box->entries[i].size);
    if (send_file(&g, fd, len, &err) < 0) {
        s->why = "Connection closed";
        s->over = true; /* a message without its end must not look whole */
    }
    close(fd);
    return s->stream.bytes_out + s->stream.out.len - start;
}

void cmd_retr(struct pop3_session *s, struct view args)
{
    uint64_t bytes;
    size_t i;

    if (!pop3_number(s, &args, &i))
        return;
    bytes = retrieve(s, i, false, 0);
    if (bytes == 0)
        return;
    s->seen[i] = true;
    s->n_retr++;
    s->retr_bytes += bytes;
}

void cmd_top(struct pop3_session *s, struct view args)
{
    struct view word;
    uint64_t lines;
    size_t i;

    if (!pop3_number(s, &args, &i))
        return;
    if (!view_word(&args, " ", &word) ||
        !view_number(word, UINT32_MAX, &lines)) {
        pop3_say(s, "-ERR The number of lines is missing");
        return;
    }
    s->n_top++;
    s->top_bytes += retrieve(s, i, true, lines);
}
