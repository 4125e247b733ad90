/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/header_write.h"

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/encoded_word.h"

/* A field in the making; it is cut off again when something is wrong. */
struct writer {
    struct buf *out;
    const char *name;
    size_t start;  /* of the field in out */
    size_t column; /* bytes in the current line */
    size_t first;  /* how long a line may get by its first word, */
    size_t max;    /* and by the others */
};

static int check_value(const char *name, struct view value, struct error *err)
{
    if (value.len > HEADER_WRITE_MAX)
        return error_set(err, FAIL_PERM,
                         "the value for the header field %s is longer than %d "
                         "bytes", name, HEADER_WRITE_MAX);
    for (size_t i = 0; i < value.len; i++)
        if (ascii_is_control(value.data[i]) && value.data[i] != '\t')
            return error_set(err, FAIL_PERM,
                             "the value for the header field %s has a line "
                             "end or another control character", name);
    if (!utf8_is_valid(value))
        return error_set(err, FAIL_PERM,
                         "the value for the header field %s is not UTF-8",
                         name);
    return 0;
}

static int start(struct writer *w, struct buf *out, const char *name,
                 struct error *err)
{
    *w = (struct writer){ .out = out,
                          .name = name,
                          .start = out->len,
                          .column = strlen(name) + 1,
                          .first = HEADER_WRITE_LINE,
                          .max = HEADER_WRITE_FOLD };
    for (const char *c = name; *c != '\0'; c++)
        if (!ascii_is_visible(*c) || *c == ':')
            return error_set(err, FAIL_PERM, "a header field has a bad name");
    if (*name == '\0' || w->column > HEADER_WRITE_FOLD)
        return error_set(err, FAIL_PERM, "a header field has a bad name");
    buf_add_text(out, name);
    buf_add_char(out, ':');
    return 0;
}

static int fail_long(struct writer *w, struct error *err)
{
    buf_cut(w->out, w->start);
    return error_set(err, FAIL_PERM,
                     "a word for the header field %s is longer than a line",
                     w->name);
}

/* Add `blanks` and a word behind them, in the next line if this one is full.
 * The first word stays beside the name unless it would not fit at all. */
static int add_word(struct writer *w, struct view blanks, struct view word,
                    struct error *err)
{
    size_t len = blanks.len + word.len;
    bool first = w->column == strlen(w->name) + 1;

    if (w->column + len > (first ? w->first : w->max)) {
        buf_add_text(w->out, "\r\n");
        w->column = 0;
    }
    if (len > HEADER_WRITE_LINE)
        return fail_long(w, err);
    buf_add_view(w->out, blanks);
    buf_add_view(w->out, word);
    w->column += len;
    return 0;
}

/* Take blanks and the word behind them off `*rest`; false at its end. */
static bool next_word(struct view *rest, struct view *blanks,
                      struct view *word)
{
    size_t b = 0, e;

    while (b < rest->len && (rest->data[b] == ' ' || rest->data[b] == '\t'))
        b++;
    for (e = b; e < rest->len && rest->data[e] != ' ' && rest->data[e] != '\t';)
        e++;
    *blanks = view_sub(*rest, 0, b);
    *word = view_sub(*rest, b, e);
    *rest = view_sub(*rest, e, rest->len);
    return word->len > 0;
}

/* Add words as they are; the first is set off by one blank. */
static int add_plain(struct writer *w, struct view text, struct error *err)
{
    struct view blanks, word;
    bool first = true;

    text = view_trim(text);
    while (next_word(&text, &blanks, &word)) {
        if (add_word(w, first ? VIEW(" ") : blanks, word, err) < 0)
            return -1;
        first = false;
    }
    return 0;
}

/* Add all of `text` as encoded words, in lines of 76 bytes (RFC 2047 §2). */
static int add_encoded(struct writer *w, struct view text, struct error *err)
{
    struct buf word = BUF_INIT;
    int rc = 0;

    if (text.len > 0)
        w->first = w->max = ENCODED_WORD_MAX + 1;
    while (rc == 0 && text.len > 0) {
        size_t room = ENCODED_WORD_MAX, taken;

        /* Fill this line when that is worth while, else take the next. */
        if (w->column + ENCODED_WORD_MIN <= room)
            room -= w->column;
        buf_reset(&word);
        taken = encoded_word_add(&word, text, room);
        rc = add_word(w, VIEW(" "), buf_view(&word), err);
        text = view_sub(text, taken, text.len);
    }
    buf_release(&word);
    return rc;
}

static int finish(struct writer *w)
{
    buf_add_text(w->out, "\r\n");
    return 0;
}

/* A word that could not stand as it is: RFC 2047 §7 lets readers decode
 * whatever looks encoded, and no line may be too long. */
static bool needs_encoding(struct view word)
{
    if (word.len > HEADER_WRITE_FOLD * 4 || utf8_has_high(word))
        return true;
    for (size_t i = 0; i + 1 < word.len; i++)
        if (word.data[i] == '=' && word.data[i + 1] == '?')
            return true;
    return false;
}

/* Find what lies between the first and the last word that need encoding, the
 * blanks between them included: those between encoded words say nothing. */
static struct view part_to_encode(struct view text)
{
    struct view rest = text, blanks, word;
    size_t from = text.len, to = text.len;

    while (next_word(&rest, &blanks, &word)) {
        if (!needs_encoding(word))
            continue;
        if (from == text.len)
            from = (size_t)(word.data - text.data);
        to = (size_t)(word.data - text.data) + word.len;
    }
    return view_sub(text, from, to);
}

int header_write_text(struct buf *out, const char *name, struct view text,
                      struct error *err)
{
    struct view part, head, tail;
    struct writer w;

    if (check_value(name, text, err) < 0 || start(&w, out, name, err) < 0)
        return -1;
    text = view_trim(text);
    part = part_to_encode(text);
    head = view_sub(text, 0, (size_t)(part.data - text.data));
    tail = view_sub(text, head.len + part.len, text.len);
    if (add_plain(&w, head, err) < 0 || add_encoded(&w, part, err) < 0 ||
        add_plain(&w, tail, err) < 0)
        return -1;
    return finish(&w);
}

int header_write_structured(struct buf *out, const char *name,
                            struct view value, struct error *err)
{
    struct writer w;

    if (check_value(name, value, err) < 0 || start(&w, out, name, err) < 0 ||
        add_plain(&w, value, err) < 0)
        return -1;
    return finish(&w);
}

/* Atoms and blanks need no quotes (RFC 5322 §3.2.5 phrase). */
static bool is_phrase(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.data[i]) &&
            (text.data[i] == '\0' ||
             strchr(" !#$%&'*+-/=?^_`{|}~", text.data[i]) == NULL))
            return false;
    return true;
}

static int add_display(struct writer *w, struct view display,
                       struct error *err)
{
    struct buf quoted = BUF_INIT;
    int rc;

    if (part_to_encode(display).len > 0)
        return add_encoded(w, display, err);
    if (is_phrase(display))
        return add_plain(w, display, err);
    buf_add_char(&quoted, '"');
    for (size_t i = 0; i < display.len; i++) {
        if (display.data[i] == '"' || display.data[i] == '\\')
            buf_add_char(&quoted, '\\');
        buf_add_char(&quoted, display.data[i]);
    }
    buf_add_char(&quoted, '"');
    rc = add_plain(w, buf_view(&quoted), err);
    buf_release(&quoted);
    return rc;
}

int header_write_mailbox(struct buf *out, const char *name,
                         struct view display, struct view address,
                         struct error *err)
{
    struct buf word = BUF_INIT;
    struct writer w;
    int rc = -1;

    display = view_trim(display);
    if (check_value(name, display, err) < 0 ||
        check_value(name, address, err) < 0 || start(&w, out, name, err) < 0)
        goto out;
    if (display.len == 0) {
        buf_add_view(&word, address);
    } else {
        if (add_display(&w, display, err) < 0)
            goto out;
        buf_addf(&word, "<%.*s>", VIEW_ARG(address));
    }
    if (add_word(&w, VIEW(" "), buf_view(&word), err) < 0)
        goto out;
    rc = finish(&w);
out:
    buf_release(&word);
    return rc;
}
