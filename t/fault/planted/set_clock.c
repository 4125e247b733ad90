/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock that a test sets, for the programs that it preloads this into: the
 * wall clock is ahead by the microseconds that stand, as an int64_t, in the
 * file named by POSTERN_SET_CLOCK. It is mapped before the program enters its
 * jail, so that a change is seen at once by all.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_us;

__attribute__((constructor)) static void find_file(void)
{
    const char *name = getenv("POSTERN_SET_CLOCK");
    int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *map = mmap(NULL, sizeof *ahead_us, PROT_READ, MAP_SHARED, fd, 0);

    if (map != MAP_FAILED)
        ahead_us = map;
    if (fd >= 0)
        close(fd);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int rc = (int)syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && ahead_us != NULL &&
        (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t us = *ahead_us + ts->tv_nsec / 1000;
        int64_t seconds = us / 1000000 - (us % 1000000 < 0);

        ts->tv_sec += seconds;
        ts->tv_nsec = (us - seconds * 1000000) * 1000;
    }
    return rc;
}

time_t time(time_t *out)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (out != NULL)
        *out = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &ts);
    *tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
    return 0;
}
