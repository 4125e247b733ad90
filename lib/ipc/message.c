/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipc/message.h"

#include <assert.h>

/* The bytes still to be read of a message; `bad` once it made no sense. */
struct cursor {
    struct view left;
    bool bad;
};

static void put_number(struct buf *out, const void *value, size_t len)
{
    buf_add(out, value, len); /* both ends are this machine: native order */
}

static bool is_line(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] == '\0' || v.data[i] == '\r' || v.data[i] == '\n')
            return false;
    return true;
}

static const char *check_text(const struct ipc_field *f, struct view v)
{
    if (v.len > f->max)
        return "is too long";
    if (f->kind == IPC_TEXT && !is_line(v))
        return "holds a NUL, CR or LF";
    return NULL;
}

static int encode_text(struct buf *out, const struct ipc_type *type,
                       const struct ipc_field *f, struct view v,
                       struct error *err)
{
    uint32_t len = (uint32_t)v.len;
    const char *why = check_text(f, v);

    if (why != NULL)
        return error_set(err, FAIL_PERM, "field %s of message %s %s", f->name,
                         type->name, why);
    put_number(out, &len, sizeof len);
    buf_add_view(out, v);
    return 0;
}

static void encode_fd(struct buf *out, int fd, int *fds, size_t *n_fds)
{
    buf_add_char(out, fd >= 0);
    if (fd >= 0) {
        assert(*n_fds < IPC_FDS_MAX);
        fds[(*n_fds)++] = fd;
    }
}

static int encode_field(struct buf *out, const struct ipc_type *type,
                        const struct ipc_field *f, const void *at, int *fds,
                        size_t *n_fds, struct error *err)
{
    buf_add_char(out, (char)f->kind);
    switch (f->kind) {
    case IPC_U32:
        put_number(out, at, sizeof(uint32_t));
        return 0;
    case IPC_U64:
        put_number(out, at, sizeof(uint64_t));
        return 0;
    case IPC_TEXT:
    case IPC_BLOB:
        return encode_text(out, type, f, *(const struct view *)at, err);
    case IPC_FD:
        encode_fd(out, *(const int *)at, fds, n_fds);
        return 0;
    }
    abort();
}

int ipc_encode(struct buf *out, const struct ipc_type *type, const void *msg,
               int fds[IPC_FDS_MAX], size_t *n_fds, struct error *err)
{
    size_t start = out->len;

    put_number(out, &type->id, sizeof type->id);
    buf_add_char(out, (char)type->n_fields);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct ipc_field *f = &type->fields[i];
        const char *at = (const char *)msg + f->offset;

        if (encode_field(out, type, f, at, fds, n_fds, err) < 0) {
            buf_cut(out, start);
            return -1;
        }
    }
    if (out->len - start > IPC_MESSAGE_MAX) {
        buf_cut(out, start);
        return error_set(err, FAIL_PERM, "message %s is too long", type->name);
    }
    return 0;
}

static struct view take(struct cursor *c, size_t len)
{
    struct view v = view_sub(c->left, 0, len);

    if (v.len < len)
        c->bad = true;
    c->left = view_sub(c->left, v.len, c->left.len);
    return v;
}

static void take_number(struct cursor *c, void *value, size_t len)
{
    struct view v = take(c, len);

    if (!c->bad)
        memcpy(value, v.data, len);
}

static void decode_text(struct cursor *c, const struct ipc_field *f,
                        struct view *v)
{
    uint32_t len = 0;

    take_number(c, &len, sizeof len);
    *v = take(c, len);
    if (!c->bad && check_text(f, *v) != NULL)
        c->bad = true;
}

static void decode_fd(struct cursor *c, int *out, const int *fds, size_t n_fds,
                      size_t *used)
{
    char present = 0;

    take_number(c, &present, 1);
    *out = -1;
    if (c->bad || !present)
        return;
    if (present != 1 || *used >= n_fds)
        c->bad = true;
    else
        *out = fds[(*used)++];
}

static void decode_field(struct cursor *c, const struct ipc_field *f, void *at,
                         const int *fds, size_t n_fds, size_t *used)
{
    char kind = 0;

    take_number(c, &kind, 1);
    if (c->bad || kind != (char)f->kind) {
        c->bad = true;
        return;
    }
    switch (f->kind) {
    case IPC_U32:
        take_number(c, at, sizeof(uint32_t));
        return;
    case IPC_U64:
        take_number(c, at, sizeof(uint64_t));
        return;
    case IPC_TEXT:
    case IPC_BLOB:
        decode_text(c, f, at);
        return;
    case IPC_FD:
        decode_fd(c, at, fds, n_fds, used);
        return;
    }
}

int ipc_id(struct view bytes)
{
    uint16_t id;

    if (bytes.len < sizeof id)
        return -1;
    memcpy(&id, bytes.data, sizeof id);
    return id;
}

int ipc_decode(struct view bytes, const int *fds, size_t n_fds,
               const struct ipc_type *type, void *msg, struct error *err)
{
    struct cursor c = { bytes, false };
    uint16_t id = 0;
    unsigned char n_fields = 0;
    size_t used = 0;

    take_number(&c, &id, sizeof id);
    take_number(&c, &n_fields, 1);
    if (c.bad || id != type->id || n_fields != type->n_fields)
        return error_set(err, FAIL_PERM,
                         "expected message %s, got number 0x%04x", type->name,
                         id);
    if (type->size > 0)
        memset(msg, 0, type->size);
    for (size_t i = 0; i < type->n_fields && !c.bad; i++) {
        const struct ipc_field *f = &type->fields[i];

        decode_field(&c, f, (char *)msg + f->offset, fds, n_fds, &used);
        if (c.bad)
            return error_set(err, FAIL_PERM, "field %s of message %s is "
                             "malformed", f->name, type->name);
    }
    if (c.left.len > 0 || used != n_fds)
        return error_set(err, FAIL_PERM, "message %s has %zu bytes and %zu "
                         "descriptors too many", type->name, c.left.len,
                         n_fds - used);
    return 0;
}
