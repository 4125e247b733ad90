/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - a buffered connection that speaks in lines, in clear or in TLS.
 *
 * For straight-line programs. What is written waits in a buffer until it is
 * flushed, which reading does when it has to wait: so replies to pipelined
 * commands leave together (RFC 2920 §3.2).
 *
 * Life:      stream_init with a descriptor, stream_release.
 * Ownership: the stream owns the descriptor.
 * Errors:    -1 with a sentence; the stream is then only good for release.
 * Units:     time-outs in milliseconds, for one wait (and, with a deadline,
 *            for a whole line or command).
 * Blocking:  until the peer acts or the time is over.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* How bytes come and go; lib/net/tls.c puts itself here. Both return as
 * read(2) and write(2) do, with EAGAIN when the descriptor has to be waited
 * for, in the direction that *events then names. */
struct stream_layer {
    ssize_t (*read)(void *state, int fd, void *data, size_t len,
                    short *events);
    ssize_t (*write)(void *state, int fd, const void *data, size_t len,
                     short *events);
    void (*release)(void *state);
};

struct stream {
    int fd;
    const struct stream_layer *layer; /* NULL: in clear */
    void *layer_state;
    struct buf in;
    size_t at;              /* bytes of `in` already taken */
    struct buf out;
    unsigned timeout_ms;
    uint64_t deadline_ms;   /* by clock_mono_ms(); 0: none */
    uint64_t bytes_in, bytes_out;
};

enum stream_end {
    STREAM_CRLF,    /* the line ended with CR LF */
    STREAM_LF,      /* with a bare LF */
};

/* What stream_line() found. */
enum stream_result {
    STREAM_LINE,
    STREAM_CLOSED,   /* the peer closed, with nothing of a line left */
    STREAM_LONG,     /* the line is over the limit; it was not taken */
    STREAM_TIMEOUT,
    STREAM_BROKEN,   /* reset, or TLS failed; *err says how */
    STREAM_AGAIN,    /* nothing yet; only from calls that say so */
};

/* Use `fd`, made non-blocking. */
void stream_init(struct stream *s, int fd, unsigned timeout_ms);

/* Flush nothing, close, free. */
void stream_release(struct stream *s);

/* Take one line of at most `limit` bytes, without its end; it is valid until
 * the next read. *end says how it ended. */
enum stream_result stream_line(struct stream *s, size_t limit,
                               struct view *line, enum stream_end *end,
                               struct error *err);

/* Before a line: wait until some of it is there (STREAM_LINE), or until `wake`
 * (-1: none) can be read: STREAM_AGAIN. What waits to be sent is sent. */
enum stream_result stream_await(struct stream *s, int wake, struct error *err);

/* Take what there is, at least one byte: STREAM_LINE with *data, valid until
 * the next read; or as above. */
enum stream_result stream_some(struct stream *s, struct view *data,
                               struct error *err);

/* Give back the last `len` bytes that stream_some() took. */
void stream_unread(struct stream *s, size_t len);

/* Is there input that was received and not taken yet? */
bool stream_pending(const struct stream *s);

/* Forget input that was received and not taken yet. */
void stream_discard(struct stream *s);

/* Write: into the buffer, and out when that has grown. */
int stream_write(struct stream *s, struct view data, struct error *err);
int stream_printf(struct stream *s, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Send all that waits. */
int stream_flush(struct stream *s, struct error *err);

/* --- for event loops: these never wait --------------------------------- */

/* Read what has come, at most some kilobytes: STREAM_LINE when there is more
 * input than before, STREAM_AGAIN to wait for *events. */
enum stream_result stream_fill(struct stream *s, short *events,
                               struct error *err);

/* Take a line if all of it has come, else STREAM_AGAIN; STREAM_LONG as soon as
 * it cannot be within the limit. */
enum stream_result stream_next_line(struct stream *s, size_t limit,
                                    struct view *line, enum stream_end *end);

/* Send what waits: 1 when all of it went, 0 to wait for *events, -1. */
int stream_drain(struct stream *s, short *events, struct error *err);

/* What was received and not taken; stream_took() takes `len` bytes of it. */
struct view stream_input(const struct stream *s);
void stream_took(struct stream *s, size_t len);

/* Overwrite what was taken, which was a password. Lines taken before are gone
 * with it. */
void stream_forget(struct stream *s);

/* Give back the memory of buffers that are empty. */
void stream_shrink(struct stream *s);

/* The whole exchange until stream_deadline(s, 0) must end in `ms` from now. */
void stream_deadline(struct stream *s, uint64_t ms);

/* Is it a line of an HTTP client's, or the like, that was tricked into speaking
 * to a mail server? To be sent away at once, before any of its text does harm
 * (security.md R6). */
bool stream_is_http(struct view line);

#endif
