/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UIDVALIDITY (RFC 3501 §2.3.1.1): the highest that was ever given stands in a
 * small file beside the index, which survives the index.
 */
#include <time.h>

#include "base/io.h"
#include "index/internal.h"

#define FILE_NAME "uidvalidity"

/* A file that is missing or rubbish: the clock alone must do. */
static uint64_t read_highest(struct store *s)
{
    struct buf text = BUF_INIT;
    struct error err;
    uint64_t n = 0;

    if (io_read_file(s->dir, FILE_NAME, &text, 100, &err) < 0 ||
        !view_number(view_trim(buf_view(&text)), UINT32_MAX, &n))
        n = 0;
    buf_release(&text);
    return n;
}

static int write_highest(struct store *s, uint64_t n, struct error *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%llu\n", (unsigned long long)n);

    return io_replace_file(s->dir, FILE_NAME, text, (size_t)len, 0600, err);
}

uint32_t validity_next(struct store *s, struct error *err)
{
    uint64_t n = read_highest(s) + 1, now = (uint64_t)time(NULL);

    if (n < now)
        n = now;
    if (n > UINT32_MAX) {
        error_set(err, FAIL_PERM, "no UIDVALIDITY is left");
        return 0;
    }
    return write_highest(s, n, err) < 0 ? 0 : (uint32_t)n;
}
