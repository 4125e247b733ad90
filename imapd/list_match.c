/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/ascii.h"
#include "imapd/imapd.h"

#define PATTERN_MAX (2 * STORE_NAME_MAX) /* longer ones match nothing */

/* Where matching stands is a set: at[i] says that the pattern's first i
 * characters can match what was read of the name. Nothing is ever tried
 * twice, so no pattern costs more than its length for each character. */
static void skip_wildcards(struct view pattern, bool *at)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (at[i] && (pattern.data[i] == '*' || pattern.data[i] == '%'))
            at[i + 1] = true;
}

/* INBOX is found in any case (RFC 3501 §5.1). */
static bool same(char p, char c, bool any_case)
{
    return any_case ? ascii_lower(p) == ascii_lower(c) : p == c;
}

/* One character of the name; false when nothing can match any more. */
static bool step(struct view pattern, bool *at, char c, bool any_case)
{
    bool some = false, before = false;

    for (size_t i = 0; i <= pattern.len; i++) {
        bool stays = false, was = at[i];

        if (was && i < pattern.len)
            stays = pattern.data[i] == '*' ||
                    (pattern.data[i] == '%' && c != '.');
        at[i] = before || stays;
        before = was && i < pattern.len && pattern.data[i] != '*' &&
                 pattern.data[i] != '%' && same(pattern.data[i], c, any_case);
        some = some || at[i];
    }
    skip_wildcards(pattern, at);
    return some;
}

bool imap_list_match(struct view pattern, struct view name)
{
    bool at[PATTERN_MAX + 1] = { true };
    bool inbox = view_is(name, "INBOX") || view_starts(name, "INBOX.");

    if (pattern.len > PATTERN_MAX)
        return false;
    skip_wildcards(pattern, at);
    for (size_t i = 0; i < name.len; i++)
        if (!step(pattern, at, name.data[i], inbox && i < 5))
            return false;
    return at[pattern.len];
}
