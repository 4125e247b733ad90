/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

#include <arpa/inet.h>

#include "base/ascii.h"
#include "base/utf8.h"

static int refuse(struct address *out, enum address_fault fault,
                  struct error *err, const char *why)
{
    out->fault = fault;
    return error_set(err, FAIL_PERM, "bad address: %s", why);
}

static int refuse_high(struct address *out, struct error *err)
{
    return refuse(out, ADDRESS_NOT_ASCII, err,
                  "it has characters outside ASCII, and SMTPUTF8 was not "
                  "asked for");
}

/* Take one character if it is `c`. */
static bool take(struct view *rest, char c)
{
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = view_sub(*rest, 1, rest->len);
    return true;
}

static bool is_high(char c)
{
    return (unsigned char)c >= 0x80;
}

/* RFC 5322 §3.2.3 atext; RFC 6531 adds what is outside ASCII. */
static bool is_atext(char c)
{
    return ascii_is_alnum(c) || is_high(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* --- domains ----------------------------------------------------------- */

/* What is outside ASCII must be UTF-8 that can be seen. */
static bool is_readable(struct view v)
{
    while (v.len > 0) {
        int32_t c = utf8_next(&v);

        if (c < 0 || utf8_is_hidden(c))
            return false;
    }
    return true;
}

/* A label's limit is on its form in DNS, which for a U-label has about as
 * many bytes as the label has characters. */
static size_t label_len(struct view label)
{
    size_t len = 0;

    for (size_t i = 0; i < label.len; i++)
        len += ((unsigned char)label.data[i] & 0xc0) != 0x80;
    return len;
}

static bool is_label(struct view label, bool utf8)
{
    if (label.len == 0 || label_len(label) > ADDRESS_LABEL_MAX)
        return false;
    if (label.data[0] == '-' || label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.data[i];

        if (!ascii_is_alnum(c) && c != '-' && !(utf8 && is_high(c)))
            return false;
    }
    return true;
}

bool address_is_domain(struct view domain, unsigned flags)
{
    struct view rest = domain, label;

    if (domain.len == 0 || domain.len > ADDRESS_DOMAIN_MAX)
        return false;
    while (view_cut(&rest, '.', &label))
        if (!is_label(label, flags & ADDRESS_SMTPUTF8))
            return false;
    return !utf8_has_high(domain) || is_readable(domain);
}

/* Check a name and keep it in lower case. */
static int set_name(struct view name, unsigned flags, struct address *out,
                    struct error *err)
{
    if (name.len > ADDRESS_DOMAIN_MAX)
        return refuse(out, ADDRESS_TOO_LONG, err,
                      "its domain is longer than 255 bytes");
    if (utf8_has_high(name) && !(flags & ADDRESS_SMTPUTF8))
        return refuse_high(out, err);
    if (!address_is_domain(name, flags))
        return refuse(out, ADDRESS_SYNTAX, err,
                      "its domain is not a host or domain name");
    for (size_t i = 0; i < name.len; i++)
        out->domain[i] = ascii_lower(name.data[i]);
    out->domain[name.len] = '\0';
    out->domain_len = name.len;
    out->utf8 |= utf8_has_high(name);
    return 0;
}

/* Keep the inside of an address literal in its one canonical spelling. */
static int set_literal(struct view inside, struct address *out,
                       struct error *err)
{
    static const char tag[] = "IPv6:";
    bool six = view_starts_nocase(inside, tag);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ip;
    int len;

    if (six)
        inside = view_sub(inside, sizeof tag - 1, inside.len);
    if (!view_copy(inside, text, sizeof text) ||
        inet_pton(six ? AF_INET6 : AF_INET, text, &ip) != 1)
        return refuse(out, ADDRESS_SYNTAX, err,
                      "its domain is not an address literal like [192.0.2.1] "
                      "or [IPv6:2001:db8::1]");
    inet_ntop(six ? AF_INET6 : AF_INET, &ip, text, sizeof text);
    len = snprintf(out->domain, sizeof out->domain, "[%s%s]", six ? tag : "",
                   text);
    out->domain_len = (size_t)len;
    out->literal = true;
    return 0;
}

/* Where a name ends: at whatever ends the path or the route's element. */
static size_t name_len(struct view rest)
{
    size_t i = 0;

    while (i < rest.len && rest.data[i] != '>' && rest.data[i] != ' ' &&
           rest.data[i] != ',' && rest.data[i] != ':')
        i++;
    return i;
}

static int parse_domain(struct view *rest, unsigned flags, struct address *out,
                        struct error *err)
{
    struct view domain = view_sub(*rest, 0, name_len(*rest));

    if (rest->len > 0 && rest->data[0] == '[') {
        size_t end = view_index(*rest, ']');

        if (end == rest->len)
            return refuse(out, ADDRESS_SYNTAX, err,
                          "its address literal has no \"]\"");
        if (set_literal(view_sub(*rest, 1, end), out, err) < 0)
            return -1;
        *rest = view_sub(*rest, end + 1, rest->len);
        return 0;
    }
    if (set_name(domain, flags, out, err) < 0)
        return -1;
    *rest = view_sub(*rest, domain.len, rest->len);
    return 0;
}

/* --- local parts ------------------------------------------------------- */

static int add_local(struct address *out, char c, unsigned flags,
                     struct error *err)
{
    size_t max = flags & ADDRESS_LONG ? ADDRESS_LOCAL_LONG_MAX
                                      : ADDRESS_LOCAL_MAX;

    if (is_high(c)) {
        if (!(flags & ADDRESS_SMTPUTF8))
            return refuse_high(out, err);
        out->utf8 = true;
    }
    if (out->local_len == max)
        return refuse(out, ADDRESS_TOO_LONG, err,
                      "its local part is too long");
    out->local[out->local_len++] = c;
    return 0;
}

/* The rest of a quoted string, its first quote taken (RFC 5321 §4.1.2). */
static int parse_quoted(struct view *rest, unsigned flags, struct address *out,
                        struct error *err)
{
    while (rest->len > 0) {
        char c = rest->data[0];

        *rest = view_sub(*rest, 1, rest->len);
        if (c == '"')
            return 0;
        if (c == '\\') {
            if (rest->len == 0)
                break;
            c = rest->data[0];
            *rest = view_sub(*rest, 1, rest->len);
        }
        if (ascii_is_control(c))
            return refuse(out, ADDRESS_SYNTAX, err,
                          "it has a control character");
        if (add_local(out, c, flags, err) < 0)
            return -1;
    }
    return refuse(out, ADDRESS_SYNTAX, err, "its quoted string has no end");
}

static bool has_odd_dots(struct view local)
{
    struct view rest = local, atom;

    while (view_cut(&rest, '.', &atom))
        if (atom.len == 0)
            return true;
    return false;
}

static int parse_dot_string(struct view *rest, unsigned flags,
                            struct address *out, struct error *err)
{
    while (rest->len > 0 && (is_atext(rest->data[0]) || rest->data[0] == '.')) {
        if (add_local(out, rest->data[0], flags, err) < 0)
            return -1;
        *rest = view_sub(*rest, 1, rest->len);
    }
    if (out->local_len > 0 && !(flags & ADDRESS_LENIENT) &&
        has_odd_dots(address_local(out)))
        return refuse(out, ADDRESS_SYNTAX, err,
                      "a dot is misplaced in its local part");
    return 0;
}

static int parse_local(struct view *rest, unsigned flags, struct address *out,
                       struct error *err)
{
    int rc = take(rest, '"') ? parse_quoted(rest, flags, out, err)
                             : parse_dot_string(rest, flags, out, err);

    if (rc < 0)
        return -1;
    if (out->local_len == 0)
        return refuse(out, ADDRESS_SYNTAX, err, "its local part is empty");
    if (out->utf8 && !is_readable(address_local(out)))
        return refuse(out, ADDRESS_SYNTAX, err,
                      "its local part is not readable UTF-8");
    return 0;
}

/* --- whole addresses --------------------------------------------------- */

static int parse_mailbox(struct view *rest, unsigned flags,
                         struct address *out, struct error *err)
{
    if (parse_local(rest, flags, out, err) < 0)
        return -1;
    if (take(rest, '@'))
        return parse_domain(rest, flags, out, err);
    if (!(flags & ADDRESS_LOCAL_ONLY) &&
        !view_is_nocase(address_local(out), "postmaster"))
        return refuse(out, ADDRESS_SYNTAX, err, "it has no domain");
    return 0;
}

/* "@a.example,@b.example:" - checked, and then forgotten: nothing has been
 * routed this way for decades (RFC 5321 appendix C). */
static int drop_route(struct view *rest, unsigned flags, struct address *out,
                      struct error *err)
{
    bool utf8 = out->utf8;

    if (rest->len == 0 || rest->data[0] != '@')
        return 0;
    do {
        if (!take(rest, '@'))
            return refuse(out, ADDRESS_SYNTAX, err,
                          "its source route is malformed");
        if (parse_domain(rest, flags, out, err) < 0)
            return -1;
    } while (take(rest, ','));
    if (!take(rest, ':'))
        return refuse(out, ADDRESS_SYNTAX, err,
                      "its source route is malformed");
    out->domain_len = 0;
    out->domain[0] = '\0';
    out->literal = false;
    out->utf8 = utf8;
    return 0;
}

static int parse_in_brackets(struct view *rest, unsigned flags,
                             struct address *out, struct error *err)
{
    struct view start = *rest;

    if ((flags & ADDRESS_NULL) && take(rest, '>')) {
        out->null = true;
        return 0;
    }
    if (drop_route(rest, flags, out, err) < 0 ||
        parse_mailbox(rest, flags, out, err) < 0)
        return -1;
    if (!take(rest, '>'))
        return refuse(out, ADDRESS_SYNTAX, err,
                      "something other than \">\" follows its end");
    if (start.len - rest->len > ADDRESS_PATH_MAX)
        return refuse(out, ADDRESS_TOO_LONG, err,
                      "it is longer than 1000 bytes");
    return 0;
}

static void finish(struct address *out)
{
    out->local[out->local_len] = '\0';
    out->fault = ADDRESS_OK;
}

int address_parse_path(struct view *line, unsigned flags, struct address *out,
                       struct error *err)
{
    struct view rest = *line;
    int rc;

    memset(out, 0, sizeof *out);
    while (take(&rest, ' '))
        ;
    if (take(&rest, '<'))
        rc = parse_in_brackets(&rest, flags, out, err);
    else if (flags & ADDRESS_LENIENT)
        rc = parse_mailbox(&rest, flags, out, err);
    else
        rc = refuse(out, ADDRESS_SYNTAX, err, "it is not in angle brackets");
    if (rc < 0)
        return -1;
    if (rest.len > 0 && rest.data[0] != ' ')
        return refuse(out, ADDRESS_SYNTAX, err,
                      "something other than a blank follows it");
    finish(out);
    *line = rest;
    return 0;
}

int address_parse(struct view text, unsigned flags, struct address *out,
                  struct error *err)
{
    struct view rest = text;

    memset(out, 0, sizeof *out);
    if (text.len == 0 && (flags & ADDRESS_NULL)) {
        out->null = true;
        return 0;
    }
    if (parse_mailbox(&rest, flags, out, err) < 0)
        return -1;
    if (rest.len > 0)
        return refuse(out, ADDRESS_SYNTAX, err,
                      "a character in it may not stand there");
    finish(out);
    return 0;
}

static bool needs_quotes(struct view local)
{
    if (local.len == 0 || has_odd_dots(local))
        return true;
    for (size_t i = 0; i < local.len; i++)
        if (!is_atext(local.data[i]) && local.data[i] != '.')
            return true;
    return false;
}

void address_format_local(struct buf *out, struct view local)
{
    if (!needs_quotes(local)) {
        buf_add_view(out, local);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < local.len; i++) {
        if (local.data[i] == '"' || local.data[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, local.data[i]);
    }
    buf_add_char(out, '"');
}

void address_format(struct buf *out, const struct address *a)
{
    buf_add(out, "", 0);
    if (a->null)
        return;
    address_format_local(out, address_local(a));
    if (a->domain_len > 0) {
        buf_add_char(out, '@');
        buf_add_view(out, address_domain(a));
    }
}

struct view address_local(const struct address *a)
{
    return (struct view){ a->local, a->local_len };
}

struct view address_domain(const struct address *a)
{
    return (struct view){ a->domain, a->domain_len };
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->null == b->null && view_eq(address_local(a), address_local(b)) &&
           view_eq(address_domain(a), address_domain(b));
}

/* Names that mean something as a whole. */
static bool is_unsplittable(struct view local, const char *delimiters)
{
    static const char *const whole[] = {
        "postmaster", "mailer-daemon", "double-bounce",
    };

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (view_is_nocase(local, whole[i]))
            return true;
    if (strchr(delimiters, '-') == NULL)
        return false;
    return view_starts_nocase(local, "owner-") ||
           (local.len > 8 &&
            view_is_nocase(view_sub(local, local.len - 8, local.len),
                           "-request"));
}

bool address_split(struct view local, const char *delimiters,
                   struct view *user, struct view *extension)
{
    size_t at = 0;

    *user = local;
    *extension = (struct view){ NULL, 0 };
    if (is_unsplittable(local, delimiters))
        return false;
    while (at < local.len &&
           (local.data[at] == '\0' || !strchr(delimiters, local.data[at])))
        at++;
    if (at == 0 || at == local.len)
        return false;
    *user = view_sub(local, 0, at);
    *extension = view_sub(local, at + 1, local.len);
    return true;
}
