/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/charset.h"

#include <unicode/ucnv.h>
#include <unicode/udata.h>

#include "base/alloc.h"
#include "base/ascii.h"

#define NAME_MAX_LEN 60

struct charset {
    UConverter *from, *to;
    UChar pivot[1024];
    UChar *source, *target; /* what of the pivot is in use */
    bool start;
};

/* ICU takes options after a comma and looks names up as file names; a name
 * from a message is neither. */
static bool is_name(struct view name)
{
    if (name.len == 0 || name.len > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.data[i]) &&
            (name.data[i] == '\0' || !strchr("-_.:+()", name.data[i])))
            return false;
    return true;
}

static UConverter *open_converter(struct view name)
{
    char text[NAME_MAX_LEN + 1];
    UErrorCode status = U_ZERO_ERROR;

    if (!is_name(name) || !view_copy(name, text, sizeof text))
        return NULL;
    udata_setFileAccess(UDATA_NO_FILES, &status);
    status = U_ZERO_ERROR;
    return ucnv_open(text, &status);
}

struct charset *charset_open(struct view name)
{
    struct charset *cs;
    UConverter *from;

    if (view_is_nocase(name, "us-ascii"))
        name = VIEW("utf-8");
    from = open_converter(name);
    if (from == NULL)
        return NULL;
    cs = alloc_zero(1, sizeof *cs);
    cs->from = from;
    cs->to = open_converter(VIEW("utf-8"));
    if (cs->to == NULL) {
        charset_close(&cs);
        return NULL;
    }
    cs->start = true;
    cs->source = cs->target = cs->pivot;
    return cs;
}

void charset_convert(struct charset *cs, struct view in, bool last,
                     struct buf *out)
{
    const char *source = in.data ? in.data : "";
    const char *end = source + in.len;
    UErrorCode status;

    do {
        size_t room = in.len + 256;
        char *at = buf_room(out, room), *target = at;

        status = U_ZERO_ERROR;
        ucnv_convertEx(cs->to, cs->from, &target, at + room, &source, end,
                       cs->pivot, &cs->source, &cs->target,
                       cs->pivot + sizeof cs->pivot / sizeof *cs->pivot,
                       cs->start, last, &status);
        cs->start = false;
        out->len += (size_t)(target - at);
        out->data[out->len] = '\0';
    } while (status == U_BUFFER_OVERFLOW_ERROR);
    if (last) {
        cs->start = true;
        cs->source = cs->target = cs->pivot;
    }
}

void charset_close(struct charset **csp)
{
    struct charset *cs = *csp;

    *csp = NULL;
    if (cs == NULL)
        return;
    ucnv_close(cs->from); /* allows NULL */
    ucnv_close(cs->to);
    free(cs);
}

int charset_to_utf8(struct view name, struct view in, struct buf *out)
{
    struct charset *cs = charset_open(name);

    if (cs == NULL)
        return -1;
    charset_convert(cs, in, true, out);
    charset_close(&cs);
    return 0;
}
