/* SPDX-License-Identifier: BSD-2-Clause */
#include "maildir/quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define FILE_NAME "maildirsize"
#define LENGTH_MAX 5120 /* bytes of the file; longer, it is made anew */
#define LOCK_TRIES 50 /* 10 ms apart */
#define FRESH_S   900  /* seconds for which a sum over the limit is trusted */

struct sum {
    int64_t bytes, messages;
};

/* --- adding up --------------------------------------------------------- */

/* The size that is in a file's name (",S=123"), or the file's own. */
static int64_t size_of(int dir, const char *name)
{
    const char *at = strstr(name, ",S=");
    struct stat st;
    uint64_t n;

    if (at != NULL &&
        view_number(view_sub(view_of(at), 3, 3 + strspn(at + 3, "0123456789")),
                    INT64_MAX, &n))
        return (int64_t)n;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : 0;
}

static int add_directory(int parent, const char *path, struct sum *sum,
                         struct error *err)
{
    DIR *dir = io_open_dir(parent, path);
    struct dirent *e;
    int rc = 0;

    if (dir == NULL && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0;
    if (dir == NULL)
        return error_sys(err, "cannot list %s", path);
    while (io_next_name(dir, &e)) {
        if (e->d_name[0] == '.')
            continue;
        /* Names are the account's own: they may claim anything. */
        if (__builtin_add_overflow(sum->bytes, size_of(dirfd(dir), e->d_name),
                                   &sum->bytes))
            sum->bytes = INT64_MAX;
        sum->messages++;
    }
    if (errno != 0)
        rc = error_sys(err, "cannot list %s", path);
    closedir(dir);
    return rc;
}

static int add_folder(int parent, const char *folder, struct sum *sum,
                      struct error *err)
{
    char path[300];

    snprintf(path, sizeof path, "%s/new", folder);
    if (add_directory(parent, path, sum, err) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/cur", folder);
    return add_directory(parent, path, sum, err);
}

static int add_up(int account, struct sum *sum, struct error *err)
{
    DIR *dir = io_open_dir(account, ".");
    struct dirent *e;
    bool more = true;
    int rc;

    if (dir == NULL)
        return error_sys(err, "cannot list the mailbox");
    *sum = (struct sum){ 0, 0 };
    rc = add_folder(account, ".", sum, err);
    while (rc == 0 && (more = io_next_name(dir, &e)))
        if (e->d_name[0] == '.' && e->d_name[1] != '.' &&
            strlen(e->d_name) < 280)
            rc = add_folder(account, e->d_name, sum, err);
    if (!more && errno != 0)
        rc = error_sys(err, "cannot list the mailbox");
    closedir(dir);
    return rc;
}

/* --- the file ---------------------------------------------------------- */

static bool parse_number(struct view v, int64_t *out)
{
    bool minus = v.len > 0 && v.data[0] == '-';
    uint64_t n;

    if (!view_number(minus ? view_sub(v, 1, v.len) : v, INT64_MAX / 4096, &n))
        return false;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool parse(struct view text, uint64_t limit, struct sum *sum)
{
    struct view line, word;
    uint64_t made_for;

    if (!view_cut(&text, '\n', &line) || !view_ends(line, "S") ||
        !view_number(view_sub(line, 0, line.len - 1), UINT64_MAX,
                     &made_for) || made_for != limit)
        return false;
    *sum = (struct sum){ 0, 0 };
    while (view_cut(&text, '\n', &line) && line.len > 0) {
        int64_t bytes, messages;

        if (!view_word(&line, " ", &word) || !parse_number(word, &bytes) ||
            !view_word(&line, " ", &word) || !parse_number(word, &messages))
            return false;
        sum->bytes += bytes;
        sum->messages += messages;
    }
    return sum->bytes >= 0 && sum->messages >= 0;
}

/* What the file says, if it can be trusted; *age in seconds. */
static bool load(int account, uint64_t limit, struct sum *sum, uint64_t *age)
{
    uint64_t now = clock_real_us() / 1000000;
    struct buf text = BUF_INIT;
    struct error ignored;
    struct stat st;
    bool good;

    if (fstatat(account, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode) || st.st_size > LENGTH_MAX)
        return false;
    good = io_read_file(account, FILE_NAME, &text, LENGTH_MAX, &ignored) == 0 &&
           parse(buf_view(&text), limit, sum);
    *age = now > (uint64_t)st.st_mtime ? now - (uint64_t)st.st_mtime : 0;
    buf_release(&text);
    return good;
}

/* In place: who reads it meanwhile finds a file that makes no sense, and makes
 * it anew as well. */
static void save(int account, uint64_t limit, const struct sum *sum)
{
    int fd = openat(account, FILE_NAME,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    char text[100];
    int len = snprintf(text, sizeof text, "%lluS\n%lld %lld\n",
                       (unsigned long long)limit, (long long)sum->bytes,
                       (long long)sum->messages);

    if (fd < 0)
        return;
    if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)len) != len)
        quota_forget(account);
    close(fd);
}

/* Wait for the file's lock, but not for one who was stopped while he had it:
 * then the limit may be overshot. The lock goes with the descriptor. */
static int lock(int account)
{
    struct flock how = { .l_type = F_WRLCK };
    int fd = openat(account, FILE_NAME,
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        struct timespec step = { 0, 10 * 1000000 };

        if (fcntl(fd, F_OFD_SETLK, &how) == 0)
            break;
        nanosleep(&step, NULL);
    }
    return fd;
}

static int has_room(int dir, uint64_t limit, uint64_t bytes, bool *has,
                    struct error *err)
{
    struct sum sum;
    uint64_t age;

    if (load(dir, limit, &sum, &age)) {
        *has = (uint64_t)sum.bytes + bytes <= limit;
        if (*has || age < FRESH_S)
            return 0;
    }
    if (add_up(dir, &sum, err) < 0)
        return -1;
    save(dir, limit, &sum);
    *has = (uint64_t)sum.bytes + bytes <= limit;
    return 0;
}

int quota_take(int dir, uint64_t limit, uint64_t bytes, uint64_t messages,
               bool *taken, struct error *err)
{
    int fd, rc;

    *taken = true;
    if (limit == 0)
        return 0;
    fd = lock(dir);
    rc = has_room(dir, limit, bytes, taken, err);
    if (rc == 0 && *taken)
        quota_note(dir, limit, (int64_t)bytes, (int64_t)messages);
    io_close(&fd);
    return rc;
}

void quota_note(int dir, uint64_t limit, int64_t bytes, int64_t messages)
{
    char text[60];
    int len, fd;

    if (limit == 0)
        return;
    fd = openat(dir, FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    len = snprintf(text, sizeof text, "%lld %lld\n", (long long)bytes,
                   (long long)messages);
    if (write(fd, text, (size_t)len) != len)
        quota_forget(dir);
    close(fd);
}

/* Emptied, not removed: local may not remove anything. */
void quota_forget(int dir)
{
    int fd = openat(dir, FILE_NAME,
                    O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

    io_close(&fd);
}
