/* SPDX-License-Identifier: BSD-2-Clause */
#include "mapd/mapd.h"

#include "base/log.h"

struct mapd_conf mapd_conf;

void lookup_directory(struct lookup *l, struct view address,
                      struct directory_answer *a)
{
    struct directory_ask ask = { address };
    struct error err;

    *a = (struct directory_answer){ .kind = DIRECTORY_LATER };
    for (int again = 0; again < 2; again++) {
        if (l->authd.fd < 0 &&
            service_connect(l->daemon, "authd", "",
                            mapd_conf.ipc_timeout * 1000, &l->authd, &err) <
                0)
            break;
        if (ipc_call(&l->authd, &directory_ask_type, &ask,
                     &directory_answer_type, a, &err) == 0)
            return;
        ipc_release(&l->authd); /* it may have been started anew */
    }
    log_warning("directory lookup of <%.*s>: %s", VIEW_ARG(address), err.text);
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

static int on_packet(struct lookup *l, struct ipc_packet *p,
                     struct error *err)
{
    int id = ipc_id(p->bytes);

    if (id == resolve_ask_type.id)
        return on_resolve(l, p, err);
    if (id == expand_ask_type.id)
        return on_expand(l, p, err);
    return error_set(err, FAIL_PERM, "message 0x%04x is not of this protocol",
                     (unsigned)id);
}

void mapd_serve(struct daemon *d, struct client *c)
{
    static struct ipc authd = { .fd = -1 }; /* kept for the next client */
    struct lookup l = { .daemon = d, .authd = authd };
    struct ipc client;
    struct ipc_packet p;
    struct error err;
    int n;

    ipc_init(&client, c->fd, 0);
    c->fd = -1;
    l.client = &client;
    while ((n = ipc_recv(&client, &p, &err)) > 0) {
        n = on_packet(&l, &p, &err);
        ipc_packet_release(&p);
        if (n < 0)
            break;
    }
    if (n < 0)
        log_warning("closing the channel of %s[%u]: %s", c->role, c->pid,
                    err.text);
    authd = l.authd;
    ipc_release(&client);
}
