/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/lines.h"

#include "base/ascii.h"

void lines_begin(struct lines *l, struct view text)
{
    *l = (struct lines){ .rest = text, .next = 1 };
    if (text.len == 0)
        l->rest = (struct view){ NULL, 0 };
}

void lines_end(struct lines *l)
{
    buf_release(&l->text);
}

static bool is_skipped(struct view v)
{
    v = view_trim(v);
    return v.len == 0 || v.data[0] == '#';
}

bool lines_next(struct lines *l, struct view *line)
{
    bool begun = false;

    buf_reset(&l->text);
    for (;;) {
        struct view before = l->rest, part;

        if (!view_cut(&l->rest, '\n', &part))
            break;
        l->next++;
        if (is_skipped(part))
            continue;
        if (begun && !ascii_is_space(part.data[0])) {
            l->rest = before; /* the next logical line begins here */
            l->next--;
            break;
        }
        if (!begun)
            l->line = l->next - 1;
        begun = true;
        buf_add_view(&l->text, part);
    }
    *line = view_trim(buf_view(&l->text));
    return begun;
}
