/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of our own files, and how they are known again. */
#include <time.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/crc.h"
#include "maildir/maildir.h"

#define QUEUE_ID_LEN 16
#define HASH_LEN     8

static bool is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

/* What both kinds of names end in. */
static void add_end(struct buf *out, const char *host, uint64_t size)
{
    for (; *host != '\0'; host++)
        buf_add_char(out, is_host_char(*host) ? *host : '_');
    buf_addf(out, ",S=%llu", (unsigned long long)size);
}

void maildir_delivery_name(struct buf *out, uint64_t arrival_us,
                           struct view queue_id, struct view recipient,
                           const char *host, uint64_t size)
{
    buf_addf(out, "%llu.Q%.*sR%08x.", (unsigned long long)arrival_us / 1000000,
             VIEW_ARG(queue_id), crc32c(0, recipient.data, recipient.len));
    add_end(out, host, size);
}

void maildir_new_name(struct buf *out, const char *host, uint64_t size,
                      bool all_crlf)
{
    static unsigned count;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    buf_addf(out, "%lld.M%06ldP%dV%u%s.", (long long)now.tv_sec,
             now.tv_nsec / 1000, (int)getpid(), count++, all_crlf ? "Q" : "");
    add_end(out, host, size);
}

/* --- knowing them again ------------------------------------------------ */

/* Take `text` off the front; false when it is not there. */
static bool take(struct view *v, const char *text)
{
    if (!view_starts(*v, text))
        return false;
    *v = view_sub(*v, strlen(text), v->len);
    return true;
}

static bool take_digits(struct view *v)
{
    size_t n = 0;

    while (n < v->len && ascii_is_digit(v->data[n]))
        n++;
    *v = view_sub(*v, n, v->len);
    return n > 0;
}

/* Exactly `n` of these characters. */
static bool take_of(struct view *v, const char *set, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i >= v->len || v->data[i] == '\0' ||
            strchr(set, v->data[i]) == NULL)
            return false;
    *v = view_sub(*v, n, v->len);
    return true;
}

/* "Q<queue id>R<hash>.", of a delivery. */
static bool take_delivery(struct view *v)
{
    return take(v, "Q") && take_of(v, "0123456789ABCDEF", QUEUE_ID_LEN) &&
           take(v, "R") && take_of(v, "0123456789abcdef", HASH_LEN) &&
           take(v, ".");
}

/* "M<us>P<pid>V<count>Q.", of a new file. Others have a number behind their
 * Q, if they have one. */
static bool take_new(struct view *v)
{
    return take(v, "M") && take_digits(v) && take(v, "P") && take_digits(v) &&
           take(v, "V") && take_digits(v) && take(v, "Q.");
}

bool maildir_name_says_crlf(struct view base, uint64_t size)
{
    struct view v = base, second;
    uint64_t said;
    size_t n = 0;

    if (!take_digits(&v))
        return false;
    if (take(&v, "-") && !take_digits(&v)) /* the name was taken once */
        return false;
    if (!take(&v, "."))
        return false;
    second = v;
    if (!take_delivery(&v)) {
        v = second;
        if (!take_new(&v))
            return false;
    }
    while (n < v.len && is_host_char(v.data[n]))
        n++;
    v = view_sub(v, n, v.len);
    return take(&v, ",S=") && view_number(v, UINT64_MAX, &said) &&
           said == size;
}
