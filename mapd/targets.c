/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

#include "mail/address.h"
#include "table/aliases.h"

#define FLAGS (ADDRESS_SMTPUTF8 | ADDRESS_LONG | ADDRESS_LOCAL_ONLY | \
               ADDRESS_LENIENT)

/* Nothing that a table says makes this program, or one behind it, run a
 * command or touch a file. */
static const char *why_refused(enum alias_kind kind)
{
    switch (kind) {
    case ALIAS_COMMAND:
        return "its alias names a command, and no command is run here";
    case ALIAS_FILE:
        return "its alias names a file, and mail is not written to files";
    default:
        return "its alias names an :include: file, which is not read here";
    }
}

/* `target` in canonical form, with a domain and the extension, which the
 * address that was asked for had behind `delimiter`. */
static int complete(struct view target, struct view extension, char delimiter,
                    struct buf *out, struct error *err)
{
    struct buf local = BUF_INIT;
    struct address a;

    if (address_parse(target, FLAGS, &a, err) < 0)
        return error_set(err, FAIL_PERM,
                         "its alias names what is no address");
    buf_add_view(&local, address_local(&a));
    if (extension.len > 0) {
        buf_add_char(&local, delimiter);
        buf_add_view(&local, extension);
    }
    address_format_local(out, buf_view(&local));
    buf_release(&local);
    buf_add_char(out, '@');
    if (a.domain_len > 0)
        buf_add_view(out, address_domain(&a));
    else
        buf_add_text(out, mapd_conf.myorigin);
    return out->len <= ENVELOPE_ADDR_MAX
               ? 0
               : error_set(err, FAIL_PERM,
                           "its alias names an address that is too long");
}

/* "@domain" stands for the same user there. */
static int same_user(struct view values, struct view address,
                     bool (*fn)(struct view target, void *arg), void *arg,
                     struct error *err)
{
    struct view none = { NULL, 0 };
    struct buf target = BUF_INIT, whole = BUF_INIT;
    int rc;

    buf_add_view(&target, view_sub(address, 0, view_rindex(address, '@')));
    buf_add_view(&target, values);
    rc = complete(buf_view(&target), none, '\0', &whole, err);
    if (rc == 0)
        fn(buf_view(&whole), arg);
    buf_release(&target);
    buf_release(&whole);
    return rc;
}

int targets_each(struct view values, struct view address,
                 struct view extension,
                 bool (*fn)(struct view target, void *arg), void *arg,
                 struct error *err)
{
    char delimiter = extension.len > 0 ? extension.data[-1] : '\0';
    struct aliases walk;
    struct alias_value v;
    struct buf target = BUF_INIT;
    bool more = true;
    int rc;

    values = view_trim(values);
    if (view_starts(values, "@") && view_index(values, ',') == values.len)
        return same_user(values, address, fn, arg, err);
    aliases_begin(&walk, values);
    while (more && (rc = aliases_next(&walk, &v, err)) != 0) {
        if (rc < 0)
            break;
        if (v.kind != ALIAS_ADDRESS) {
            rc = error_set(err, FAIL_PERM, "%s", why_refused(v.kind));
            break;
        }
        buf_reset(&target);
        rc = complete(v.text, extension, delimiter, &target, err);
        if (rc < 0)
            break;
        more = fn(buf_view(&target), arg);
    }
    aliases_end(&walk);
    buf_release(&target);
    return rc < 0 ? -1 : 0;
}
