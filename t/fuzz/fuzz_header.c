/* SPDX-License-Identifier: BSD-2-Clause */
/* Header fields: read, decoded, listed, and written again. */
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/header_write.h"
#include "mail/mailbox_list.h"
#include "t/fuzz/fuzz.h"

/* Written text is one field, and says the same when it is read. */
static void check_written(struct view text)
{
    struct buf field = BUF_INIT, raw = BUF_INIT, back = BUF_INIT;
    struct header_field f;
    struct error err;

    if (header_write_text(&field, "Subject", text, &err) == 0) {
        MUST(header_find(buf_view(&field), "Subject", &f));
        MUST(f.raw.len == field.len);
        header_unfold(&raw, f.value);
        encoded_word_decode(&back, buf_view(&raw));
        /* Blanks beside encoded words may come back as one. */
        for (size_t i = 0, k = 0; i < text.len; i++) {
            if (text.data[i] == ' ' || text.data[i] == '\t')
                continue;
            while (k < back.len &&
                   (back.data[k] == ' ' || back.data[k] == '\t'))
                k++;
            MUST(k < back.len && back.data[k] == text.data[i]);
            k++;
        }
    }
    buf_reset(&field);
    if (header_write_mailbox(&field, "From", text, VIEW("a@b"), &err) == 0)
        MUST(header_find(buf_view(&field), "From", &f) &&
             f.raw.len == field.len);
    buf_release(&field);
    buf_release(&raw);
    buf_release(&back);
}

static void check_value(struct view value)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;
    struct buf plain = BUF_INIT, words = BUF_INIT;

    header_unfold(&plain, value);
    for (size_t i = 0; i < plain.len; i++)
        MUST(plain.data[i] != '\0' && plain.data[i] != '\r' &&
             plain.data[i] != '\n');
    encoded_word_decode(&words, buf_view(&plain));
    mailbox_list_parse(&l, value, 100);
    MUST(l.count <= 102);
    for (size_t i = 0; i < l.count; i++)
        mailbox_list_text(&l, l.list[i].local);
    mailbox_list_release(&l);
    buf_release(&plain);
    buf_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = { (const char *)data, len };
    struct header_walk w;
    struct header_field f;
    size_t at = 0;

    header_start(&w, text, 1000);
    while (header_next(&w, &f)) {
        MUST(f.offset == at && f.raw.len > 0);
        at += f.raw.len;
        check_value(f.value);
    }
    if (w.ended)
        MUST(w.offset == header_end(text));
    check_written(text);
    return 0;
}
