/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qfile.h - the queue file: one self-contained file a message.
 *
 *     head      64 bytes: magic and version, sizes, checksums
 *     envelope  envelope, envelope_rcpt...: each a length and its bytes
 *     content   byte for byte, at head.content_offset
 *     statuses  rcpt_record...: each a length, a checksum and its bytes;
 *               appended as deliveries end, the last of a recipient counts
 *
 * A file is written once (qwriter), made durable and linked into incoming/;
 * after that only statuses are appended. The checksums cover head, envelope
 * and content; a torn status at the end is as if it had not been written.
 *
 * Errors:   FAIL_PERM for a file that makes no sense (it goes to corrupt/),
 *           FAIL_TEMP for what the system refused.
 * Blocking: on the disk.
 */
#ifndef QUEUE_QFILE_H
#define QUEUE_QFILE_H

#include "base/buf.h"
#include "queue/envelope.h"

#define QFILE_ID_LEN 16        /* upper-case hexadecimal digits, no NUL */
#define QFILE_ENVELOPE_MAX (64u << 20) /* bytes of all envelope records */

/* Is it a queue id: 16 upper-case hexadecimal digits? */
bool qfile_is_id(struct view v);

/* The microseconds since 1970 that a valid id holds (52 bits), and the id of
 * a time and a slot (12 bits). */
uint64_t qfile_id_time(struct view id);
void qfile_make_id(uint64_t time_us, unsigned slot, char id[QFILE_ID_LEN + 1]);

/* --- writing ----------------------------------------------------------- */

struct qwriter {
    int fd;             /* borrowed; at its start and empty */
    struct buf envelope; /* records collected so far */
    uint32_t n_rcpts;
    uint64_t arrival_us;
    uint64_t content_offset, content_len;
    uint32_t content_crc;
};

/* Begin a file in `fd` with this envelope. */
int qwriter_begin(struct qwriter *w, int fd, uint64_t arrival_us,
                  const struct envelope *e, struct error *err);

/* Add a recipient; before any content. */
int qwriter_rcpt(struct qwriter *w, const struct envelope_rcpt *r,
                 struct error *err);

/* Append content. The first call writes the envelope before it. */
int qwriter_content(struct qwriter *w, const void *data, size_t len,
                    struct error *err);

/* Write the head. Nothing is synced: that is the caller's next step. */
int qwriter_finish(struct qwriter *w, struct error *err);

/* Free what it collected; harmless when it never began. */
void qwriter_release(struct qwriter *w);

/* --- reading ----------------------------------------------------------- */

struct qrcpt {
    struct envelope_rcpt r; /* views into qfile.bytes */
    enum rcpt_status status;
    uint32_t attempts;
    uint64_t when_us;       /* of the last status */
    char dsn[17];
    struct view text;       /* of the last status; into qfile.statuses */
};

struct qfile {
    struct envelope e;      /* views into bytes */
    struct qrcpt *rcpts;
    size_t n_rcpts;
    uint64_t arrival_us, content_offset, content_len;
    uint32_t content_crc;
    bool warned, offered;   /* MESSAGE_WARNED, _OFFERED were recorded */
    uint64_t end;           /* where the next status is to be written */
    struct buf bytes, statuses;
};

/* Read head, envelope and statuses of the file `name` (for messages). */
int qfile_read(struct qfile *q, int fd, const char *name, struct error *err);

/* Read `len` bytes of content at `offset` and compare their checksum: FAIL_PERM
 * if it differs. */
int qfile_check_content(int fd, uint64_t offset, uint64_t len, uint32_t crc,
                        const char *name, struct error *err);

/* Append one status at *end, which moves; not synced. */
int qfile_append(int fd, uint64_t *end, const struct rcpt_record *s,
                 struct error *err);

/* Free what was read; an all-zero struct is allowed. */
void qfile_release(struct qfile *q);

#endif
