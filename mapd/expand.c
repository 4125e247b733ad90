/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an address stands for in the end. A walk over a list, not a recursion:
 * each address is looked at once, which also ends every cycle; depth and
 * number are bounded.
 */
#include "mapd/mapd.h"

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/map.h"

struct step {
    struct map_node node; /* by the address in lower case */
    struct step *next;
    unsigned depth;
    char *address, *folded;
};

struct walk {
    struct map seen;
    struct step *first, **last;
    size_t n;
};

static void add(struct walk *w, struct view address, unsigned depth)
{
    struct step *s = alloc_zero(1, sizeof *s);

    s->address = alloc_copy(address.data, address.len);
    s->folded = alloc_copy(address.data, address.len);
    for (char *c = s->folded; *c != '\0'; c++)
        *c = ascii_lower(*c);
    s->node.key = view_of(s->folded);
    s->depth = depth;
    if (!map_add(&w->seen, &s->node)) {
        free(s->address);
        free(s->folded);
        free(s);
        return;
    }
    *w->last = s;
    w->last = &s->next;
    w->n++;
}

static void release(struct walk *w)
{
    while (w->first != NULL) {
        struct step *s = w->first;

        w->first = s->next;
        map_remove(&w->seen, &s->node);
        free(s->address);
        free(s->folded);
        free(s);
    }
}

static bool add_targets(struct walk *w, struct view targets, unsigned depth)
{
    struct view line;

    if (depth > mapd_conf.virtual_alias_recursion_limit)
        return false;
    while (view_cut(&targets, '\n', &line))
        if (line.len > 0 && w->n <= mapd_conf.virtual_alias_expansion_limit)
            add(w, line, depth);
    return w->n <= mapd_conf.virtual_alias_expansion_limit;
}

static int send_rcpt(struct lookup *l, struct view address,
                     const struct resolve_answer *r, struct error *err)
{
    struct expand_rcpt x = { .address = address, .transport = r->transport,
                             .nexthop = r->nexthop, .account = r->account,
                             .quota = r->quota };

    return ipc_send(l->client, &expand_rcpt_type, &x, err);
}

/* A target of an alias that nobody can have becomes a recipient that fails:
 * the sender is told, and the alias's other targets are delivered to. */
static int send_failed(struct lookup *l, struct view address,
                       const struct resolve_answer *r, struct error *err)
{
    char reason[320];
    struct expand_rcpt x = { .address = address, .transport = VIEW("error") };

    snprintf(reason, sizeof reason, "5.1.1 %.*s", VIEW_ARG(r->text));
    x.nexthop = view_of(reason);
    return ipc_send(l->client, &expand_rcpt_type, &x, err);
}

/* One address of the walk: a recipient, an alias, or both (an account that
 * forwards keeps its copy). An unknown first address is the answer. */
static int take_step(struct lookup *l, struct walk *w, const struct step *s,
                     struct resolve_answer *answer, struct error *err)
{
    struct view address = view_of(s->address);
    struct directory_answer a;
    struct resolve_answer r;
    struct buf targets = BUF_INIT;
    int rc = 0;

    resolve(l, address, &r);
    if (r.result != RESOLVE_OK) {
        if (s->depth > 0 && r.result != RESOLVE_LATER)
            return send_failed(l, address, &r, err);
        *answer = r;
        return 0;
    }
    if (r.class == CLASS_VIRTUAL) {
        lookup_directory(l, address, &a);
        if (a.kind == DIRECTORY_LATER) {
            answer->result = RESOLVE_LATER;
            return 0;
        }
        buf_add_view(&targets, a.targets);
        r.account = a.kind == DIRECTORY_ACCOUNT ? a.account : VIEW("");
    }
    if (r.class != CLASS_VIRTUAL || r.account.len > 0)
        rc = send_rcpt(l, address, &r, err);
    if (rc == 0 && targets.len > 0 &&
        !add_targets(w, buf_view(&targets), s->depth + 1)) {
        answer->result = RESOLVE_REFUSED;
        answer->text = VIEW("alias expansion is too deep or too large");
    }
    buf_release(&targets);
    return rc;
}

int expand(struct lookup *l, struct view address, struct error *err)
{
    struct walk w = { .n = 0 };
    struct resolve_answer answer = { .result = RESOLVE_OK };
    int rc = 0;

    w.last = &w.first;
    add(&w, address, 0);
    for (struct step *s = w.first;
         s != NULL && rc == 0 && answer.result == RESOLVE_OK; s = s->next)
        rc = take_step(l, &w, s, &answer, err);
    if (rc == 0)
        rc = ipc_send(l->client, &resolve_answer_type, &answer, err);
    release(&w);
    return rc;
}
