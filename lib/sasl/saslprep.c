/* SPDX-License-Identifier: BSD-2-Clause */
#include "sasl/saslprep.h"

#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "base/alloc.h"
#include "base/ascii.h"

static UStringPrepProfile *profile; /* read-only once it is loaded */

int saslprep_open(struct error *err)
{
    UErrorCode code = U_ZERO_ERROR;

    if (profile != NULL)
        return 0;
    profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &code);
    if (U_FAILURE(code))
        return error_set(err, FAIL_TEMP, "cannot load SASLprep: %s",
                         u_errorName(code));
    return 0;
}

static bool is_plain(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' ||
            (unsigned char)text.data[i] > '~')
            return false;
    return true;
}

int saslprep(struct buf *out, struct view text, struct error *err)
{
    UErrorCode code = U_ZERO_ERROR;
    int32_t room = (int32_t)text.len * 4 + 16, n = 0, bytes = 0;
    UChar *from, *to;

    if (is_plain(text)) {
        buf_add_view(out, text);
        return 0;
    }
    from = alloc((size_t)room * sizeof *from);
    to = alloc((size_t)room * sizeof *to);
    u_strFromUTF8(from, room, &n, text.data, (int32_t)text.len, &code);
    n = usprep_prepare(profile, from, n, to, room, USPREP_DEFAULT, NULL,
                       &code);
    u_strToUTF8(buf_room(out, (size_t)room * 3), room * 3, &bytes, to, n,
                &code);
    explicit_bzero(from, (size_t)room * sizeof *from);
    explicit_bzero(to, (size_t)room * sizeof *to);
    free(from);
    free(to);
    if (code == U_MEMORY_ALLOCATION_ERROR)
        out_of_memory();
    if (U_FAILURE(code))
        return error_set(err, FAIL_PERM, "the password has characters that "
                         "SASLprep forbids");
    out->len += (size_t)bytes;
    return 0;
}
