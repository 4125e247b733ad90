/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "imapd/fetch.h"
#include "mail/bodystructure.h"

/* Items without arguments. "BODY" is one if no bracket follows. */
static const struct {
    const char *name;
    enum fetch_kind kind;
} simple[] = {
    { "FLAGS", FETCH_FLAGS },
    { "INTERNALDATE", FETCH_INTERNALDATE },
    { "RFC822.SIZE", FETCH_SIZE },
    { "UID", FETCH_UID },
    { "MODSEQ", FETCH_MODSEQ },
    { "ENVELOPE", FETCH_ENVELOPE },
    { "BODY", FETCH_BODY },
    { "BODYSTRUCTURE", FETCH_BODYSTRUCTURE },
};

/* The names of RFC 822's time for sections. */
static const struct {
    const char *name, *section;
    bool peek;
} old_names[] = {
    { "RFC822", "", false },
    { "RFC822.HEADER", "HEADER", true },
    { "RFC822.TEXT", "TEXT", false },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool add_item(struct imap_args *a, struct fetch *f,
                     struct fetch_item item)
{
    if (f->n == FETCH_ITEMS_MAX)
        return imap_args_fail(a, "There are too many items.");
    f->items[f->n++] = item;
    f->kinds |= 1u << item.kind;
    return true;
}

static bool add_kind(struct imap_args *a, struct fetch *f,
                     enum fetch_kind kind)
{
    return add_item(a, f, (struct fetch_item){ .kind = kind });
}

/* --- sections ---------------------------------------------------------- */

static bool is_name_char(char c)
{
    return ascii_is_alnum(c) || c == '.';
}

static struct view take_name(struct imap_args *a)
{
    size_t n = 0;
    struct view v;

    while (n < a->rest.len && is_name_char(a->rest.data[n]))
        n++;
    v = view_sub(a->rest, 0, n);
    a->rest = view_sub(a->rest, n, a->rest.len);
    return v;
}

/* Whether a section is one at all does not depend on the message. */
static bool is_section(struct view section)
{
    struct mime_source none = mime_source_memory(VIEW(""));
    struct bodystructure_range range;
    struct mime m;
    struct error err;
    bool good = mime_parse(&m, &none, MIME_LIMITS_DEFAULT, &err) == 0 &&
                bodystructure_find(&m, section, &range) != SECTION_MALFORMED;

    mime_release(&m);
    return good;
}

static void add_field(struct fetch *f, struct view name)
{
    if (f->n_fields == f->cap_fields) {
        f->cap_fields = f->cap_fields ? f->cap_fields * 2 : 16;
        f->fields = alloc_resize(f->fields, f->cap_fields, sizeof name);
    }
    f->fields[f->n_fields++] = name;
}

/* The name as it comes back in the answer: an atom where it can be. */
static void add_label(struct buf *out, struct view name)
{
    bool atom = name.len > 0;

    for (size_t i = 0; i < name.len; i++)
        atom = atom && imap_is_atom_char(name.data[i]);
    if (!atom)
        buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"' || name.data[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, ascii_upper(name.data[i]));
    }
    if (!atom)
        buf_add_char(out, '"');
}

/* A field's name has visible characters only, so that it can come back. */
static bool is_field_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_visible(name.data[i]))
            return false;
    return true;
}

static bool take_fields(struct imap_args *a, struct fetch *f,
                        struct fetch_item *item)
{
    struct view name;

    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    buf_add_text(&f->labels, " (");
    item->first_field = f->n_fields;
    for (bool first = true; first || !imap_args_next_is(a, ')');
         first = false) {
        if ((!first && !imap_args_space(a)) || !imap_args_astring(a, &name))
            return false;
        if (!is_field_name(name) || item->n_fields++ == FETCH_FIELDS_MAX)
            return imap_args_fail(a, "Those are no field names.");
        if (!first)
            buf_add_char(&f->labels, ' ');
        add_field(f, name);
        add_label(&f->labels, name);
    }
    buf_add_char(&f->labels, ')');
    return imap_args_char(a, ')');
}

/* "<from.count>" */
static bool take_partial(struct imap_args *a, struct fetch *f,
                         struct fetch_item *item)
{
    if (!imap_args_next_is(a, '<'))
        return true;
    imap_args_char(a, '<');
    if (!imap_args_number(a, UINT32_MAX, &item->from) ||
        !imap_args_char(a, '.') ||
        !imap_args_number(a, UINT32_MAX, &item->count) ||
        !imap_args_char(a, '>'))
        return false;
    if (item->count == 0)
        return imap_args_fail(a, "A part of no bytes.");
    item->is_partial = true;
    buf_addf(&f->labels, "<%llu>", (unsigned long long)item->from);
    return true;
}

static void note_needs(struct fetch *f, const struct fetch_item *item)
{
    if (item->is_root_fields)
        return; /* from the index, if that has all of the header */
    f->needs_file = true;
    f->needs_mime = f->needs_mime || item->section.len > 0;
}

/* What is behind "BODY" or "BODY.PEEK", from the bracket on. */
static bool take_section(struct imap_args *a, struct fetch *f, bool peek)
{
    struct fetch_item item = { .kind = FETCH_SECTION };
    size_t start = f->labels.len;

    imap_args_char(a, '[');
    item.section = take_name(a);
    buf_add_text(&f->labels, "BODY[");
    for (size_t i = 0; i < item.section.len; i++)
        buf_add_char(&f->labels, ascii_upper(item.section.data[i]));
    if (!is_section(item.section))
        return imap_args_fail(a, "There is no such section.");
    item.is_not = view_ends(buf_view(&f->labels), "HEADER.FIELDS.NOT");
    item.is_fields = item.is_not ||
                     view_ends(buf_view(&f->labels), "HEADER.FIELDS");
    item.is_root_fields = item.is_fields &&
                          view_starts_nocase(item.section, "HEADER");
    if (item.is_fields && !take_fields(a, f, &item))
        return false;
    if (!imap_args_char(a, ']'))
        return false;
    buf_add_char(&f->labels, ']');
    if (!take_partial(a, f, &item))
        return false;
    item.label = (struct span){ (uint32_t)start,
                                (uint32_t)(f->labels.len - start) };
    f->sets_seen = f->sets_seen || !peek;
    note_needs(f, &item);
    return add_item(a, f, item);
}

/* --- items ------------------------------------------------------------- */

static bool take_item(struct imap_args *a, struct fetch *f)
{
    struct view name = take_name(a);
    bool peek = view_is_nocase(name, "BODY.PEEK");

    if (imap_args_next_is(a, '[') && (peek || view_is_nocase(name, "BODY")))
        return take_section(a, f, peek);
    for (size_t i = 0; i < COUNT(simple); i++)
        if (view_is_nocase(name, simple[i].name))
            return add_kind(a, f, simple[i].kind);
    for (size_t i = 0; i < COUNT(old_names); i++) {
        struct fetch_item item = { .kind = FETCH_SECTION };

        if (!view_is_nocase(name, old_names[i].name))
            continue;
        item.section = view_of(old_names[i].section);
        item.label = span_add(&f->labels, view_of(old_names[i].name));
        f->sets_seen = f->sets_seen || !old_names[i].peek;
        note_needs(f, &item);
        return add_item(a, f, item);
    }
    return imap_args_fail(a, "There is no such item.");
}

static bool take_macro(struct imap_args *a, struct fetch *f)
{
    static const struct {
        const char *name;
        unsigned n;
    } macros[] = { { "FAST", 3 }, { "ALL", 4 }, { "FULL", 5 } };
    static const enum fetch_kind kinds[] = {
        FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE,
        FETCH_BODY,
    };

    for (size_t i = 0; i < COUNT(macros); i++) {
        if (!imap_args_word(a, macros[i].name))
            continue;
        for (unsigned k = 0; k < macros[i].n; k++)
            add_kind(a, f, kinds[k]);
        return true;
    }
    return false;
}

static bool take_items(struct imap_args *a, struct fetch *f)
{
    if (!imap_args_next_is(a, '('))
        return take_macro(a, f) || take_item(a, f);
    imap_args_char(a, '(');
    for (bool first = true; first || !imap_args_next_is(a, ')');
         first = false)
        if ((!first && !imap_args_space(a)) || !take_item(a, f))
            return false;
    return imap_args_char(a, ')');
}

/* " (CHANGEDSINCE n)" (RFC 7162 §3.1.4.1) */
static bool take_modifiers(struct imap_args *a, struct fetch *f)
{
    if (a->rest.len == 0)
        return true;
    if (!imap_args_space(a) || !imap_args_char(a, '('))
        return false;
    if (!imap_args_word(a, "CHANGEDSINCE"))
        return imap_args_fail(a, "There is no such modifier.");
    f->has_changed_since = true;
    return imap_args_space(a) &&
           imap_args_number(a, INT64_MAX, &f->changed_since) &&
           imap_args_char(a, ')') && imap_args_end(a);
}

static bool has(const struct fetch *f, enum fetch_kind kind)
{
    return f->kinds & (1u << kind);
}

bool fetch_parse(struct imap_args *a, bool uid, struct fetch *f)
{
    *f = (struct fetch){ .n = 0 };
    if (!imap_args_space(a) || !imap_set_parse(a, &f->set) ||
        !imap_args_space(a) || !take_items(a, f) || !take_modifiers(a, f))
        return false;
    if (f->has_changed_since && !has(f, FETCH_MODSEQ) &&
        !add_kind(a, f, FETCH_MODSEQ))
        return false;
    return !uid || has(f, FETCH_UID) || add_kind(a, f, FETCH_UID);
}

void fetch_release(struct fetch *f)
{
    imap_set_release(&f->set);
    free(f->fields);
    buf_release(&f->labels);
}
