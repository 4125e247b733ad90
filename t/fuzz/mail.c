/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fuzz/mail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    size_t len = strlen(text);

    MUST(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
}

static void make_maildir(const char *path)
{
    static const char *const parts[] = { "/tmp", "/new", "/cur" };
    char name[100];

    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, parts[i]);
        MUST(mkdir(name, 0700) == 0);
    }
}

void mail_make(void)
{
    fuzz_clear();
    make_maildir(".");
    MUST(mkdir(".Work", 0700) == 0);
    make_maildir(".Work");
    put("cur/1.first,S=12:2,S", "N: 1\nA: b\n\nc\n");
    put("cur/2.second:2,FR",
        "N: 2\r\n"
        "From: Ann <ann@one.example>, (x) bob@two.example\r\n"
        "Subject: =?utf-8?q?caf=C3=A9?=\r\n"
        "Date: Tue, 1 Feb 1994 10:00:00 +0000\r\n"
        "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nY2Fmw6k=\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: inside\r\n\r\ntext\r\n--b--\r\n");
    put("new/3.third", "N: 3\r\n\r\nno end");
    put(".Work/cur/4.fourth:2,", "N: 4\r\nTo: x:;\r\n\r\n");
}

struct store *mail_open(void)
{
    struct store_options o = { .account = "ann@one.example", .host = "host",
                               .lock_ms = 1000 };
    struct error err;

    return store_open(fuzz_directory(), &o, &err);
}

unsigned mail_number(struct mailbox *m, size_t index)
{
    uint64_t len, bare;
    struct error err;
    char head[4];
    int fd = mailbox_file(m, index, &len, &bare, &err);

    MUST(fd >= 0);
    MUST(pread(fd, head, 4, 0) == 4 && memcmp(head, "N: ", 3) == 0);
    close(fd);
    return (unsigned)(head[3] - '0');
}

void mail_check(struct mailbox *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct mailbox_entry *e = &m->entries[i];
        uint64_t len, bare;
        struct error err;
        int fd = mailbox_file(m, i, &len, &bare, &err);

        MUST(e->uid > 0 && e->uid < m->uid_next);
        MUST(i == 0 || e->uid > m->entries[i - 1].uid);
        MUST(e->modseq <= m->highest_modseq);
        MUST(fd >= 0 && e->size == len + bare);
        close(fd);
    }
}
