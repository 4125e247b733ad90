/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message that programs say to each other (the list is made by the
 * build): any bytes either are no message, or are exactly the bytes that
 * saying the same again gives; and what is said is what is heard.
 *
 * The input: which message, how many descriptors came with it; then its bytes,
 * or, with MAKE, the values of its fields.
 */
#include "t/fuzz/fuzz.h"
#include "t/messages_all.h"

#define N_MESSAGES (sizeof messages_all / sizeof *messages_all)
#define FIRST_FD 1000 /* only numbers; nothing is sent */
#define MAKE 0x80

/* Room for the largest struct any message declares. */
union message {
    struct view fields[IPC_FIELDS_MAX];
    uint64_t align;
};

static void *field(const union message *m, const struct ipc_field *f)
{
    return (char *)(uintptr_t)m + f->offset;
}

static bool same_field(const union message *a, const union message *b,
                       const struct ipc_field *f)
{
    const struct view *x, *y;

    switch (f->kind) {
    case IPC_U32:
        return *(uint32_t *)field(a, f) == *(uint32_t *)field(b, f);
    case IPC_U64:
        return *(uint64_t *)field(a, f) == *(uint64_t *)field(b, f);
    case IPC_FD:
        return *(int *)field(a, f) == *(int *)field(b, f);
    default:
        x = field(a, f);
        y = field(b, f);
        return view_eq(*x, *y);
    }
}

static void decode(const struct ipc_type *type, struct view bytes,
                   size_t n_fds)
{
    int fds[IPC_FDS_MAX], again[IPC_FDS_MAX];
    struct buf b = BUF_INIT;
    union message m;
    struct error err;
    size_t n = 0;

    for (int i = 0; i < IPC_FDS_MAX; i++)
        fds[i] = FIRST_FD + i;
    if (ipc_decode(bytes, fds, n_fds, type, &m, &err) == 0) {
        MUST(ipc_id(bytes) == type->id);
        MUST(ipc_encode(&b, type, &m, again, &n, &err) == 0);
        MUST(view_eq(bytes, buf_view(&b)));
        MUST(n == n_fds && memcmp(fds, again, n * sizeof *fds) == 0);
    } else {
        MUST(err.kind == FAIL_PERM && err.text[0] != '\0');
    }
    buf_release(&b);
}

/* --- a message made of the input --------------------------------------- */

static struct view take(struct view *rest, size_t len)
{
    struct view v = view_sub(*rest, 0, len);

    *rest = view_sub(*rest, v.len, rest->len);
    return v;
}

static uint64_t take_number(struct view *rest)
{
    struct view v = take(rest, 8);
    uint64_t n = 0;

    memcpy(&n, v.data, v.len);
    return n;
}

static void fill_field(union message *m, const struct ipc_field *f,
                       struct view *rest, int *next_fd)
{
    uint64_t n = take_number(rest);

    switch (f->kind) {
    case IPC_U32:
        *(uint32_t *)field(m, f) = (uint32_t)n;
        return;
    case IPC_U64:
        *(uint64_t *)field(m, f) = n;
        return;
    case IPC_FD:
        *(int *)field(m, f) = n & 1 ? (*next_fd)++ : -1;
        return;
    default:
        *(struct view *)field(m, f) = take(rest, n % 3000);
        return;
    }
}

/* May the message be said: no text over its limit, or with a line end? */
static bool is_sayable(const struct ipc_type *type, const union message *m)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct ipc_field *f = &type->fields[i];
        const struct view *v = field(m, f);

        if (f->kind != IPC_TEXT && f->kind != IPC_BLOB)
            continue;
        if (v->len > f->max)
            return false;
        for (size_t k = 0; f->kind == IPC_TEXT && k < v->len; k++)
            if (strchr("\r\n", v->data[k]) != NULL) /* and a NUL */
                return false;
    }
    return true;
}

static void encode(const struct ipc_type *type, struct view rest)
{
    int fds[IPC_FDS_MAX], next_fd = FIRST_FD;
    struct buf b = BUF_INIT;
    union message m = { .align = 0 }, heard;
    struct error err;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < type->n_fields; i++)
        fill_field(&m, &type->fields[i], &rest, &next_fd);
    rc = ipc_encode(&b, type, &m, fds, &n, &err);
    MUST((rc == 0) == is_sayable(type, &m));
    if (rc == 0) {
        MUST(b.len <= IPC_MESSAGE_MAX);
        MUST(ipc_decode(buf_view(&b), fds, n, type, &heard, &err) == 0);
        for (size_t i = 0; i < type->n_fields; i++)
            MUST(same_field(&m, &heard, &type->fields[i]));
    } else {
        MUST(b.len == 0);
    }
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct ipc_type *type;

    if (len < 2)
        return 0;
    type = messages_all[data[0] % N_MESSAGES];
    if (data[1] & MAKE)
        encode(type, fuzz_text(data + 2, len - 2));
    else
        decode(type, fuzz_text(data + 2, len - 2), data[1] % IPC_FDS_MAX);
    fuzz_closed_all();
    return 0;
}
