/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

struct mapd_conf mapd_conf;

static struct lookup lookup = { .authd = { .fd = -1 } };

void mapd_prepare(struct daemon *d)
{
    lookup.daemon = d;
    maps_prepare(&lookup);
}

/* Berkeley DB's handles hold each other by offsets, so that to a search for
 * leaks open ones look lost. */
void mapd_ended(struct daemon *d)
{
    (void)d;
    maps_release(&lookup);
}

static int on_resolve(struct lookup *l, struct ipc_packet *p,
                      struct error *err)
{
    struct resolve_answer answer;
    struct resolve_ask ask;

    if (ipc_packet_decode(p, &resolve_ask_type, &ask, err) < 0)
        return -1;
    resolve(l, ask.address, &answer);
    return ipc_send(l->client, &resolve_answer_type, &answer, err);
}

static int on_expand(struct lookup *l, struct ipc_packet *p,
                     struct error *err)
{
    struct expand_ask ask;

    if (ipc_packet_decode(p, &expand_ask_type, &ask, err) < 0)
        return -1;
    return expand(l, ask.address, err);
}

static int on_map(struct lookup *l, struct ipc_packet *p, struct error *err)
{
    struct map_answer answer;
    struct map_ask ask;

    if (ipc_packet_decode(p, &map_ask_type, &ask, err) < 0 ||
        maps_ask(l, &ask, &answer, err) < 0)
        return -1;
    return ipc_send(l->client, &map_answer_type, &answer, err);
}

int mapd_answer(struct daemon *d, const struct client *c, struct ipc *line,
                struct ipc_packet *p, struct error *err)
{
    int id = ipc_id(p->bytes);

    (void)d;
    lookup.client = line;
    lookup.role = c->role;
    if (id == resolve_ask_type.id)
        return on_resolve(&lookup, p, err);
    if (id == expand_ask_type.id)
        return on_expand(&lookup, p, err);
    if (id == map_ask_type.id)
        return on_map(&lookup, p, err);
    return error_set(err, FAIL_PERM, "message 0x%04x is not of this protocol",
                     (unsigned)id);
}
