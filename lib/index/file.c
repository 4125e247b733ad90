/* SPDX-License-Identifier: BSD-2-Clause */
/* Maildir's files, "<base>:2,<flags>", and the directories they are in. */
#include "index/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "index/internal.h"

/* Odd: any two lives differ in what a stamp makes of them. */
#define LIFE_MIX 0x9e3779b97f4a7c15ull

/* In the order of their letters, as names have them. */
static const struct {
    char letter;
    uint32_t flag;
} letters[] = {
    { 'D', MAILBOX_DRAFT }, { 'F', MAILBOX_FLAGGED },
    { 'R', MAILBOX_ANSWERED }, { 'S', MAILBOX_SEEN },
    { 'T', MAILBOX_DELETED },
};

struct view file_base(struct view file)
{
    return view_sub(file, 0, view_index(file, ':'));
}

static struct view file_letters(struct view file)
{
    struct view tail = view_sub(file, view_index(file, ':'), file.len);

    return view_starts(tail, ":2,") ? view_sub(tail, 3, tail.len) : VIEW("");
}

static uint32_t flag_of(char letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == letter)
            return letters[i].flag;
    return 0;
}

uint32_t file_flags(struct view file)
{
    struct view v = file_letters(file);
    uint32_t flags = 0;

    for (size_t i = 0; i < v.len; i++)
        flags |= flag_of(v.data[i]);
    return flags;
}

void file_rename(struct buf *out, struct view file, uint32_t flags)
{
    struct view old = file_letters(file);

    buf_add_view(out, file_base(file));
    buf_add_text(out, ":2,");
    for (int c = '!'; c < 0x7f; c++) {
        uint32_t flag = flag_of((char)c);

        if (flag != 0 ? (flags & flag) != 0
                      : memchr(old.data, c, old.len) != NULL)
            buf_add_char(out, (char)c);
    }
}

bool file_mirror(struct folder *f, struct msg *m, struct buf *to)
{
    bool renames;

    struct buf from = BUF_INIT;

    buf_add_view(&from, m->file);
    buf_reset(to);
    file_rename(to, m->file, m->flags);
    renames = m->in_new || !view_eq(buf_view(to), m->file);
    if (renames) {
        if (renameat(m->in_new ? f->new_dir : f->cur_dir, buf_text(&from),
                     f->cur_dir, buf_text(to)) < 0) {
            buf_release(&from);
            return false;
        }
        m->file = buf_view(to);
        m->in_new = false;
    }
    m->mirrored = m->flags & ~(uint32_t)MAILBOX_RECENT;
    buf_release(&from);
    return renames;
}

uint64_t file_count_bare(int fd, uint64_t len)
{
    char chunk[65536], before = '\0';
    uint64_t bare = 0;

    for (uint64_t at = 0; at < len;) {
        ssize_t n = pread(fd, chunk, sizeof chunk, (off_t)at);

        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++) {
            bare += chunk[i] == '\n' && before != '\r';
            before = chunk[i];
        }
        at += (uint64_t)n;
    }
    return bare;
}

bool file_was_put_back(int64_t changed, uint64_t expunged)
{
    return changed > (int64_t)expunged;
}

/* --- directories ------------------------------------------------------- */

static int open_directory(int at, const char *path, const char *name)
{
    char full[STORE_NAME_MAX + 10];

    snprintf(full, sizeof full, "%s/%s", path, name);
    return openat(at, full, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int folder_open(struct store *s, struct view name, struct folder *f,
                struct error *err)
{
    *f = (struct folder){ .new_dir = -1, .cur_dir = -1, .life = s->o.life };
    store_path(name, f->path);
    f->cur_dir = open_directory(s->dir, f->path, "cur");
    if (f->cur_dir >= 0)
        f->new_dir = open_directory(s->dir, f->path, "new");
    if (f->new_dir >= 0)
        return 1;
    if (errno == ENOENT || errno == ENOTDIR) {
        folder_close(f);
        return 0;
    }
    error_sys(err, "cannot open the mailbox %.*s", VIEW_ARG(name));
    folder_close(f);
    return -1;
}

void folder_close(struct folder *f)
{
    io_close(&f->new_dir);
    io_close(&f->cur_dir);
}

struct stamp_of folder_stamp(const struct folder *f, int dir)
{
    struct stat st;

    if (fstat(dir, &st) < 0)
        return (struct stamp_of){ 0, 0 };
    return (struct stamp_of){ (uint64_t)st.st_mtim.tv_sec * 1000000000 +
                                  (uint64_t)st.st_mtim.tv_nsec,
                              st.st_ino ^ f->life * LIFE_MIX };
}

bool stamp_is_same(struct stamp_of a, struct stamp_of b)
{
    return a.mtime_ns == b.mtime_ns && a.which == b.which;
}

/* Other programs make files in new/ at any time, so that one is never taken
 * as seen after a change; in cur/ they do it rarely, and what slips through
 * is found at that directory's next change. */
void folder_changed(struct folder *f, struct box *b,
                    const struct stamp_of *before)
{
    if (stamp_is_same(*before, b->cur_dir))
        b->cur_dir = folder_stamp(f, f->cur_dir);
}
