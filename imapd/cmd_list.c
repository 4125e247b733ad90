/* SPDX-License-Identifier: BSD-2-Clause */
/* LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; RFC 3348, 5258, 5819, 6154). */
#include "base/alloc.h"
#include "imapd/commands.h"
#include "imapd/tree.h"
#include "mail/imap_string.h"

#define PATTERNS_MAX 32

enum option {
    SUBSCRIBED = 1 << 0,
    REMOTE = 1 << 1,
    RECURSIVEMATCH = 1 << 2,
    SPECIAL_USE = 1 << 3,
    CHILDREN = 1 << 4,
};

static const struct {
    const char *name;
    bool select, show; /* where it may stand */
    enum option option;
} options[] = {
    { "SUBSCRIBED", true, true, SUBSCRIBED },
    { "REMOTE", true, false, REMOTE }, /* we have none, so nothing changes */
    { "RECURSIVEMATCH", true, false, RECURSIVEMATCH },
    { "SPECIAL-USE", true, true, SPECIAL_USE },
    { "CHILDREN", false, true, CHILDREN },
};
#define N_OPTIONS (sizeof options / sizeof *options)

struct request {
    struct imap_session *s;
    unsigned select, show;  /* of enum option */
    unsigned status;        /* items of RETURN (STATUS (...)), or 0 */
    bool extended;
    struct buf patterns[PATTERNS_MAX]; /* the reference before each */
    size_t n;
    bool lsub;
};

/* --- arguments --------------------------------------------------------- */

static bool take_option(struct imap_args *a, struct request *r, bool select)
{
    unsigned *set = select ? &r->select : &r->show;

    for (size_t i = 0; i < N_OPTIONS; i++) {
        if ((select ? options[i].select : options[i].show) &&
            imap_args_word(a, options[i].name)) {
            *set |= options[i].option;
            return true;
        }
    }
    if (!select && imap_args_word(a, "STATUS"))
        return imap_args_space(a) && imap_status_items(a, &r->status);
    return imap_args_fail(a, "There is no such LIST option.");
}

static bool take_options(struct imap_args *a, struct request *r, bool select)
{
    if (!imap_args_char(a, '('))
        return false;
    for (bool first = true; !imap_args_next_is(a, ')'); first = false)
        if ((!first && !imap_args_space(a)) || !take_option(a, r, select))
            return false;
    if ((r->select & RECURSIVEMATCH) &&
        !(r->select & (SUBSCRIBED | SPECIAL_USE)))
        return imap_args_fail(a, "RECURSIVEMATCH needs something to match.");
    return imap_args_char(a, ')');
}

static bool take_pattern(struct imap_args *a, struct request *r,
                         struct view reference)
{
    struct view pattern;

    if (r->n == PATTERNS_MAX)
        return imap_args_fail(a, "There are too many patterns.");
    if (!imap_args_pattern(a, &pattern))
        return false;
    if (pattern.len > 0) /* "" asks for the delimiter alone */
        buf_add_view(&r->patterns[r->n], reference);
    buf_add_view(&r->patterns[r->n++], pattern);
    return true;
}

static bool take_patterns(struct imap_args *a, struct request *r,
                          struct view reference)
{
    if (r->lsub || !imap_args_next_is(a, '('))
        return take_pattern(a, r, reference);
    r->extended = true;
    imap_args_char(a, '(');
    for (bool first = true; first || !imap_args_next_is(a, ')'); first = false)
        if ((!first && !imap_args_space(a)) ||
            !take_pattern(a, r, reference))
            return false;
    return imap_args_char(a, ')');
}

static bool parse(struct imap_args *a, struct request *r)
{
    struct view reference;

    if (!imap_args_space(a))
        return false;
    if (!r->lsub && imap_args_next_is(a, '(')) {
        r->extended = true;
        if (!take_options(a, r, true) || !imap_args_space(a))
            return false;
    }
    if (!imap_args_mailbox(a, &reference) || !imap_args_space(a) ||
        !take_patterns(a, r, reference))
        return false;
    if (!r->lsub && imap_args_next_is(a, ' ')) {
        r->extended = true;
        imap_args_space(a);
        if (!imap_args_word(a, "RETURN"))
            return imap_args_fail(a, "RETURN is missing.");
        if (!imap_args_space(a) || !take_options(a, r, false))
            return false;
    }
    return imap_args_end(a);
}

/* --- answers ----------------------------------------------------------- */

static void add_word(struct buf *out, const char *word)
{
    if (out->len > 0)
        buf_add_char(out, ' ');
    buf_add_text(out, word);
}

static void say(struct request *r, const struct buf *flags, struct view name,
                const char *tail)
{
    struct buf out = BUF_INIT;

    buf_addf(&out, "* %s (%s) \".\" ", r->lsub ? "LSUB" : "LIST",
             buf_text(flags));
    imap_string_add(&out, name);
    buf_add_text(&out, tail);
    buf_add_text(&out, "\r\n");
    imap_say_view(r->s, buf_view(&out));
    buf_release(&out);
}

static bool matches(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (imap_list_match(buf_view(&r->patterns[i]), view_of(name)))
            return true;
    return false;
}

static bool is_selected(const struct request *r, const struct tree_node *n)
{
    if ((r->select & SUBSCRIBED) && !n->subscribed)
        return false;
    if ((r->select & SPECIAL_USE) && n->use == STORE_USE_NONE)
        return false;
    return (r->select & SUBSCRIBED) || n->exists || n->below_exists;
}

/* Is there something selected below it (RFC 5258 §3.1, RECURSIVEMATCH)? */
static const char *child_info(const struct request *r,
                              const struct tree_node *n)
{
    bool subscribed = (r->select & SUBSCRIBED) && n->below_subscribed;

    if (!(r->select & RECURSIVEMATCH) ||
        !(subscribed || ((r->select & SPECIAL_USE) && n->below_used)))
        return "";
    return subscribed ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))"
                      : " (\"CHILDINFO\" (\"SPECIAL-USE\"))";
}

static void on_list(const struct tree_node *n, void *arg)
{
    struct request *r = arg;
    const char *info = child_info(r, n);
    struct buf flags = BUF_INIT;
    enum store_why why;
    struct error err;

    if (!(is_selected(r, n) || info[0] != '\0') || !matches(r, n->name))
        return;
    if (!n->exists)
        add_word(&flags, r->extended ? "\\NonExistent" : "\\Noselect");
    if (n->subscribed && ((r->select | r->show) & SUBSCRIBED))
        add_word(&flags, "\\Subscribed");
    add_word(&flags, n->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (n->use != STORE_USE_NONE)
        add_word(&flags, imap_use_name(n->use));
    say(r, &flags, view_of(n->name), info);
    buf_release(&flags);
    if (r->status != 0 && n->exists) /* its failure is not LIST's */
        imap_say_status(r->s, view_of(n->name), r->status, &why, &err);
}

/* With "%" a name that only stands above subscribed ones is shown too, as one
 * that is not subscribed itself (RFC 3501 §6.3.9). */
static void on_lsub(const struct tree_node *n, void *arg)
{
    struct request *r = arg;
    struct buf flags = BUF_INIT;
    bool above = view_ends(buf_view(&r->patterns[0]), "%") &&
                 n->below_subscribed;

    if (!(n->subscribed || above) || !matches(r, n->name))
        return;
    if (!n->subscribed)
        add_word(&flags, "\\Noselect");
    say(r, &flags, view_of(n->name), "");
    buf_release(&flags);
}

static void list(struct imap_session *s, struct imap_args *a, bool lsub)
{
    struct request r = { .s = s, .lsub = lsub };
    struct buf flags = BUF_INIT;
    struct tree t = { { 0 } };
    struct error err;

    if (!parse(a, &r))
        goto out;
    if (r.n == 1 && r.patterns[0].len == 0 && !r.extended) {
        buf_add_text(&flags, "\\Noselect");
        say(&r, &flags, VIEW(""), "");
    } else if (tree_load(&t, s->store, &err) < 0) {
        imap_failed(s, &err);
        goto out;
    } else {
        tree_each(&t, lsub ? on_lsub : on_list, &r);
    }
    imap_ok(s, lsub ? "Lsub completed." : "List completed.");
out:
    tree_release(&t);
    buf_release(&flags);
    for (size_t i = 0; i < r.n; i++)
        buf_release(&r.patterns[i]);
}

void imap_cmd_list(struct imap_session *s, struct imap_args *a)
{
    list(s, a, false);
}

void imap_cmd_lsub(struct imap_session *s, struct imap_args *a)
{
    list(s, a, true);
}
