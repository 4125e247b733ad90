/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages, addresses, main.cf, queue files, aliases; and a planted case whose
 * work is quadratic, which must be found. */
#include "cost.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "mail/address.h"
#include "mail/bodystructure.h"
#include "mail/date.h"
#include "mail/decode.h"
#include "mail/encoded_word.h"
#include "mail/esmtp.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"
#include "mail/mime.h"
#include "queue/qfile.h"
#include "table/aliases.h"

/* --- planted ----------------------------------------------------------- */

static void make_words(struct buf *in, size_t n)
{
    cost_repeat(in, n, "w# ");
}

/* For each word, look at all from the first on. */
static size_t planted(struct view in)
{
    volatile size_t looked = 0; /* so that no compiler leaves it out */
    size_t words = 0;

    for (size_t i = 0; i < in.len; i++) {
        if (in.data[i] != ' ')
            continue;
        words++;
        for (size_t k = 0; k < i; k++)
            looked += in.data[k] == ' ';
    }
    return looked > 0 ? words : 1;
}

static size_t not_planted(struct view in)
{
    struct view word;
    size_t words = 0;

    while (view_word(&in, " ", &word))
        words++;
    return words;
}

/* --- MIME -------------------------------------------------------------- */

/* What a FETCH of ENVELOPE and BODYSTRUCTURE makes; bytes of both. */
static size_t structure(struct view in)
{
    struct mime_source src = mime_source_memory(in);
    struct buf out = BUF_INIT;
    struct bodystructure_range range;
    struct error err;
    struct mime m;
    size_t n;

    if (mime_parse(&m, &src, MIME_LIMITS_DEFAULT, &err) < 0)
        return 0;
    bodystructure_format(&out, &m, true);
    bodystructure_envelope(&out, &m, &m.parts[0]);
    bodystructure_find(&m, VIEW("1.1.2.1"), &range);
    for (size_t i = 0; i < m.parts_count; i++) {
        mime_param(&m, m.parts[i].type_params, "name", &out);
        mime_param(&m, m.parts[i].disposition_params, "filename", &out);
    }
    n = out.len + (size_t)m.steps;
    buf_release(&out);
    mime_release(&m);
    return n;
}

static void make_parts(struct buf *in, size_t n)
{
    buf_add_text(in, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    cost_repeat(in, n, "--b\r\nContent-Type: text/plain; name=p#\r\n\r\nx\r\n");
    buf_add_text(in, "--b--\r\n");
}

static void make_deep(struct buf *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(in, "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n"
                 "--b%zu\r\n", i, i);
}

static void make_deep_messages(struct buf *in, size_t n)
{
    cost_repeat(in, n, "Content-Type: message/rfc822\r\n\r\n");
}

/* The deepest tree that there is, and lines that may end all of it. */
static void make_delimiters(struct buf *in, size_t n)
{
    make_deep(in, MIME_DEPTH_MAX - 1);
    buf_add_text(in, "\r\n");
    cost_repeat(in, n, "--b\r\n--b#x\r\n--bb\r\n--\r\n");
}

static void make_long_boundary(struct buf *in, size_t n)
{
    buf_add_text(in, "Content-Type: multipart/mixed; boundary=");
    cost_repeat(in, MIME_BOUNDARY_MAX - 10, "b");
    buf_add_text(in, "\r\n\r\n");
    for (size_t i = 0; i < n; i++) {
        buf_add_text(in, "--");
        cost_repeat(in, MIME_BOUNDARY_MAX - 11, "b");
        buf_add_text(in, "c\r\n");
    }
}

static void make_fields(struct buf *in, size_t n)
{
    cost_repeat(in, n, "To: a#@x.example\r\nX-#: y\r\n");
    buf_add_text(in, "\r\n");
}

static void make_long_field(struct buf *in, size_t n)
{
    buf_add_text(in, "Subject: ");
    cost_repeat(in, n, "xyz \"( =?\r\n ");
    buf_add_text(in, "\r\n\r\n");
}

static void make_people(struct buf *in, size_t n)
{
    buf_add_text(in, "From: x@y.example\r\nTo: ");
    cost_repeat(in, n, "\"P. #\" <p#@x.example>,\r\n ");
    buf_add_text(in, "z@z.example\r\n\r\n");
}

static void make_groups(struct buf *in, size_t n)
{
    buf_add_text(in, "To: ");
    cost_repeat(in, n, "g#:a,b@c;,\r\n ");
    buf_add_text(in, "z@z.example\r\n\r\n");
}

static void make_comments(struct buf *in, size_t n)
{
    buf_add_text(in, "From: ");
    cost_repeat(in, n, "(\\)a");
    cost_repeat(in, n, ")");
    buf_add_text(in, " x@y.example\r\nContent-Type: text/(");
    cost_repeat(in, n, "(");
    cost_repeat(in, n, ")");
    buf_add_text(in, ")plain; a=b\r\n\r\n");
}

static void make_open_quotes(struct buf *in, size_t n)
{
    buf_add_text(in, "From: ");
    cost_repeat(in, n, "\"a\\\" (<");
    buf_add_text(in, "\r\n\r\n");
}

static void make_segments(struct buf *in, size_t n)
{
    buf_add_text(in, "Content-Type: text/plain");
    for (size_t i = n; i > 0; i--)
        buf_addf(in, ";\r\n name*%zu*=x%%20", i);
    buf_add_text(in, "\r\nContent-Disposition: attachment");
    cost_repeat(in, n, "; f#*0=a; filename=\"b\"");
    buf_add_text(in, "\r\n\r\n");
}

static void make_bytes(struct buf *in, size_t n)
{
    buf_add_text(in, "Subject: x\r\n\r\n");
    cost_repeat(in, n, "-");
}

/* --- fields ------------------------------------------------------------ */

static void make_encoded_words(struct buf *in, size_t n)
{
    cost_repeat(in, n, "=?utf-8?q?a=C3=A9#?= ");
}

static void make_half_words(struct buf *in, size_t n)
{
    cost_repeat(in, n, "=?utf-8?q?a");
}

static void make_charsets(struct buf *in, size_t n)
{
    cost_repeat(in, n, "=?x-no-#?b?YQ==?= =?iso-8859-1?b?YQ?=\r\n ");
}

static size_t decode_words(struct view in)
{
    struct buf line = BUF_INIT, out = BUF_INIT;
    size_t n;

    header_unfold(&line, in);
    encoded_word_decode(&out, buf_view(&line));
    n = out.len;
    buf_release(&line);
    buf_release(&out);
    return n;
}

static size_t parse_list(struct view in)
{
    struct mailbox_list l = MAILBOX_LIST_INIT;
    size_t n;

    mailbox_list_parse(&l, in, MAILBOX_LIST_MAX);
    n = l.count;
    mailbox_list_release(&l);
    return n;
}

static void make_commas(struct buf *in, size_t n)
{
    cost_repeat(in, n, "a <,b@(,)>;:");
}

static void make_date(struct buf *in, size_t n)
{
    buf_add_text(in, "Tue, 1 Feb 1994 ");
    cost_repeat(in, n, "(");
    cost_repeat(in, n, ")");
    buf_add_text(in, " 10:00:00 +0000");
}

static size_t parse_date(struct view in)
{
    struct date d;

    date_parse(in, &d);
    return in.len;
}

static void make_base64(struct buf *in, size_t n)
{
    cost_repeat(in, n, "Y!W=Jj\r\n");
}

static size_t decode_all(struct view in)
{
    static const char *const names[] = { "base64", "quoted-printable" };
    struct buf out = BUF_INIT;
    size_t n;

    for (size_t i = 0; i < 2; i++) {
        struct decode d;

        decode_start(&d, decode_kind_of(view_of(names[i])));
        decode_add(&d, in, &out);
        decode_end(&d, &out);
    }
    n = out.len;
    buf_release(&out);
    return n;
}

static void make_trailing_blanks(struct buf *in, size_t n)
{
    cost_repeat(in, n, " \t=");
}

static void make_path(struct buf *in, size_t n)
{
    buf_add_text(in, "<");
    cost_repeat(in, n, "\"\\a\".");
    buf_add_text(in, "b@c.example> X=y");
}

/* As a command's line gives them. */
static size_t parse_path(struct view in)
{
    struct view rest = in;
    struct esmtp_params params;
    struct address a;
    struct error err;

    address_parse_path(&rest, ADDRESS_SMTPUTF8, &a, &err);
    esmtp_parse(in, true, &params, &err);
    return in.len;
}

static void make_params(struct buf *in, size_t n)
{
    cost_repeat(in, n, " A#=+41");
}

/* --- main.cf ----------------------------------------------------------- */

static void say_nothing(const char *sentence, void *arg)
{
    (void)sentence;
    ++*(size_t *)arg;
}

static void count_name(const char *name, const char *value, void *arg)
{
    (void)name;
    (void)value;
    ++*(size_t *)arg;
}

static size_t configure(struct view in)
{
    struct config *cfg;
    struct error err;
    size_t n = 0, said = 0;

    if (config_parse(&cfg, in, "main.cf", &err) < 0)
        return 0;
    config_warn(cfg, say_nothing, &said);
    config_each(cfg, count_name, &n);
    config_free(&cfg);
    return n + said;
}

static void make_unknown(struct buf *in, size_t n)
{
    cost_repeat(in, n, "unknown# = x\n");
}

static void make_classes(struct buf *in, size_t n)
{
    cost_repeat(in, n, "my# = $my_#_ ${your#}\n");
}

static void make_again(struct buf *in, size_t n)
{
    cost_repeat(in, n, "myhostname = x#\n");
}

static void make_continued(struct buf *in, size_t n)
{
    buf_add_text(in, "mydestination = a\n");
    for (size_t i = 0; i < n; i++)
        buf_addf(in, "# a comment\n\n  b%zu,\n", i);
}

/* --- files ------------------------------------------------------------- */

static void make_queue_file(struct buf *in, size_t n)
{
    struct qwriter w = { .fd = memfd_create("queue", MFD_CLOEXEC) };
    struct envelope e = { .sender = VIEW("x@y.example") };
    struct error err;
    off_t size;

    qwriter_begin(&w, w.fd, 42, &e, &err);
    for (size_t i = 0; i < n; i++) {
        char text[60];
        struct envelope_rcpt r = { .nexthop = VIEW("x") };

        snprintf(text, sizeof text, "a%zu@x.example", i);
        r.address = view_of(text);
        qwriter_rcpt(&w, &r, &err);
    }
    qwriter_content(&w, "x\r\n", 3, &err);
    qwriter_finish(&w, &err);
    size = lseek(w.fd, 0, SEEK_END);
    if (size > 0 && pread(w.fd, buf_room(in, (size_t)size), (size_t)size, 0) ==
                        size)
        in->len += (size_t)size;
    close(w.fd);
    qwriter_release(&w);
}

/* Read it, give each recipient two statuses, and read it again. */
static size_t read_queue_file(struct view in)
{
    struct qfile q = { .n_rcpts = 0 };
    struct error err;
    size_t n = 0;
    int fd = memfd_create("queue", MFD_CLOEXEC);

    if (write(fd, in.data, in.len) != (ssize_t)in.len)
        goto out;
    for (unsigned turn = 0; turn < 2; turn++) {
        uint64_t end;

        qfile_release(&q);
        if (qfile_read(&q, fd, "queue", &err) < 0)
            goto out;
        end = q.end;
        for (size_t i = 0; i < q.n_rcpts; i++) {
            struct rcpt_record s = { .index = (uint32_t)i, .when_us = 7,
                                     .status = RCPT_DEFERRED,
                                     .dsn = VIEW("4.2.0"),
                                     .text = VIEW("later") };

            qfile_append(fd, &end, &s, &err);
        }
    }
    n = q.n_rcpts;
out:
    qfile_release(&q);
    close(fd);
    return n;
}

static void make_targets(struct buf *in, size_t n)
{
    cost_repeat(in, n, "\"a #\"@x.example, b# (c, d), ");
    buf_add_text(in, "z");
}

static size_t read_targets(struct view in)
{
    struct aliases a;
    struct alias_value value;
    struct error err;
    size_t n = 0;

    aliases_begin(&a, in);
    while (aliases_next(&a, &value, &err) > 0)
        n++;
    aliases_end(&a);
    return n;
}

static const struct cost_case cases[] = {
    { "planted", 500, make_words, planted, 100 },
    { "not planted", 500, make_words, not_planted, 100 },
    { "parts", 1000, make_parts, structure, 100 },
    { "deep", 1000, make_deep, structure, 100 },
    { "deep messages", 1000, make_deep_messages, structure, 100 },
    { "delimiters", 1000, make_delimiters, structure, 100 },
    { "almost a boundary", 300, make_long_boundary, structure, 100 },
    { "fields", 1500, make_fields, structure, 100 },
    { "a long field", 5000, make_long_field, structure, 100 },
    { "addresses", 2000, make_people, structure, 100 },
    { "groups", 2000, make_groups, structure, 100 },
    { "comments", 10000, make_comments, structure, 100 },
    { "open quotes", 5000, make_open_quotes, structure, 100 },
    { "segments", 2000, make_segments, structure, 100 },
    { "a line", 100000, make_bytes, structure, 100 },
    { "encoded words", 2000, make_encoded_words, decode_words, 100 },
    { "half words", 5000, make_half_words, decode_words, 100 },
    { "character sets", 500, make_charsets, decode_words, 100 },
    { "list of comments", 10000, make_comments, parse_list, 0 },
    { "list of quotes", 5000, make_open_quotes, parse_list, 0 },
    { "commas", 4000, make_commas, parse_list, 0 },
    { "date", 10000, make_date, parse_date, 100 },
    { "coded", 10000, make_base64, decode_all, 100 },
    { "trailing blanks", 20000, make_trailing_blanks, decode_all, 0 },
    { "path", 10000, make_path, parse_path, 100 },
    { "parameters", 10000, make_params, parse_path, 100 },
    { "unknown names", 500, make_unknown, configure, 100 },
    { "names that others use", 1000, make_classes, configure, 100 },
    { "a name again", 3000, make_again, configure, 0 },
    { "continued", 10000, make_continued, configure, 0 },
    { "queue file", 1500, make_queue_file, read_queue_file, 100 },
    { "aliases", 1500, make_targets, read_targets, 100 },
    { NULL, 0, NULL, NULL, 0 },
};

int main(int argc, char **argv)
{
    return cost_main(cases, argc, argv);
}
