/* SPDX-License-Identifier: BSD-2-Clause */
#include "maildir/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/io.h"

/* --- names ------------------------------------------------------------- */

static bool is_plain(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '+' ||
           c == '=' || c == '@' || c == '~';
}

/* One component: what could mislead a path or a shell is %XX, and so is a
 * leading dot. Upper and lower case are one account (authd folds them). */
static bool add_component(struct buf *out, struct view v)
{
    size_t start = out->len;

    if (v.len == 0)
        return false;
    for (size_t i = 0; i < v.len; i++) {
        char c = v.data[i];

        if (is_plain(c) && !(i == 0 && c == '.'))
            buf_add_char(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned char)c);
    }
    return out->len - start <= 255;
}

bool maildir_account_path(struct buf *out, struct view account)
{
    size_t at = view_rindex(account, '@');

    if (at == account.len ||
        !add_component(out, view_sub(account, at + 1, account.len)))
        return false;
    buf_add_char(out, '/');
    return add_component(out, view_sub(account, 0, at));
}

/* --- opening ----------------------------------------------------------- */

static int open_beneath(int dir, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                   RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* Open the directory `name` in `dir`, making it if it is missing. A name that
 * is there may not be durable yet, for all we know: its maker may have died
 * before the sync. So the parent is synced whenever we may have to make it. */
static int enter(int dir, const char *name, bool create, struct error *err)
{
    int fd;

    if (create) {
        if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
            return error_sys(err, "cannot make the directory %s", name);
        if (io_sync(dir) < 0)
            return error_sys(err, "cannot sync the directory above %s", name);
    }
    fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return error_sys(err, "cannot open the directory %s", name);
    return fd;
}

/* Make every directory of `path` below `root`; returns the last. */
static int make_path(int root, const char *path, struct error *err)
{
    struct view rest = view_of(path), part;
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);

    if (dir < 0)
        return error_sys(err, "cannot duplicate a descriptor");
    while (view_cut(&rest, '/', &part)) {
        char name[256];
        int next = -1;

        if (!view_copy(part, name, sizeof name))
            error_set(err, FAIL_PERM, "%s has a component that is too long",
                      path);
        else
            next = enter(dir, name, true, err);
        close(dir);
        if (next < 0)
            return -1;
        dir = next;
    }
    return dir;
}

static int open_parts(struct maildir *m, bool create, struct error *err)
{
    int tmp = enter(m->dir, "tmp", create, err);

    if (tmp < 0)
        return -1;
    close(tmp);
    m->new_dir = enter(m->dir, "new", create, err);
    if (m->new_dir < 0)
        return -1;
    m->cur_dir = enter(m->dir, "cur", create, err);
    return m->cur_dir < 0 ? -1 : 0;
}

int maildir_open(struct maildir *m, int root, const char *path, bool create,
                 struct error *err)
{
    *m = (struct maildir){ .dir = -1, .new_dir = -1, .cur_dir = -1,
                           .path = path };
    m->dir = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
    if (m->dir < 0 && errno == ENOENT && create)
        m->dir = make_path(root, path, err);
    else if (m->dir < 0)
        error_sys(err, "cannot open the mailbox %s", path);
    else if (open_parts(m, false, err) == 0)
        return 0;
    if (m->dir >= 0 && create && open_parts(m, true, err) == 0)
        return 0;
    maildir_close(m);
    return error_prefix(err, "mailbox %s", path);
}

void maildir_close(struct maildir *m)
{
    io_close(&m->dir);
    io_close(&m->new_dir);
    io_close(&m->cur_dir);
}
