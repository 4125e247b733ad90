/* SPDX-License-Identifier: BSD-2-Clause */
#include "sasl/mechanism.h"

static bool is_usable(struct view name, bool is_tls)
{
    size_t n = name.len;

    return is_tls || n < 5 || !view_is_nocase(view_sub(name, n - 5, n),
                                              "-PLUS");
}

bool mechanism_is_offered(const char *list, struct view name, bool is_tls)
{
    struct view rest = view_of(list), w;

    while (view_word(&rest, ", \t", &w))
        if (view_eq_nocase(w, name))
            return is_usable(w, is_tls);
    return false;
}

void mechanism_add(struct buf *out, const char *list, bool is_tls,
                   const char *before, const char *after)
{
    struct view rest = view_of(list), w;

    while (view_word(&rest, ", \t", &w))
        if (is_usable(w, is_tls))
            buf_addf(out, "%s%.*s%s", before, VIEW_ARG(w), after);
}
