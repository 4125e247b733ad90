/* SPDX-License-Identifier: BSD-2-Clause */
/* What an IMAP client says, read by the readers of its parts and, where a
 * mailbox counts, by whole sessions. */
#include "cost_guest.h"

#include <unistd.h>

#include "imapd/fetch.h"
#include "imapd/imapd.h"
#include "imapd/search.h"
#include "t/fuzz/fuzz.h"

/* --- parts of commands ------------------------------------------------- */

static void make_set(struct buf *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(in, "%s%zu", i > 0 ? "," : "", (i * 7919) % (3 * n) + 1);
}

static size_t read_set(struct view in)
{
    struct imap_set set = { .n = 0 };
    struct buf pool = BUF_INIT;
    struct imap_args a;
    size_t n = 0;

    imap_args_init(&a, in, &pool);
    if (imap_set_parse(&a, &set)) {
        imap_set_normalise(&set, 1000000);
        for (uint32_t i = 1; i < 1000; i++)
            n += imap_set_has(&set, i);
    }
    imap_set_release(&set);
    buf_release(&pool);
    return n;
}

static size_t read_search(struct view in)
{
    struct buf pool = BUF_INIT;
    struct imap_args a;
    struct search p;
    size_t n;

    imap_args_init(&a, in, &pool);
    search_parse(&a, SEARCH_DEPTH_MAX, &p);
    n = p.n;
    search_release(&p);
    buf_release(&pool);
    return n;
}

static void make_keys(struct buf *in, size_t n)
{
    buf_add_text(in, "SEEN");
    cost_repeat(in, n, " SUBJECT \"a\\\"b\" KEYWORD k# UID 1");
}

static void make_alternatives(struct buf *in, size_t n)
{
    cost_repeat(in, n, "(OR SEEN (NOT BODY x)) ");
    buf_add_text(in, "ALL");
}

static void make_nested(struct buf *in, size_t n)
{
    cost_repeat(in, n, "(NOT ");
    buf_add_text(in, "ALL");
    cost_repeat(in, n, ")");
}

static void make_wildcards(struct buf *in, size_t n)
{
    cost_repeat(in, n, "*a%b");
}

/* Against the worst of names: all but the last letter match. */
static size_t match(struct view in)
{
    char name[200];
    size_t n = 1;

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 20 == 19 ? '.' : 'a' + (char)(i % 2);
    n += imap_list_match(in, (struct view){ name, sizeof name });
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = 'a';
    n += imap_list_match(in, (struct view){ name, sizeof name });
    return n;
}

static void make_name(struct buf *in, size_t n)
{
    cost_repeat(in, n, "a");
}

static size_t match_name(struct view in)
{
    struct buf pattern = BUF_INIT;
    size_t n = 1;

    cost_repeat(&pattern, 100, "*a%");
    n += imap_list_match(buf_view(&pattern), in);
    buf_add_text(&pattern, "b");
    n += imap_list_match(buf_view(&pattern), in);
    buf_release(&pattern);
    return n;
}

static void make_flags(struct buf *in, size_t n)
{
    buf_add_text(in, "(\\Seen");
    cost_repeat(in, n, " k#");
    buf_add_text(in, ")");
}

static size_t read_flags(struct view in)
{
    struct buf pool = BUF_INIT;
    struct imap_flags f;
    struct imap_args a;
    size_t n;

    imap_args_init(&a, in, &pool);
    imap_flag_list(&a, true, &f);
    n = in.len;
    buf_release(&pool);
    return n;
}

static void make_items(struct buf *in, size_t n)
{
    buf_add_text(in, "(BODY[HEADER.FIELDS (a");
    cost_repeat(in, n, " b#");
    buf_add_text(in, ")] BODY[");
    cost_repeat(in, n, "1.");
    buf_add_text(in, "1]");
    cost_repeat(in, n, " FLAGS");
    buf_add_text(in, ")");
}

static size_t read_items(struct view in)
{
    struct buf pool = BUF_INIT;
    struct imap_args a;
    struct fetch f;

    imap_args_init(&a, in, &pool);
    fetch_parse(&a, true, &f);
    fetch_release(&f);
    buf_release(&pool);
    return in.len;
}

static void make_strings(struct buf *in, size_t n)
{
    cost_repeat(in, n, "\"a\\\\b\" {3+}\r\nabc x ");
}

static size_t read_strings(struct view in)
{
    struct buf pool = BUF_INIT;
    struct imap_args a;
    struct view v;
    size_t n = 0;

    imap_args_init(&a, in, &pool);
    while (imap_args_astring(&a, &v) && imap_args_space(&a))
        n++;
    buf_release(&pool);
    return n;
}

/* --- searching a message ----------------------------------------------- */

static void make_text(struct buf *in, size_t n)
{
    buf_add_text(in, "Subject: x\r\nContent-Type: text/plain; charset=utf-8"
                 "\r\n\r\n");
    cost_repeat(in, n, "aaaaaaaaaa\xc3\xa4");
}

/* A needle that nearly fits all the time. */
static size_t search_text(struct view in)
{
    struct buf pool = BUF_INIT, keys = BUF_INIT;
    struct imap_args a;
    struct search p;
    struct error err;
    int fd = fuzz_file(in);

    buf_add_text(&keys, "BODY ");
    cost_repeat(&keys, 500, "a");
    imap_args_init(&a, buf_view(&keys), &pool);
    if (search_parse(&a, 10, &p))
        search_body(&p, fd, in.len, &err);
    search_release(&p);
    close(fd);
    buf_release(&pool);
    buf_release(&keys);
    return in.len;
}

/* --- sessions ---------------------------------------------------------- */

static void set_up(struct daemon *d)
{
    fuzz_configure(imapd_params, &imapd_conf, "");
    cost_join_notify(d);
    imapd_prepare(d);
}

static size_t session(struct view in)
{
    return cost_session(set_up, imapd_serve, in);
}

static void make_first(struct buf *in, size_t n)
{
    cost_make_box(n);
    buf_add_text(in, "s SELECT INBOX\r\n");
}

static void make_fetch(struct buf *in, size_t n)
{
    make_first(in, n);
    session(buf_view(in));
    buf_add_text(in, "f FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE "
                 "ENVELOPE BODYSTRUCTURE)\r\n");
}

static void make_scattered(struct buf *in, size_t n)
{
    make_first(in, n);
    session(buf_view(in));
    buf_add_text(in, "f FETCH ");
    for (size_t i = 1; i <= n; i += 2)
        buf_addf(in, "%s%zu", i > 1 ? "," : "", i);
    buf_add_text(in, " (FLAGS)\r\nu UID STORE ");
    for (size_t i = n & ~(size_t)1; i > 0; i -= 2)
        buf_addf(in, "%zu,", i);
    buf_add_text(in, "1 +FLAGS (k)\r\nu SEARCH NOT KEYWORD k\r\n");
}

static void make_status(struct buf *in, size_t n)
{
    make_first(in, n);
    session(buf_view(in));
    buf_reset(in);
    buf_add_text(in, "s STATUS INBOX (MESSAGES UNSEEN SIZE UIDNEXT)\r\n");
}

static void make_expunge(struct buf *in, size_t n)
{
    make_first(in, n);
    buf_add_text(in, "t STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n");
    session(buf_view(in));
    buf_reset(in);
    buf_add_text(in, "s SELECT INBOX\r\ne EXPUNGE\r\n");
}

static void make_commands(struct buf *in, size_t n)
{
    cost_make_box(1);
    cost_repeat(in, n, "a# NOOP\r\nb# LIST \"\" *\r\nc# XYZ\r\n");
}

static const struct cost_case cases[] = {
    { "set", 5000, make_set, read_set, 0 },
    { "keys", 2000, make_keys, read_search, 0 },
    { "alternatives", 2000, make_alternatives, read_search, 0 },
    { "nested", 200, make_nested, read_search, 0 },
    { "wildcards", 500, make_wildcards, match, 0 },
    { "name behind wildcards", 1000, make_name, match_name, 0 },
    { "flags", 2000, make_flags, read_flags, 0 },
    { "items", 400, make_items, read_items, 0 },
    { "strings", 3000, make_strings, read_strings, 100 },
    { "needle", 5000, make_text, search_text, 100 },
    { "first look", 300, make_first, session, 0 },
    { "fetch", 300, make_fetch, session, 100 },
    { "scattered", 300, make_scattered, session, 100 },
    { "status", 300, make_status, session, 0 },
    { "expunge", 300, make_expunge, session, 100 },
    { "commands", 15, make_commands, session, 0 },
    { NULL, 0, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
    return cost_main(cases, argc, argv);
}
