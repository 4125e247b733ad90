/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be done to queue entries. A target is the path of a file as the
 * program that we are in may hope to reach it; each operation also tries the
 * path on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "redteam.h"

/* Targets are "below,host": relative to the root directory, and absolute. */
static bool either(struct daemon *d, const char *targets, const char *call,
                   bool (*act)(int at, const char *path))
{
    struct view rest = view_of(targets), word;

    while (view_word(&rest, ",", &word)) {
        char path[1200];
        int at = d->root >= 0 ? d->root : AT_FDCWD;

        if (view_copy(word, path, sizeof path) && act(at, path))
            return true;
    }
    return redteam_no(call);
}

static bool opened(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool act_create(int at, const char *path)
{
    return opened(openat(at, path, O_WRONLY | O_CREAT | O_EXCL, 0400));
}

static bool act_read(int at, const char *path)
{
    return opened(openat(at, path, O_RDONLY));
}

static bool act_append(int at, const char *path)
{
    int fd = openat(at, path, O_WRONLY);
    bool wrote = fd >= 0 && pwrite(fd, "x", 1, 0) == 1;

    return opened(fd) && wrote;
}

static bool act_truncate(int at, const char *path)
{
    return opened(openat(at, path, O_WRONLY | O_TRUNC));
}

static bool act_unlink(int at, const char *path)
{
    return unlinkat(at, path, 0) == 0;
}

static bool act_rename(int at, const char *path)
{
    char to[1300];

    snprintf(to, sizeof to, "%s.moved", path);
    return renameat(at, path, at, to) == 0;
}

static bool act_link(int at, const char *path)
{
    char to[1300];

    snprintf(to, sizeof to, "%s.again", path);
    return linkat(at, path, at, to, 0) == 0;
}

static bool act_chmod(int at, const char *path)
{
    return fchmodat(at, path, 0666, 0) == 0;
}

#define OPERATION(name)                                             \
    static bool reach_##name(struct daemon *d, const char *targets) \
    {                                                               \
        return either(d, targets, #name, act_##name);               \
    }

OPERATION(create)
OPERATION(read)
OPERATION(append)
OPERATION(truncate)
OPERATION(unlink)
OPERATION(rename)
OPERATION(link)
OPERATION(chmod)

const struct goal queue_goals[] = {
    { "queue-create", reach_create },     { "queue-read", reach_read },
    { "queue-append", reach_append },     { "queue-truncate", reach_truncate },
    { "queue-unlink", reach_unlink },     { "queue-rename", reach_rename },
    { "queue-link", reach_link },         { "queue-chmod", reach_chmod },
    { NULL, NULL },
};
