/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in a Maildir: of files and their flags, of mailboxes, of accounts'
 * directories; and maildirsize. No name leads out of its directory, and each
 * says what it was made of.
 *
 * The first line of the input is a name in all these ways; the rest is the
 * file maildirsize, or, with the first byte odd, names of files to add up.
 */
#include "index/file.h"
#include "index/internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "maildir/maildir.h"
#include "maildir/quota.h"
#include "t/fuzz/fuzz.h"

#define LIMIT 100000

/* --- files ------------------------------------------------------------- */

static void check_file(struct view file)
{
    struct buf to = BUF_INIT, again = BUF_INIT;
    uint32_t all = MAILBOX_DRAFT | MAILBOX_FLAGGED | MAILBOX_ANSWERED |
                   MAILBOX_SEEN | MAILBOX_DELETED;
    uint32_t flags = file_flags(file);

    MUST((flags & ~all) == 0);
    for (uint32_t want = 0; want <= all; want++) {
        buf_reset(&to);
        buf_reset(&again);
        file_rename(&to, file, want);
        MUST(view_eq(file_base(buf_view(&to)), file_base(file)));
        MUST(file_flags(buf_view(&to)) == want);
        file_rename(&again, buf_view(&to), want);
        MUST(view_eq(buf_view(&to), buf_view(&again)));
    }
    buf_release(&to);
    buf_release(&again);
}

/* --- mailboxes --------------------------------------------------------- */

/* One directory, which is not "." (but for INBOX), "..", or below another. */
static void check_mailbox(struct view name)
{
    char path[STORE_NAME_MAX + 2];
    struct view p;

    if (!store_is_name(name))
        return;
    store_path(name, path);
    p = view_of(path);
    MUST(view_is_nocase(name, "INBOX") == view_is(p, "."));
    MUST(view_index(p, '/') == p.len && !view_is(p, "..") && p.len <= 255);
    MUST(p.data[0] == '.');
    if (!view_is(p, "."))
        MUST(view_eq(view_sub(p, 1, p.len), name));
}

/* --- accounts ---------------------------------------------------------- */

/* What a component was made of. */
static void unescape(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] != '%') {
            buf_add_char(out, v.data[i]);
            continue;
        }
        MUST(v.len - i > 2);
        buf_add_char(out, (char)(decode_hex_digit(v.data[i + 1]) << 4 |
                                 decode_hex_digit(v.data[i + 2])));
        i += 2;
    }
}

static void check_component(struct view v)
{
    MUST(v.len > 0 && v.len <= 255 && v.data[0] != '.');
    for (size_t i = 0; i < v.len; i++)
        MUST(v.data[i] > ' ' && v.data[i] < 0x7f && v.data[i] != '/');
}

static void check_account(struct view account)
{
    struct buf path = BUF_INIT, back = BUF_INIT;
    struct view rest, domain;

    if (maildir_account_path(&path, account)) {
        rest = buf_view(&path);
        MUST(view_cut(&rest, '/', &domain) && rest.data != NULL);
        check_component(domain);
        check_component(rest);
        unescape(&back, rest);
        buf_add_char(&back, '@');
        unescape(&back, domain);
        MUST(view_eq(buf_view(&back), account));
    }
    buf_release(&path);
    buf_release(&back);
}

static void check_delivery(struct view recipient)
{
    struct buf name = BUF_INIT;

    maildir_delivery_name(&name, 1000000, VIEW("0123456789ABCDEF"), recipient,
                          "mx.one.example", 77);
    MUST(view_index(buf_view(&name), '/') == name.len);
    MUST(view_index(buf_view(&name), ':') == name.len);
    MUST(name.len < 200 && file_flags(buf_view(&name)) == 0);
    buf_release(&name);
}

/* --- maildirsize ------------------------------------------------------- */

static void put_file(const char *path, struct view text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return; /* a name that no file can have */
    MUST(write(fd, text.data ? text.data : "", text.len) ==
         (ssize_t)text.len);
    close(fd);
}

static void put_messages(struct view names)
{
    struct view name;
    char path[300], text[256];

    MUST(mkdir("new", 0700) == 0 && mkdir("cur", 0700) == 0);
    while (view_cut(&names, '\n', &name)) {
        if (!view_copy(name, text, sizeof text) || name.len == 0 ||
            strchr(text, '/') != NULL)
            continue;
        snprintf(path, sizeof path, "cur/%s", text);
        put_file(path, VIEW(""));
    }
}

/* An empty mailbox has room for whatever its limit allows, whatever the file
 * says; a file that was made anew says so. */
static void check_quota(int dir, struct view text, bool names)
{
    struct error err;
    bool taken;

    fuzz_clear();
    if (names)
        put_messages(text);
    else
        put_file("maildirsize", text);
    MUST(quota_take(dir, LIMIT, 500, 1, &taken, &err) == 0);
    quota_note(dir, LIMIT, -500, -1);
    MUST(quota_take(dir, LIMIT, LIMIT + 1, 1, &taken, &err) == 0 && !taken);
    quota_forget(dir);
    MUST(quota_take(dir, LIMIT, LIMIT, 1, &taken, &err) == 0);
    MUST(names || taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view rest = fuzz_text(data + 1, len - 1), name;
    int dir = fuzz_directory();

    if (len == 0 || len > 5000)
        return 0;
    view_cut(&rest, '\n', &name);
    check_file(name);
    check_mailbox(name);
    check_account(name);
    check_delivery(name);
    check_quota(dir, rest, data[0] & 1);
    fuzz_closed_all();
    return 0;
}
