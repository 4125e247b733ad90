/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fuzz/fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

#define FIRST_INPUTS 10

void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

void fuzz_quiet(void)
{
    static int null = -1;

    if (null < 0)
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_open(null); /* no socket: each line is dropped */
}

void fuzz_configure(const struct param *params, void *conf,
                    const char *main_cf)
{
    struct config *cfg;
    struct error err;

    MUST(config_parse(&cfg, view_of(main_cf), "main.cf", &err) == 0);
    MUST(config_load(cfg, params, conf, &err) == 0);
    config_free(&cfg);
}

int fuzz_file(struct view bytes)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    MUST(fd >= 0);
    MUST(write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len);
    return fd;
}

/* Some are opened by need: the most of the first inputs counts. Two pipes more
 * are the sanitizer's, to the program that names functions. */
void fuzz_closed_all(void)
{
    static unsigned n, most;
    unsigned open = 0;
    struct dirent *e;
    DIR *dir = io_open_dir(AT_FDCWD, "/proc/self/fd");

    MUST(dir != NULL);
    while (io_next_name(dir, &e))
        open++;
    closedir(dir);
    n += n < FIRST_INPUTS;
    if (n < FIRST_INPUTS && open > most)
        most = open;
    MUST(open <= most + 4);
}

/* --- a directory ------------------------------------------------------- */

static struct {
    char path[100];
    int fd;
    pid_t owner;
} place;

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    return at->level > 0 ? remove(path) : 0;
}

void fuzz_clear(void)
{
    MUST(nftw(place.path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void leave(void)
{
    if (getpid() != place.owner)
        return;
    fuzz_clear();
    rmdir(place.path);
}

/* In memory: the disk is not what is tested. */
int fuzz_directory(void)
{
    if (place.owner != 0)
        return place.fd;
    snprintf(place.path, sizeof place.path, "%s/postern-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    MUST(mkdtemp(place.path) != NULL);
    MUST(chdir(place.path) == 0);
    place.fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    MUST(place.fd >= 0);
    place.owner = getpid();
    atexit(leave);
    return place.fd;
}

/* --- signals ----------------------------------------------------------- */

static bool own_signals;

int __real_sigaction(int sig, const struct sigaction *new,
                     struct sigaction *old);
int __wrap_sigaction(int sig, const struct sigaction *new,
                     struct sigaction *old);

/* libFuzzer has called it before the first input. */
int __wrap_sigaction(int sig, const struct sigaction *new,
                     struct sigaction *old)
{
    return place.owner == 0 || own_signals ? __real_sigaction(sig, new, old)
                                           : 0;
}

/* Not there where no sanitizer is linked in. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*call)(void));

void fuzz_own_signals(void)
{
    own_signals = true;
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(abort);
}
