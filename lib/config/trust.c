/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

static unsigned judge(const struct stat *st)
{
    unsigned bits = 0;

    if (st->st_uid != 0 && st->st_uid != geteuid())
        bits |= TRUST_OWNER;
    if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0)
        return bits;
    if ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0 &&
        st->st_gid != getegid())
        bits |= TRUST_GROUP;
    if ((st->st_mode & S_IWOTH) != 0)
        bits |= TRUST_EVERYBODY;
    return bits;
}

unsigned trust_fd(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? judge(&st) : 0;
}

unsigned trust_path(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? judge(&st) : 0;
}

void trust_say(struct buf *out, unsigned bits, const char *path)
{
    if (bits & TRUST_EVERYBODY)
        buf_addf(out, "%s can be changed by everybody; run: chmod o-w %s",
                 path, path);
    else if (bits & TRUST_OWNER)
        buf_addf(out, "%s belongs to a user who can change it; run: chown "
                 "%s %s", path, geteuid() == 0 ? "root" : "\"$USER\"", path);
    else
        buf_addf(out, "%s can be changed by a group; if that is not meant, "
                 "run: chmod g-w %s", path, path);
}

static int refuse(unsigned bits, const char *path, struct error *err)
{
    struct buf text = BUF_INIT;

    if (!(bits & TRUST_NOT))
        return 0;
    trust_say(&text, bits, path);
    error_set(err, FAIL_PERM, "%s", buf_text(&text));
    buf_release(&text);
    return -1;
}

/* 0 with a warning at most, or -1. */
static int check(unsigned bits, const char *path, struct error *err)
{
    struct buf text = BUF_INIT;

    if (bits == TRUST_GROUP) {
        trust_say(&text, bits, path);
        log_warning("%s", buf_text(&text));
        buf_release(&text);
    }
    return refuse(bits, path, err);
}

int trust_file(const char *directory, const char *name, struct error *err)
{
    struct buf path = BUF_INIT;
    int rc = refuse(trust_path(directory), directory, err);

    buf_addf(&path, "%s/%s", directory, name);
    if (rc == 0)
        rc = refuse(trust_path(buf_text(&path)), buf_text(&path), err);
    buf_release(&path);
    return rc;
}

int trust_read(const char *directory, const char *name, struct buf *b,
               size_t limit, struct error *err)
{
    struct buf path = BUF_INIT;
    int fd = -1, rc = -1;

    buf_addf(&path, "%s/%s", directory, name);
    if (check(trust_path(directory), directory, err) < 0)
        goto out;
    fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        rc = error_sys(err, "cannot open %s", buf_text(&path));
    else if (io_is_file(fd, buf_text(&path), err) == 0 &&
             check(trust_fd(fd), buf_text(&path), err) == 0)
        rc = io_read_all(fd, b, limit, buf_text(&path), err);
out:
    io_close(&fd);
    buf_release(&path);
    return rc;
}
