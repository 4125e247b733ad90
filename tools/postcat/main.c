/* SPDX-License-Identifier: BSD-2-Clause */
/* postcat - show a message of the queue. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utf8.h"
#include "mail/date.h"
#include "mail/header.h"
#include "proto/queue.h"
#include "queue/qfile.h"
#include "tools/common/command.h"
#include "tools/common/offline.h"

enum { ENVELOPE = 1, HEADER = 2, BODY = 4, ALL = 7 };

static void usage(FILE *to, int code)
{
    fprintf(to, "usage: postcat [-c config_directory] [-e] [-h] [-b] "
                "-q queue_id | file...\n"
                "  -e envelope   -h header   -b body (all when none is "
                "given)\n");
    exit(code);
}

/* Controls are shown, not obeyed; line ends and tabs are kept. */
static void print_clean(struct view v)
{
    struct buf out = BUF_INIT;

    while (v.len > 0) {
        size_t n = 0;
        struct view part;

        while (n < v.len && v.data[n] != '\t' && v.data[n] != '\n')
            n++;
        part = view_sub(v, 0, n);
        if (n < v.len && v.data[n] == '\n' && view_ends(part, "\r"))
            part.len--;
        utf8_add_visible(&out, part);
        if (n < v.len)
            buf_add_char(&out, v.data[n]);
        v = view_sub(v, n + 1, v.len);
    }
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_release(&out);
}

static void print_field(const char *name, struct view v)
{
    if (v.len == 0)
        return;
    printf("%s: ", name);
    print_clean(v);
    putchar('\n');
}

static void print_envelope(const struct qfile *q, const char *name)
{
    struct buf date = BUF_INIT;

    printf("*** ENVELOPE RECORDS %s ***\n", name);
    printf("message_size: %llu\n", (unsigned long long)q->content_len);
    date_format(&date, date_local((int64_t)(q->arrival_us / 1000000)));
    print_field("message_arrival_time", buf_view(&date));
    buf_release(&date);
    printf("sender: %.*s\n", VIEW_ARG(q->e.sender));
    print_field("named_attribute: log_client_name", q->e.client_name);
    print_field("named_attribute: log_client_address", q->e.client_address);
    print_field("named_attribute: log_helo_name", q->e.helo);
    print_field("named_attribute: log_protocol_name", q->e.protocol);
    print_field("named_attribute: sasl_username", q->e.account);
    print_field("named_attribute: envelope_id", q->e.envid);
    for (size_t i = 0; i < q->n_rcpts; i++) {
        const struct qrcpt *r = &q->rcpts[i];
        bool done = r->status != RCPT_PENDING && r->status != RCPT_DEFERRED;

        print_field("original_recipient", r->r.original);
        print_field(done ? "done_recipient" : "recipient", r->r.address);
        print_field("reason", r->text);
    }
}

static void print_message(const struct qfile *q, int fd, const char *name,
                          unsigned what)
{
    struct buf text = BUF_INIT;
    struct error err;
    size_t header;

    if (io_pread_all(fd, buf_room(&text, q->content_len), q->content_len,
                     q->content_offset, name, &err) < 0)
        command_fail(EX_IOERR, "%s", err.text);
    text.len = q->content_len;
    header = header_end(buf_view(&text));
    printf("*** MESSAGE CONTENTS %s ***\n", name);
    if (what & HEADER)
        print_clean(view_sub(buf_view(&text), 0, header));
    if (what & BODY)
        print_clean(view_sub(buf_view(&text), header, text.len));
    buf_release(&text);
}

static void print(int fd, const char *name, unsigned what)
{
    struct qfile q;
    struct error err;

    if (qfile_read(&q, fd, name, &err) < 0)
        command_fail(EX_DATAERR, "%s", err.text);
    if (what & ENVELOPE)
        print_envelope(&q, name);
    if (what & (HEADER | BODY))
        print_message(&q, fd, name, what);
    printf("*** MESSAGE FILE END %s ***\n", name);
    qfile_release(&q);
}

struct wanted {
    const char *id;
    unsigned what;
    bool found;
};

static void print_file(int dir, const char *queue, const char *id, void *arg)
{
    struct wanted *w = arg;
    char path[64];
    int fd;

    if (strcmp(id, w->id) != 0)
        return;
    snprintf(path, sizeof path, "%s/%s", queue, id);
    fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    print(fd, path, w->what);
    w->found = true;
    close(fd);
}

/* Nothing runs. */
static void print_offline(const char *id, unsigned what)
{
    struct wanted w = { id, what, false };
    int dir = offline_begin();

    if (dir < 0)
        command_fail(EX_UNAVAILABLE, "Cannot read mail queue - mail system is "
                     "down");
    offline_each(dir, "", print_file, &w);
    close(dir);
    if (!w.found)
        command_fail(EX_NOINPUT, "%s: no such message", id);
}

static void print_queued(const char *id, unsigned what)
{
    struct queue_open ask = { view_of(id) };
    struct queue_opened opened;
    struct queue_done done;
    struct ipc_packet p;
    struct error err;
    struct ipc c;
    char name[64];
    int fd;

    if (!qfile_is_id(ask.queue_id))
        command_fail(EX_USAGE, "\"%s\" is no queue id", id);
    fd = command_connect(QUEUE_SOCKET, SOCK_SEQPACKET);
    if (fd < 0) {
        print_offline(id, what);
        return;
    }
    ipc_init(&c, fd, 0);
    if (ipc_send(&c, &queue_open_type, &ask, &err) < 0 ||
        ipc_recv(&c, &p, &err) <= 0)
        command_fail(EX_UNAVAILABLE, "the queue manager does not answer");
    if (ipc_id(p.bytes) == queue_done_type.id &&
        ipc_packet_decode(&p, &queue_done_type, &done, &err) == 0)
        command_fail(EX_NOINPUT, "%s: %.*s", id, VIEW_ARG(done.why));
    if (ipc_packet_decode(&p, &queue_opened_type, &opened, &err) < 0)
        command_fail(EX_SOFTWARE, "%s", err.text);
    snprintf(name, sizeof name, "%.*s/%s", VIEW_ARG(opened.queue_name), id);
    print(opened.fd, name, what);
    close(opened.fd);
    ipc_release(&c);
}

int main(int argc, char **argv)
{
    const char *directory = NULL;
    bool by_id = false;
    unsigned what = 0;
    int opt;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        usage(stdout, 0);
    while ((opt = getopt(argc, argv, "c:qehbvo")) != -1) {
        if (opt == 'c')
            directory = optarg;
        else if (opt == 'q')
            by_id = true;
        else if (opt == '?')
            usage(stderr, EX_USAGE);
        else
            what |= opt == 'e' ? ENVELOPE : opt == 'h' ? HEADER
                  : opt == 'b' ? BODY : 0;
    }
    if (optind == argc)
        usage(stderr, EX_USAGE);
    command_begin(directory);
    for (; optind < argc; optind++) {
        int fd = -1;

        if (by_id) {
            print_queued(argv[optind], what ? what : ALL);
            continue;
        }
        fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            command_fail(EX_NOINPUT, "cannot open %s", argv[optind]);
        print(fd, argv[optind], what ? what : ALL);
        close(fd);
    }
    return 0;
}
