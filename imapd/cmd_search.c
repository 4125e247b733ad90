/* SPDX-License-Identifier: BSD-2-Clause */
/* SEARCH (RFC 3501 §6.4.4, RFC 4731, RFC 7162 §3.1.5 and §3.1.10). */
#include <stdlib.h>

#include "base/alloc.h"
#include "imapd/commands.h"
#include "imapd/search.h"

enum result {
    RETURN_MIN = 1 << 0,
    RETURN_MAX = 1 << 1,
    RETURN_ALL = 1 << 2,
    RETURN_COUNT = 1 << 3,
};

static const struct {
    const char *name;
    enum result result;
} results[] = {
    { "MIN", RETURN_MIN }, { "MAX", RETURN_MAX }, { "ALL", RETURN_ALL },
    { "COUNT", RETURN_COUNT },
};

/* " RETURN (...)", if it is there. */
static bool take_return(struct imap_args *a, bool *extended, unsigned *wanted)
{
    *wanted = 0;
    *extended = imap_args_word(a, "RETURN");
    if (!*extended)
        return true;
    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    for (bool first = true; !imap_args_next_is(a, ')'); first = false) {
        size_t i = 0;

        if (!first && !imap_args_space(a))
            return false;
        while (i < 4 && !imap_args_word(a, results[i].name))
            i++;
        if (i == 4)
            return imap_args_fail(a, "There is no such result.");
        *wanted |= results[i].result;
    }
    if (*wanted == 0)
        *wanted = RETURN_ALL;
    return imap_args_char(a, ')') && imap_args_space(a);
}

/* --- what was found ---------------------------------------------------- */

struct found {
    size_t *indices;
    uint32_t *numbers; /* as the client counts */
    size_t n;
};

static int find(struct imap_session *s, struct search *p, struct found *f,
                struct error *err)
{
    f->indices = alloc_zero(s->box->n + 1, sizeof *f->indices);
    f->numbers = alloc_zero(s->box->n + 1, sizeof *f->numbers);
    search_bind(p, s->box);
    for (size_t i = 0; i < s->box->n; i++) {
        int match = search_match(p, s->box, i, err);

        if (match < 0)
            return -1;
        if (match == 0)
            continue;
        f->indices[f->n] = i;
        f->numbers[f->n++] = s->uid ? s->box->entries[i].uid : (uint32_t)i + 1;
    }
    return 0;
}

static uint64_t modseq_of(const struct imap_session *s, const struct found *f,
                          unsigned wanted)
{
    uint64_t max = 0;
    bool ends = (wanted & (RETURN_MIN | RETURN_MAX)) &&
                !(wanted & (RETURN_ALL | RETURN_COUNT));

    for (size_t i = 0; i < f->n; i++) {
        uint64_t modseq = s->box->entries[f->indices[i]].modseq;

        if (ends && !(i == 0 && (wanted & RETURN_MIN)) &&
            !(i + 1 == f->n && (wanted & RETURN_MAX)))
            continue;
        max = modseq > max ? modseq : max;
    }
    return max;
}

static void say_plain(struct imap_session *s, const struct search *p,
                      const struct found *f)
{
    imap_say_view(s, VIEW("* SEARCH"));
    for (size_t i = 0; i < f->n; i++)
        imap_say(s, " %u", f->numbers[i]);
    if (p->uses_modseq && f->n > 0)
        imap_say(s, " (MODSEQ %llu)", (unsigned long long)
                 modseq_of(s, f, RETURN_ALL));
    imap_say_view(s, VIEW("\r\n"));
}

static void say_extended(struct imap_session *s, const struct search *p,
                         const struct found *f, unsigned wanted)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "* ESEARCH (TAG \"%.*s\")%s", VIEW_ARG(s->tag),
             s->uid ? " UID" : "");
    if (f->n > 0 && (wanted & RETURN_MIN))
        buf_addf(&out, " MIN %u", f->numbers[0]);
    if (f->n > 0 && (wanted & RETURN_MAX))
        buf_addf(&out, " MAX %u", f->numbers[f->n - 1]);
    if (f->n > 0 && (wanted & RETURN_ALL)) {
        buf_add_text(&out, " ALL ");
        imap_set_format(&out, f->numbers, f->n);
    }
    if (wanted & RETURN_COUNT)
        buf_addf(&out, " COUNT %zu", f->n);
    if (p->uses_modseq && f->n > 0)
        buf_addf(&out, " MODSEQ %llu",
                 (unsigned long long)modseq_of(s, f, wanted));
    buf_add_text(&out, "\r\n");
    imap_say_view(s, buf_view(&out));
    buf_release(&out);
}

void imap_cmd_search(struct imap_session *s, struct imap_args *a)
{
    struct search p = { .n = 0 };
    struct found f = { .n = 0 };
    bool extended;
    unsigned wanted;
    struct error err;

    if (!imap_args_space(a) || !take_return(a, &extended, &wanted) ||
        !search_parse(a, imapd_conf.imap_search_depth, &p))
        goto out;
    if (p.bad_charset) {
        imap_no(s, "[BADCHARSET (US-ASCII UTF-8)] The charset is not known.");
        goto out;
    }
    if (p.uses_modseq)
        imap_enable_condstore(s);
    if (find(s, &p, &f, &err) < 0) {
        imap_failed(s, &err);
        goto out;
    }
    if (extended)
        say_extended(s, &p, &f, wanted);
    else
        say_plain(s, &p, &f);
    imap_ok(s, "Search completed.");
out:
    search_release(&p);
    free(f.indices);
    free(f.numbers);
}
