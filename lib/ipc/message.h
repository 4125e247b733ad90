/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.h - what programs say to each other: typed fields, declared once.
 *
 * A message is declared by a list macro that both ends include:
 *
 *     #define CLEANUP_RCPT(F, S)           \
 *         F(S, TEXT, address, 1000)        \
 *         F(S, U32,  notify,  0)
 *     IPC_MESSAGE(cleanup_rcpt, 0x0202, CLEANUP_RCPT)
 *
 * This makes `struct cleanup_rcpt` and `cleanup_rcpt_type`; encoder and
 * decoder walk the type's table. On the wire a message is its id, its number
 * of fields, and for each field its kind and value; what does not fit exactly
 * (other id, kind or number, over a limit, bytes left over, descriptors too
 * few or too many) is an error. The queue file's records use the same form.
 *
 * Ownership: texts of a decoded message point into the decoded bytes.
 *            Descriptors of a decoded message are the caller's.
 * Blocking:  never.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define IPC_MESSAGE_MAX 60000 /* bytes of one encoded message */
#define IPC_FDS_MAX 16        /* descriptors that ride along with one */
#define IPC_FIELDS_MAX 32

enum ipc_kind {
    IPC_U32 = 1,
    IPC_U64 = 2,
    IPC_TEXT = 3, /* a view without NUL, CR and LF, at most `max` bytes */
    IPC_BLOB = 4, /* a view of any bytes, at most `max` */
    IPC_FD = 5,   /* a descriptor, or -1 for none */
};

struct ipc_field {
    const char *name;
    enum ipc_kind kind;
    size_t offset;
    size_t max;
};

struct ipc_type {
    uint16_t id;
    const char *name;
    const struct ipc_field *fields;
    size_t n_fields;
    size_t size; /* of the struct */
};

#define IPC_C_U32 uint32_t
#define IPC_C_U64 uint64_t
#define IPC_C_TEXT struct view
#define IPC_C_BLOB struct view
#define IPC_C_FD int
#define IPC_MEMBER(s, kind, field, max) IPC_C_##kind field;
#define IPC_ROW(s, kind, field, max) \
    { #field, IPC_##kind, offsetof(struct s, field), max },

#define IPC_MESSAGE(name, number, LIST) \
    struct name { \
        LIST(IPC_MEMBER, name) \
    }; \
    static const struct ipc_field name##_fields[] = { LIST(IPC_ROW, name) }; \
    static const struct ipc_type name##_type \
        __attribute__((unused)) = { number, #name, name##_fields, \
                                    sizeof name##_fields / \
                                        sizeof name##_fields[0], \
                                    sizeof(struct name) };

/* A message that says all by its name. */
#define IPC_SIGNAL(name, number) \
    static const struct ipc_type name##_type \
        __attribute__((unused)) = { number, #name, NULL, 0, 0 };

/* Append `msg` to `out`, and its descriptors (borrowed) to `fds`, counting
 * them in *n_fds. A field over its limit is FAIL_PERM. */
int ipc_encode(struct buf *out, const struct ipc_type *type, const void *msg,
               int fds[IPC_FDS_MAX], size_t *n_fds, struct error *err);

/* The id of the message in `bytes`, or -1 when it is too short for one. */
int ipc_id(struct view bytes);

/* Fill `msg` from exactly `bytes` and exactly the `n_fds` descriptors. On
 * success the descriptors are the caller's; on failure none was taken. */
int ipc_decode(struct view bytes, const int *fds, size_t n_fds,
               const struct ipc_type *type, void *msg, struct error *err);

#endif
