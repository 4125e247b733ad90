/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An index whose file was damaged. The input is a list of changes to the file
 * data.mdb of a good index, five bytes each: what, where (three bytes), and a
 * byte; the mailboxes are as they were.
 *
 * What must hold, within a few openings: the mailbox can be read, and no UID
 * names another message than before, unless UIDVALIDITY says so by having
 * risen.
 *
 * LMDB trusts the file that it maps: a session may end by a signal in it. So
 * each works in a child, and one that ended so must have left word for the
 * next (lib/index/env.c), which then does not. Any other end is a finding.
 * (A child's coverage is not seen, so that libFuzzer mutates blindly here; the
 * values themselves are fuzz_index_value's matter.)
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/mail.h"

#define DATA "index/data.mdb"
#define N_MESSAGES 3
#define PAGE 4096
#define SESSIONS 4 /* that the index may need to be well again */

static struct {
    struct buf file;               /* of the good index */
    uint32_t validity;
    uint32_t uids[N_MESSAGES + 1]; /* of the messages, by number */
} good;

static struct mailbox *open_inbox(struct store *s)
{
    enum store_why why;
    struct error err;

    return mailbox_open(s, VIEW("INBOX"), false, &why, &err);
}

/* --- the good one ------------------------------------------------------ */

/* A flag and an expunge make it have a past. */
static void make_good(void)
{
    size_t first = 0;
    struct mailbox_change change = { .how = MAILBOX_ADD,
                                     .flags = MAILBOX_FLAGGED };
    bool modified = false;
    struct error err;
    struct store *s;
    struct mailbox *m;

    store_prepare();
    mail_make();
    MUST((s = mail_open()) != NULL && (m = open_inbox(s)) != NULL);
    MUST(mailbox_store(m, &first, 1, &change, &modified, &err) == 0);
    MUST(m->n == N_MESSAGES);
    good.validity = m->uid_validity;
    for (size_t i = 0; i < m->n; i++)
        good.uids[mail_number(m, i)] = m->entries[i].uid;
    mailbox_close(&m);
    store_close(&s);
    buf_reset(&good.file);
    MUST(io_read_file(AT_FDCWD, DATA, &good.file, 1u << 24, &err) == 0);
}

/* --- damage ------------------------------------------------------------ */

enum { FLIP, SET, ZERO_PAGE, COPY_PAGE, CUT, N_WHAT };

static void damage_one(struct buf *b, const uint8_t *d)
{
    size_t at = (d[1] | (size_t)d[2] << 8 | (size_t)d[3] << 16) %
                (b->len ? b->len : 1);
    size_t page = at / PAGE * PAGE;

    if (b->len < PAGE)
        return;
    switch (d[0] % N_WHAT) {
    case FLIP:
        b->data[at] ^= (char)(1 << d[4] % 8);
        return;
    case SET:
        b->data[at] = (char)d[4];
        return;
    case ZERO_PAGE:
        if (page + PAGE <= b->len)
            memset(b->data + page, 0, PAGE);
        return;
    case COPY_PAGE:
        if (page + PAGE <= b->len)
            memmove(b->data + d[4] * (size_t)PAGE % b->len / PAGE * PAGE,
                    b->data + page, PAGE);
        return;
    default:
        buf_cut(b, at);
        return;
    }
}

static void put_damaged(const uint8_t *data, size_t len)
{
    struct buf b = BUF_INIT;
    int fd;

    buf_add_view(&b, buf_view(&good.file));
    for (size_t i = 0; i + 5 <= len; i += 5)
        damage_one(&b, data + i);
    fd = open(DATA, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST(fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    buf_release(&b);
}

/* --- sessions ---------------------------------------------------------- */

enum { FINE, AGAIN, WRONG_VALIDITY, WRONG_UID, WRONG_COUNT };

static int look(struct mailbox *m)
{
    bool same = m->uid_validity == good.validity;

    if (m->uid_validity < good.validity)
        return WRONG_VALIDITY;
    for (size_t i = 0; i < m->n; i++) {
        unsigned number = mail_number(m, i);

        if (m->entries[i].uid >= m->uid_next ||
            (i > 0 && m->entries[i].uid <= m->entries[i - 1].uid) ||
            (same && m->entries[i].uid != good.uids[number]))
            return WRONG_UID;
    }
    return m->n == N_MESSAGES ? FINE : WRONG_COUNT;
}

/* What one session finds. */
static int session(void)
{
    struct store *s = mail_open();
    struct mailbox *m = s != NULL ? open_inbox(s) : NULL;
    int found = AGAIN;
    struct error err;

    if (m != NULL && mailbox_sync(m, true, false, NULL, &err) !=
                         MAILBOX_FAILED)
        found = look(m);
    if (m != NULL)
        mailbox_close(&m);
    if (s != NULL)
        store_close(&s);
    return found;
}

static int session_in_child(void)
{
    int status;
    pid_t pid = fork();

    MUST(pid >= 0);
    if (pid == 0) {
        alarm(10);
        fuzz_own_signals();
        _exit(session());
    }
    while (waitpid(pid, &status, 0) < 0)
        MUST(errno == EINTR); /* libFuzzer's clock */
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    MUST(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS ||
         WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGFPE);
    return AGAIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int found = AGAIN;

    fuzz_directory();
    fuzz_quiet();
    if (good.file.len == 0 || access("index.damaged", F_OK) == 0)
        make_good(); /* the last one was made anew */
    if (len > 100)
        return 0;
    put_damaged(data, len);
    for (int i = 0; found == AGAIN && i < SESSIONS; i++)
        found = session_in_child();
    if (found != FINE)
        fprintf(stderr, "found %d\n", found);
    MUST(found == FINE);
    fuzz_closed_all();
    return 0;
}
