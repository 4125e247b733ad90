/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEARCH: keys, up to a line's end, on the message behind it. What is found in
 * one field is found in all of them; in a message that has nothing encoded,
 * what is found is what a plain look finds.
 */
#include "imapd/search.h"

#include <unistd.h>

#include "base/ascii.h"
#include "mail/header.h"
#include "t/fuzz/fuzz.h"

static bool contains(struct view v, struct view what)
{
    return what.len == 0 ||
           (v.len > 0 && memmem(v.data, v.len, what.data, what.len) != NULL);
}

static bool is_ascii(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.data[i] >= 0x80 || v.data[i] == '\0')
            return false;
    return true;
}

/* Neither MIME nor anything but ASCII. */
static bool is_plain(const struct buf *lower)
{
    return is_ascii(buf_view(lower)) &&
           !contains(buf_view(lower), VIEW("content-"));
}

static void check_body(const struct search_node *node, struct view message)
{
    struct buf lower = BUF_INIT, body = BUF_INIT;

    for (size_t i = 0; i < message.len; i++)
        buf_add_char(&lower, ascii_lower(message.data[i]));
    if (is_plain(&lower) && is_ascii(buf_view(&node->needle))) {
        buf_add_view(&body, view_sub(buf_view(&lower), header_end(message),
                                     lower.len));
        buf_add_char(&body, '\n'); /* parts are lines apart */
        MUST(node->found == contains(buf_view(&body),
                                     buf_view(&node->needle)));
    }
    buf_release(&lower);
    buf_release(&body);
}

static void check_header(const struct search_node *node, struct view header)
{
    struct view needle = buf_view(&node->needle);

    if (search_header(header, node->name, needle))
        MUST(search_header(header, VIEW(""), needle));
}

static void run(struct search *p, struct view message)
{
    int fd = fuzz_file(message);
    struct view header = view_sub(message, 0, header_end(message));
    struct error err;
    int64_t day;

    MUST(search_body(p, fd, message.len, &err) == 0);
    search_sent_day(header, &day);
    for (size_t i = 0; i < p->n; i++) {
        const struct search_node *node = &p->nodes[i];

        if (node->op == SEARCH_HEADER)
            check_header(node, header);
        else if (node->op == SEARCH_TEXT || node->op == SEARCH_BODY)
            check_body(node, message);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view message = fuzz_text(data, len), keys;
    struct buf pool = BUF_INIT;
    struct imap_args a;
    struct search p;

    if (len == 0)
        return 0;
    view_cut(&message, '\n', &keys);
    imap_args_init(&a, keys, &pool);
    if (search_parse(&a, 100, &p) && !p.bad_charset)
        run(&p, message);
    search_release(&p);
    buf_release(&pool);
    return 0;
}
