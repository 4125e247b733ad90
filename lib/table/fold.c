/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/fold.h"

#include <unicode/ucasemap.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/utf8.h"

static bool is_good(UErrorCode code)
{
    if (code == U_MEMORY_ALLOCATION_ERROR)
        out_of_memory(); /* another key would be looked up */
    return U_SUCCESS(code);
}

/* False when the library cannot; nothing was added then. */
static bool fold_unicode(struct view key, struct buf *out)
{
    UErrorCode code = U_ZERO_ERROR;
    UCaseMap *map = ucasemap_open("", U_FOLD_CASE_DEFAULT, &code);
    size_t room = key.len * 3 + 16; /* no character folds to more */
    int32_t len;

    if (!is_good(code))
        return false;
    len = ucasemap_utf8FoldCase(map, buf_room(out, room), (int32_t)room,
                                key.data, (int32_t)key.len, &code);
    ucasemap_close(map);
    if (!is_good(code) || len < 0)
        return false;
    out->len += (size_t)len;
    out->data[out->len] = '\0';
    return true;
}

void fold_key(struct view key, bool bytes, struct buf *out)
{
    char *to;

    if (!bytes && utf8_has_high(key) && key.len < (1u << 28) &&
        utf8_is_valid(key) && fold_unicode(key, out))
        return;
    to = buf_room(out, key.len);
    for (size_t i = 0; i < key.len; i++)
        to[i] = ascii_lower(key.data[i]);
    out->len += key.len;
    out->data[out->len] = '\0';
}
