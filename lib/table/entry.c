/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/entry.h"

#include "base/ascii.h"

enum entry_fault entry_parse(struct view line, struct view *key,
                             struct view *value)
{
    bool quoted = false;
    size_t i;

    for (i = 0; i < line.len; i++) {
        char c = line.data[i];

        if (c == '\\' && i + 1 < line.len)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (ascii_is_space(c) && !quoted)
            break;
    }
    *key = view_sub(line, 0, i);
    *value = view_trim(view_sub(line, i, line.len));
    if (quoted)
        return ENTRY_UNBALANCED;
    if (value->len == 0)
        return ENTRY_NO_VALUE;
    return view_ends(*key, ":") ? ENTRY_COLON : ENTRY_FINE;
}

const char *entry_fault_text(enum entry_fault fault)
{
    switch (fault) {
    case ENTRY_UNBALANCED:
        return "unbalanced '\"' -- ignoring this line";
    case ENTRY_NO_VALUE:
        return "expected format: key whitespace value -- ignoring this line";
    case ENTRY_COLON:
        return "record is in \"key: value\" format; is this an alias file?";
    case ENTRY_FINE:
        break;
    }
    return "";
}
