/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an address stands for in the end. A walk over a list, not a recursion:
 * each address is looked at once, which also ends every cycle; depth and
 * number are bounded. An address that comes back among its own targets is
 * looked at once more without the tables that it came through: "ann: ann,
 * bob" leaves ann her copy.
 */
#include "mapd/mapd.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/map.h"

/* The tables that an address was replaced by. */
enum through { VIRTUAL_ALIASES = 1 << 0, LOCAL_ALIASES = 1 << 1 };

struct step {
    struct map_node node; /* by the address in lower case */
    struct step *next;
    const struct step *parent; /* whose target it is; NULL: it was asked for */
    struct step *again;        /* the same address without those tables */
    unsigned depth;
    unsigned skip, through;    /* enum through */
    char *address, *folded;
};

struct walk {
    struct lookup *lookup;
    struct map seen;
    struct step *first, **last;
    struct step *now; /* the one whose targets are added */
    size_t n, sent;
    struct error why; /* of the last failure: answers point into it */
};

static struct step *append(struct walk *w, struct view address)
{
    struct step *s = alloc_zero(1, sizeof *s);

    s->address = alloc_copy(address.data, address.len);
    s->parent = w->now;
    s->depth = w->now ? w->now->depth + 1 : 0;
    *w->last = s;
    w->last = &s->next;
    w->n++;
    return s;
}

static bool is_above(const struct step *s, const struct step *of)
{
    while (of != NULL && of != s)
        of = of->parent;
    return of != NULL;
}

/* Add an address, or one that is there already once more as told above. */
static void add(struct walk *w, struct view address)
{
    char *folded = alloc_copy(address.data, address.len);
    struct map_node *node;
    struct step *s, *old;

    for (char *c = folded; *c != '\0'; c++)
        *c = ascii_lower(*c);
    node = map_find(&w->seen, view_of(folded));
    if (node == NULL) {
        s = append(w, address);
        s->folded = folded;
        s->node.key = view_of(folded);
        map_add(&w->seen, &s->node);
        return;
    }
    free(folded);
    old = map_entry(node, struct step, node);
    while (old->again != NULL)
        old = old->again;
    if (old->through == 0 || !is_above(old, w->now))
        return;
    s = append(w, address);
    s->skip = old->skip | old->through;
    old->again = s;
}

static void release(struct walk *w)
{
    while (w->first != NULL) {
        struct step *s = w->first;

        w->first = s->next;
        if (s->folded != NULL)
            map_remove(&w->seen, &s->node);
        free(s->address);
        free(s->folded);
        free(s);
    }
}

static int send_rcpt(struct walk *w, struct view address,
                     const struct resolve_answer *r, struct error *err)
{
    struct expand_rcpt x = { .address = address, .transport = r->transport,
                             .nexthop = r->nexthop, .account = r->account,
                             .quota = r->quota };

    w->sent++;
    return ipc_send(w->lookup->client, &expand_rcpt_type, &x, err);
}

/* What cannot be delivered to: asked for itself, that is the answer. A target
 * of an alias becomes a recipient that fails: the sender is told, and the
 * alias's other targets are delivered to. */
static int fail_step(struct walk *w, const struct resolve_answer *r,
                     struct resolve_answer *answer, struct error *err)
{
    const struct step *s = w->now;
    struct resolve_answer failed = { .transport = VIEW("error") };
    char reason[320];

    if (s->depth == 0 || r->result == RESOLVE_LATER) {
        *answer = *r;
        return 0;
    }
    snprintf(reason, sizeof reason, "%s %.*s", resolve_dsn(r->result),
             VIEW_ARG(r->text));
    failed.nexthop = view_of(reason);
    return send_rcpt(w, view_of(s->address), &failed, err);
}

/* --- targets ----------------------------------------------------------- */

static bool is_too_much(const struct walk *w)
{
    return w->now->depth >= mapd_conf.virtual_alias_recursion_limit ||
           w->n > mapd_conf.virtual_alias_expansion_limit;
}

static bool add_target(struct view target, void *arg)
{
    struct walk *w = arg;

    add(w, target);
    return w->n <= mapd_conf.virtual_alias_expansion_limit;
}

static void refuse_size(struct resolve_answer *answer)
{
    answer->result = RESOLVE_REFUSED;
    answer->text = VIEW("alias expansion is too deep or too large");
}

/* Is an extension that the tables did not have passed on? */
static bool passes_on(const char *table)
{
    struct view rest = view_of(mapd_conf.propagate_unmatched_extensions), w;

    while (view_word(&rest, ", \t", &w))
        if (view_is(w, table))
            return true;
    return false;
}

static int add_aliases(struct walk *w, enum through through,
                       struct view values, struct view extension,
                       struct resolve_answer *answer, struct error *err)
{
    struct step *s = w->now;
    struct resolve_answer refused = { .result = RESOLVE_REFUSED };
    const char *table = through == VIRTUAL_ALIASES ? "virtual" : "alias";

    s->through = through;
    if (!passes_on(table))
        extension = VIEW("");
    if (is_too_much(w)) {
        refuse_size(answer);
        return 0;
    }
    if (targets_each(values, view_of(s->address), extension, add_target, w,
                     &w->why) < 0) {
        refused.text = view_sub(view_of(w->why.text), 0, RESOLVE_TEXT_MAX);
        return fail_step(w, &refused, answer, err);
    }
    if (w->n > mapd_conf.virtual_alias_expansion_limit)
        refuse_size(answer);
    return 0;
}

/* The addresses that an account forwards to, or an alias of the directory
 * stands for, one a line. */
static void add_directory(struct walk *w, struct view targets,
                          struct resolve_answer *answer)
{
    struct view line;
    bool more = true;

    if (targets.len > 0 && is_too_much(w))
        more = false;
    while (more && view_cut(&targets, '\n', &line))
        if (line.len > 0)
            more = add_target(line, w);
    if (!more)
        refuse_size(answer);
}

/* --- the walk ---------------------------------------------------------- */

/* Deliver to the address itself, and to what the directory adds. */
static int take_final(struct walk *w, const struct resolve_answer *r,
                      struct resolve_answer *answer, struct error *err)
{
    struct view address = view_of(w->now->address);
    const struct directory_answer *a = &w->lookup->found.answer;
    bool is_alias = false;

    if (r->class == CLASS_VIRTUAL && w->lookup->found.asked.len > 0) {
        add_directory(w, a->targets, answer);
        is_alias = a->kind == DIRECTORY_ALIAS;
    }
    return is_alias ? 0 : send_rcpt(w, address, r, err);
}

/* One address of the walk: a recipient, an alias, or both (an account that
 * forwards keeps its copy). */
static int take_step(struct walk *w, struct resolve_answer *answer,
                     struct error *err)
{
    struct lookup *l = w->lookup;
    struct step *s = w->now;
    struct view address = view_of(s->address), extension;
    struct resolve_answer r;
    int found = 0;

    l->address = address;
    directory_forget(l);
    buf_reset(&l->value);
    if (!(s->skip & VIRTUAL_ALIASES))
        found = resolve_virtual_alias(l, address, &extension, &l->value,
                                      &w->why);
    if (found > 0)
        return add_aliases(w, VIRTUAL_ALIASES, buf_view(&l->value), extension,
                           answer, err);
    if (found == 0) {
        resolve_final(l, address, s->skip & LOCAL_ALIASES, &r);
        if (r.result != RESOLVE_OK)
            return fail_step(w, &r, answer, err);
        buf_reset(&l->value);
        if (r.class == CLASS_LOCAL && !(s->skip & LOCAL_ALIASES))
            found = resolve_local_alias(l, address, &extension, &l->value,
                                        &w->why);
    }
    if (found > 0)
        return add_aliases(w, LOCAL_ALIASES, buf_view(&l->value), extension,
                           answer, err);
    if (found < 0) {
        resolve_later(address, &w->why, answer);
        return 0;
    }
    return take_final(w, &r, answer, err);
}

int expand(struct lookup *l, struct view address, struct error *err)
{
    struct walk w = { .lookup = l };
    struct resolve_answer answer = { .result = RESOLVE_OK };
    int rc = 0;

    w.last = &w.first;
    add(&w, address);
    for (w.now = w.first;
         w.now != NULL && rc == 0 && answer.result == RESOLVE_OK;
         w.now = w.now->next)
        rc = take_step(&w, &answer, err);
    /* Aliases that lead to nothing but each other. */
    if (answer.result == RESOLVE_OK && w.sent == 0) {
        answer.result = RESOLVE_REFUSED;
        answer.text = VIEW("its aliases lead to nobody");
    }
    if (rc == 0)
        rc = ipc_send(l->client, &resolve_answer_type, &answer, err);
    release(&w);
    return rc;
}
