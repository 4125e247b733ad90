/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queue ids hold the time they were made. A clock set back must not make one
 * twice, so time for ids only goes forward: it starts at the later of the
 * clock and the floor, and the floor on disk is always ahead of it.
 */
#include "master/master.h"

#include <errno.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

#define AHEAD_US   (10u * 60 * 1000000) /* how far the floor is ahead */
#define RENEW_MS   (4u * 60 * 1000)     /* how often it is moved */
#define FLOOR_NAME "id_floor"

uint64_t ids_now(const struct master *m)
{
    return m->id_base + (clock_mono_us() - m->id_mono);
}

/* Replace the file: a torn number must never be read. */
static int write_floor(struct master *m, uint64_t floor, struct error *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)floor);

    if (io_replace_file(m->queue_dir, FLOOR_NAME, text, (size_t)len, 0600,
                        err) < 0)
        return error_prefix(err, "in the queue directory");
    return 0;
}

static int read_floor(struct master *m, uint64_t *floor, struct error *err)
{
    struct buf b = BUF_INIT;
    int rc = 0;

    *floor = 0;
    if (io_read_file(m->queue_dir, FLOOR_NAME, &b, 64, err) < 0)
        rc = err->sys == ENOENT ? 0 : -1;
    else if (!view_number(view_trim(buf_view(&b)), 1ULL << 52, floor))
        rc = error_set(err, FAIL_PERM, "%s/" FLOOR_NAME " does not hold one "
                       "number; it keeps queue ids from being used twice: "
                       "write the microseconds since 1970 of the newest "
                       "queue file into it", m->conf.queue_directory);
    buf_release(&b);
    return rc;
}

static void renew(struct timer *t)
{
    struct master *m = list_entry(t, struct master, ids_timer);
    struct error err;

    if (write_floor(m, ids_now(m) + AHEAD_US, &err) < 0)
        log_error("%s", err.text);
    timer_set(&m->loop, t, RENEW_MS);
}

int ids_open(struct master *m, struct error *err)
{
    uint64_t floor;

    if (read_floor(m, &floor, err) < 0)
        return -1;
    m->id_mono = clock_mono_us();
    m->id_base = clock_real_us();
    if (m->id_base <= floor)
        m->id_base = floor + 1;
    if (write_floor(m, m->id_base + AHEAD_US, err) < 0)
        return -1;
    m->ids_timer.fire = renew;
    timer_set(&m->loop, &m->ids_timer, RENEW_MS);
    return 0;
}

void ids_close(struct master *m)
{
    struct error err;

    if (write_floor(m, ids_now(m) + 1, &err) < 0)
        log_error("%s", err.text);
}
