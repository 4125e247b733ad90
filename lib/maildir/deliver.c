/* SPDX-License-Identifier: BSD-2-Clause */
/* Delivery: durable, and exactly once however often it is tried. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/nameless.h"
#include "maildir/maildir.h"

void maildir_prepare(void)
{
    nameless_prepare();
}

/* --- was it delivered before? ------------------------------------------ */

/* The part of a name that stays when flags change: up to ":2,". */
static bool has_base(const char *file, struct view base)
{
    struct view f = view_of(file);

    return f.len >= base.len && view_eq(view_sub(f, 0, base.len), base) &&
           (f.len == base.len || f.data[base.len] == ':');
}

/* Append to `found` the name in the directory that has this base. */
static int search(int parent, const char *name, struct view base,
                  struct buf *found, struct error *err)
{
    DIR *dir = io_open_dir(parent, name);
    struct dirent *e;
    int rc = 0;

    if (dir == NULL && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (dir == NULL)
        return error_sys(err, "cannot list %s", name);
    while (found->len == 0 && io_next_name(dir, &e))
        if (has_base(e->d_name, base))
            buf_addf(found, "%s/%s", name, e->d_name);
    if (found->len == 0 && errno != 0)
        rc = error_sys(err, "cannot list %s", name);
    closedir(dir);
    return rc;
}

static int search_folder(int dir, const char *folder, struct view base,
                         struct buf *found, struct error *err)
{
    static const char *const parts[] = { "new", "cur" };

    for (int i = 0; i < 2 && found->len == 0; i++) {
        struct buf path = BUF_INIT;
        int rc;

        buf_addf(&path, "%s%s%s", folder, *folder ? "/" : "", parts[i]);
        rc = search(dir, buf_text(&path), base, found, err);
        buf_release(&path);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* In the mailbox and in all its folders (Maildir++: ".Name"). */
static int search_all(const struct maildir *m, struct view base,
                      struct buf *found, struct error *err)
{
    DIR *dir = io_open_dir(m->dir, ".");
    struct dirent *e;
    bool more = true;
    int rc;

    if (dir == NULL)
        return error_sys(err, "cannot list %s", m->path);
    rc = search_folder(m->dir, "", base, found, err);
    while (rc == 0 && found->len == 0 && (more = io_next_name(dir, &e)))
        if (e->d_name[0] == '.' &&
            (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
            rc = search_folder(m->dir, e->d_name, base, found, err);
    if (!more && errno != 0)
        rc = error_sys(err, "cannot list %s", m->path);
    closedir(dir);
    return rc;
}

/* --- is it the same? --------------------------------------------------- */

static bool same_bytes(int fd, uint64_t at, struct view v)
{
    char chunk[4096];

    while (v.len > 0) {
        size_t part = v.len < sizeof chunk ? v.len : sizeof chunk;
        struct error err;

        if (io_pread_all(fd, chunk, part, at, "", &err) < 0 ||
            memcmp(chunk, v.data, part) != 0)
            return false;
        at += part;
        v = view_sub(v, part, v.len);
    }
    return true;
}

static bool is_same(int dir, const char *path,
                    const struct maildir_message *msg)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
                                   O_NONBLOCK);
    struct stat st;
    bool same;

    if (fd < 0)
        return false;
    same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == msg->head.len + msg->len &&
           same_bytes(fd, 0, msg->head);
    for (uint64_t at = 0; same && at < msg->len;) {
        char chunk[65536];
        size_t part = msg->len - at < sizeof chunk ? (size_t)(msg->len - at)
                                                   : sizeof chunk;
        struct error err;

        same = io_pread_all(msg->fd, chunk, part, msg->offset + at, "",
                            &err) == 0 &&
               same_bytes(fd, msg->head.len + at,
                          (struct view){ chunk, part });
        at += part;
    }
    close(fd);
    return same;
}

/* --- delivering -------------------------------------------------------- */

static int write_message(int fd, const struct maildir_message *msg,
                         uint64_t mtime_us, struct error *err)
{
    struct timespec times[2] = {
        { .tv_sec = (time_t)(mtime_us / 1000000),
          .tv_nsec = (long)(mtime_us % 1000000) * 1000 },
    };

    times[1] = times[0];
    if (io_write_all(fd, msg->head.data, msg->head.len, "the mailbox", err) <
            0 ||
        io_copy(msg->fd, msg->offset, msg->len, fd, "the mailbox", err) < 0)
        return -1;
    if (futimens(fd, times) < 0)
        return error_sys(err, "cannot set a message's time");
    if (io_sync(fd) < 0)
        return error_sys(err, "cannot sync a message");
    return 0;
}

/* Link under `name`; when that is taken by another message, under a name next
 * to it. */
static int link_as(struct maildir *m, int fd, const char *name,
                   const struct maildir_message *msg,
                   enum maildir_result *result, struct error *err)
{
    struct buf other = BUF_INIT;
    int rc = 0;

    *result = MAILDIR_DELIVERED;
    if (nameless_link(fd, m->new_dir, name) == 0)
        goto out;
    if (errno == EEXIST && is_same(m->new_dir, name, msg)) {
        *result = MAILDIR_ALREADY;
        goto out;
    }
    for (int i = 1; errno == EEXIST && i <= 100; i++) {
        log_warning("mailbox %s: the name %s is taken by another message",
                    m->path, name);
        buf_reset(&other);
        buf_addf(&other, "%d-%s", i, name);
        if (nameless_link(fd, m->new_dir, buf_text(&other)) == 0)
            goto out;
    }
    rc = error_sys(err, "cannot link a message into %s/new", m->path);
out:
    buf_release(&other);
    return rc;
}

static int find_earlier(struct maildir *m, const char *name,
                        const struct maildir_message *msg, bool *there,
                        struct error *err)
{
    struct buf found = BUF_INIT;
    int rc = search_all(m, view_of(name), &found, err);

    *there = rc == 0 && found.len > 0 && is_same(m->dir, found.data, msg);
    buf_release(&found);
    return rc;
}

int maildir_deliver(struct maildir *m, const char *name,
                    const struct maildir_message *msg, uint64_t mtime_us,
                    bool suspect, enum maildir_result *result,
                    struct error *err)
{
    bool there = false;
    int fd, rc = -1;

    if (suspect && find_earlier(m, name, msg, &there, err) < 0)
        return -1;
    if (there) {
        *result = MAILDIR_ALREADY;
        /* It is there, but perhaps not yet for good. */
        if (io_sync(m->new_dir) < 0 || io_sync(m->cur_dir) < 0)
            return error_sys(err, "cannot sync %s", m->path);
        return 0;
    }
    fd = nameless_open(m->new_dir, 0600, err);
    if (fd < 0)
        return -1;
    if (write_message(fd, msg, mtime_us, err) < 0 ||
        link_as(m, fd, name, msg, result, err) < 0)
        goto out;
    if (io_sync(m->new_dir) < 0) {
        error_sys(err, "cannot sync %s/new", m->path);
        goto out;
    }
    rc = 0;
out:
    close(fd);
    return rc;
}
