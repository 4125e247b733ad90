/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/common/offline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/qfile.h"
#include "tools/common/command.h"

static const char *const queues[] = { "incoming", "active", "deferred",
                                      "hold" };

/* A queue that no master has ever run has no lock file. */
static bool lock(int dir)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = openat(dir, "pid/master.pid", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT;
    return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

int offline_begin(void)
{
    char *path = command_value("queue_directory");
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(path);
    if (dir >= 0 && faccessat(dir, "deferred", R_OK | W_OK, 0) == 0 &&
        lock(dir)) {
        command_say("warning", "Mail system is down -- accessing queue "
                    "directly");
        return dir;
    }
    if (dir >= 0)
        close(dir);
    return -1;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_message(const struct dirent *e)
{
    return qfile_is_id(view_of(e->d_name));
}

void offline_each(int dir, const char *only,
                  void (*fn)(int dir, const char *queue, const char *id,
                             void *arg),
                  void *arg)
{
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        struct dirent **list = NULL;
        int n;

        if (only[0] != '\0' && strcmp(only, queues[i]) != 0)
            continue;
        n = scandirat(dir, queues[i], &list, is_message, by_name);
        for (int j = 0; j < n; j++) {
            fn(dir, queues[i], list[j]->d_name, arg);
            free(list[j]);
        }
        free(list);
    }
}
