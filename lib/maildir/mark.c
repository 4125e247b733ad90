/* SPDX-License-Identifier: BSD-2-Clause */
#include "maildir/mark.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/encode.h"
#include "base/io.h"

#define INSTANCE "instance"
#define ID_BYTES 16

/* The id in the file `name` of a directory. */
static int read_id(int dir, const char *name, struct buf *id,
                   struct error *err)
{
    struct buf bytes = BUF_INIT;
    struct view text;
    int rc = 0;

    buf_reset(id);
    if (io_read_file(dir, name, id, 200, err) < 0)
        return -1;
    text = view_trim(buf_view(id));
    if (text.len != 2 * ID_BYTES || decode_hex(&bytes, text) < 0)
        rc = error_set(err, FAIL_PERM, "the file %s does not hold an "
                       "instance's id, %d hexadecimal digits", name,
                       2 * ID_BYTES);
    buf_reset(id);
    encode_hex(id, buf_view(&bytes));
    buf_release(&bytes);
    return rc;
}

/* Whole or not at all, also after a power cut. */
static int write_id(int dir, const char *name, const struct buf *id,
                    struct error *err)
{
    struct buf line = BUF_INIT;
    int rc;

    buf_addf(&line, "%s\n", buf_text(id));
    rc = io_replace_file(dir, name, line.data, line.len, 0644, err);
    buf_release(&line);
    return rc;
}

static int make_id(int queue, struct buf *id, struct error *err)
{
    char random[ID_BYTES];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_sys(err, "cannot get random numbers");
    buf_reset(id);
    encode_hex(id, (struct view){ random, sizeof random });
    return write_id(queue, INSTANCE, id, err);
}

/* 0: the same; else -1. */
static int compare(const struct buf *ours, const struct buf *mark,
                   struct error *err)
{
    if (view_eq(buf_view(ours), buf_view(mark)))
        return 0;
    return error_set(err, FAIL_PERM, "it is another instance's, as its file "
                     MARK_NAME " says: %s; ours is %s", buf_text(mark),
                     buf_text(ours));
}

int mark_create(int queue, int store, struct error *err)
{
    struct buf ours = BUF_INIT, mark = BUF_INIT;
    int rc = read_id(queue, INSTANCE, &ours, err);

    if (rc < 0 && err->sys == ENOENT)
        rc = make_id(queue, &ours, err);
    if (rc < 0)
        goto out;
    rc = read_id(store, MARK_NAME, &mark, err);
    if (rc == 0)
        rc = compare(&ours, &mark, err);
    else if (err->sys == ENOENT)
        rc = write_id(store, MARK_NAME, &ours, err);
out:
    buf_release(&ours);
    buf_release(&mark);
    return rc;
}

int mark_check(int queue, int store, struct error *err)
{
    struct buf ours = BUF_INIT, mark = BUF_INIT;
    int rc = read_id(store, MARK_NAME, &mark, err);

    if (rc < 0 && err->sys == ENOENT)
        error_set(err, FAIL_TEMP, "it has no file " MARK_NAME);
    if (rc == 0)
        rc = read_id(queue, INSTANCE, &ours, err);
    if (rc == 0)
        rc = compare(&ours, &mark, err);
    buf_release(&ours);
    buf_release(&mark);
    return rc;
}
