/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime.h - the one MIME parser: the parts of a message, as a flat array
 * (RFC 2045, 2046, 2183, 2231).
 *
 * Everyone who looks into a message uses this tree, so that a filter, an IMAP
 * client and a signature see the same parts. Any bytes have a tree; what is
 * doubtful about it is marked in the parts' flags.
 *
 * A delimiter line is "--", the boundary, for the last one "--", and blanks,
 * and nothing else: a boundary that is the beginning of another is no danger.
 * Enclosing boundaries end what is in them, the innermost is tried first. The
 * line end before a delimiter belongs to it (RFC 2046 §5.1.1).
 *
 * The message is read once, front to back, in pieces; nothing recurses. Lines
 * may end in CRLF or LF. Sizes are bytes as stored; the _bare counts say how
 * many CRs are missing from a size that counts each line end as CRLF.
 *
 * Life:      mime_parse, then the members may be read, mime_release.
 * Ownership: a struct mime owns all it points to, and needs its source only
 *            while it parses. A source owns nothing.
 * Errors:    -1 with *err set only if the source cannot be read. What exceeds
 *            a limit is left out of the tree and marked.
 * Units:     bytes; offsets count from the message's first byte.
 * Blocking:  on the file. Time is linear in the message's size: `steps` counts
 *            the bytes that were looked at.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/view.h"
#include "mail/span.h"

/* --- where the message is ---------------------------------------------- */

struct mime_source {
    int fd;           /* -1: in memory */
    const char *data; /* then here */
    uint64_t offset;  /* of the message in the file */
    uint64_t len;
    const char *what; /* names the file in errors; borrowed */
};

/* A message in memory; `len` bytes at `offset` of a file that pread(2) works
 * on. */
struct mime_source mime_source_memory(struct view message);
struct mime_source mime_source_file(int fd, uint64_t offset, uint64_t len,
                                    const char *what);

/* Read exactly `len` bytes at `offset` of the message into `to`. */
int mime_source_read(const struct mime_source *src, uint64_t offset, void *to,
                     size_t len, struct error *err);

/* --- limits ------------------------------------------------------------ */

#define MIME_DEPTH_MAX    100
#define MIME_BOUNDARY_MAX 250 /* bytes; RFC 2046 allows 70 */

struct mime_limits {
    unsigned depth;      /* of nesting, at most MIME_DEPTH_MAX */
    unsigned parts;      /* of the whole message */
    unsigned params;     /* of one field, segments counted (RFC 2231) */
    uint32_t field;      /* bytes of one header field that are looked at */
    uint32_t header;     /* bytes of all headers that are looked at */
};

#define MIME_LIMITS_DEFAULT \
    ((struct mime_limits){ .depth = MIME_DEPTH_MAX, .parts = 10000, \
                           .params = 256, .field = 1u << 20, \
                           .header = 10u << 20 })

/* --- the tree ---------------------------------------------------------- */

enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* has at least one child */
    MIME_MESSAGE,   /* message/rfc822 or /global: has one child, the message */
};

enum mime_flag {
    MIME_DEFAULT_TYPE = 1 << 0, /* no Content-Type; the default is set */
    MIME_BAD_TYPE = 1 << 1,     /* one that says nothing; text/plain is set */
    MIME_OPAQUE = 1 << 2,       /* a multipart or message by its type that was
                                 * not looked into: no boundary, encoded, over
                                 * a limit */
    MIME_TRUNCATED = 1 << 3,    /* a limit cut the header, its parameters or
                                 * the children */
    MIME_UNTERMINATED = 1 << 4, /* a multipart without its last delimiter */
    MIME_DUPLICATE = 1 << 5,    /* a field is there twice; the first counts */
    MIME_AMBIGUOUS = 1 << 6,    /* the boundary begins or continues that of an
                                 * enclosing part */
    MIME_SYNTHETIC = 1 << 7,    /* an empty part that is not there, in a
                                 * multipart without parts */
};

/* A parameter as it stands, unquoted, its RFC 2231 segments joined. If one of
 * them was encoded, the name ends in "*" and the value is charset'lang'%XX. */
struct mime_param {
    struct span name, value;
};

/* An empty list: the field or its parameters are missing. */
struct mime_params {
    uint32_t first, count; /* in mime.params */
};

/* The header's parts of an ENVELOPE (RFC 3501 §7.4.2), in its order. */
enum mime_envelope_field {
    MIME_DATE,
    MIME_SUBJECT,
    MIME_FROM,
    MIME_SENDER,
    MIME_REPLY_TO,
    MIME_TO,
    MIME_CC,
    MIME_BCC,
    MIME_IN_REPLY_TO,
    MIME_MESSAGE_ID,
    MIME_ENVELOPE_FIELDS, /* how many there are */
};

/* Unfolded values. Of fields with addresses all are joined by ", ", of others
 * the first is taken. `has` has a bit for each that is there at all. */
struct mime_envelope {
    struct span value[MIME_ENVELOPE_FIELDS];
    unsigned has;
};

/* A part. Spans are of mime.text, empty if the field is missing. The first
 * part is the message itself; each part comes before its children. */
struct mime_part {
    int32_t parent, child, next; /* indices, -1: none; child: the first */
    enum mime_kind kind;
    unsigned flags; /* of enum mime_flag */
    unsigned depth; /* 0: the message itself */

    uint64_t header_offset, header_len; /* with its empty line */
    uint64_t body_offset, body_len;
    uint64_t header_bare, body_bare; /* line ends without CR */
    uint64_t body_lines;             /* line ends */

    struct span type, subtype; /* never empty; case as it stands */
    struct span encoding, id, description, md5, language, location;
    struct span disposition;
    struct mime_params type_params, disposition_params;
    int32_t envelope; /* of a message, in mime.envelopes, else -1 */
};

struct mime {
    struct mime_part *parts;
    struct mime_param *params;
    struct mime_envelope *envelopes;
    size_t parts_count, parts_cap;
    size_t params_count, params_cap;
    size_t envelopes_count, envelopes_cap;
    struct buf text;
    bool truncated; /* some part is MIME_TRUNCATED */
    uint64_t steps;
};

/* Parse the message. `m` need not be initialised; on error it is empty. */
int mime_parse(struct mime *m, const struct mime_source *src,
               struct mime_limits limits, struct error *err);

/* Free the parts; `m` is empty then. */
void mime_release(struct mime *m);

/* What a span stands for; valid as long as `m`. */
struct view mime_text(const struct mime *m, struct span s);

/* Is the part of this type, such as "text" and "html"? NULL: any subtype. */
bool mime_is(const struct mime *m, const struct mime_part *p,
             const char *type, const char *subtype);

/* The parameter called exactly `name`, as it stands; false if there is none.
 * Not for file names: senders encode them (see below). */
bool mime_param_raw(const struct mime *m, struct mime_params list,
                    const char *name, struct view *value);

/* Append the parameter `name` as UTF-8: RFC 2231 and, where senders use it
 * though it is forbidden, RFC 2047 decoded. False if there is none. */
bool mime_param(const struct mime *m, struct mime_params list,
                const char *name, struct buf *out);

/* Sizes of a part's header (body) with each line end counted as CRLF. */
uint64_t mime_header_size(const struct mime_part *p);
uint64_t mime_body_size(const struct mime_part *p);

#endif
