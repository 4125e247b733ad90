/* SPDX-License-Identifier: BSD-2-Clause */
/* What mapd answers, by tables in their own names and a small directory. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "config/config.h"
#include "mapd/mapd.h"
#include "unit.h"

/* --- a directory ------------------------------------------------------- */

static const struct {
    const char *address;
    enum directory_kind kind;
    const char *account, *targets;
} directory[] = {
    { "ann@one.example", DIRECTORY_ACCOUNT, "ann@one.example", "" },
    { "ann+x@one.example", DIRECTORY_ACCOUNT, "ann@one.example", "" },
    { "fwd@one.example", DIRECTORY_ACCOUNT, "fwd@one.example",
      "ann@one.example\nout@far.example" },
    { "both@one.example", DIRECTORY_ALIAS, "",
      "ann@one.example\nboth@one.example\nnone@one.example" },
    { "loop@one.example", DIRECTORY_ALIAS, "", "loop@one.example" },
    { "away@one.example", DIRECTORY_LATER, "", "" },
    { "root@here.example", DIRECTORY_ACCOUNT, "root@here.example", "" },
};

static struct directory_answer answer_to(struct view address)
{
    struct directory_answer a = { .kind = DIRECTORY_NONE };
    size_t n = sizeof directory / sizeof *directory;

    if (view_ends(address, "@one.example"))
        a = (struct directory_answer){ .kind = DIRECTORY_UNKNOWN,
                                       .tenant = VIEW("t") };
    for (size_t i = 0; i < n; i++) {
        if (!view_is_nocase(address, directory[i].address))
            continue;
        a.kind = directory[i].kind;
        a.tenant = VIEW("t");
        a.account = view_of(directory[i].account);
        a.targets = view_of(directory[i].targets);
        a.enabled = a.account.len > 0;
    }
    return a;
}

static void be_authd(int fd)
{
    struct ipc c;
    struct error err;
    struct directory_ask ask;

    ipc_init(&c, fd, 0);
    while (ipc_expect(&c, &directory_ask_type, &ask, &err) == 0) {
        struct directory_answer a = answer_to(ask.address);

        ipc_send(&c, &directory_answer_type, &a, &err);
    }
    _exit(0);
}

/* --- a mapd ------------------------------------------------------------ */

struct mapd {
    struct daemon daemon;
    struct lookup l;
    struct ipc client, peer; /* what expand() sends, and where we read it */
    pid_t authd;
};

static void open_mapd(struct mapd *m, const char *main_cf)
{
    struct config *cfg;
    struct error err;
    int authd[2], client[2];

    *m = (struct mapd){ .authd = -1 };
    assert_int_equal(ipc_pair(authd, &err), 0);
    assert_int_equal(ipc_pair(client, &err), 0);
    m->authd = fork();
    if (m->authd == 0) {
        close(authd[0]);
        close(client[0]);
        close(client[1]);
        be_authd(authd[1]);
    }
    close(authd[1]);
    ipc_init(&m->l.authd, authd[0], 5000);
    ipc_init(&m->client, client[0], 5000);
    ipc_init(&m->peer, client[1], 5000);
    m->l.daemon = &m->daemon;
    m->l.client = &m->client;
    m->l.role = "cleanup";
    assert_int_equal(config_parse(&cfg, view_of(main_cf), "main.cf", &err), 0);
    assert_int_equal(config_load(cfg, mapd_params, &mapd_conf, &err), 0);
    config_free(&cfg);
    maps_prepare(&m->l);
}

static void close_mapd(struct mapd *m)
{
    maps_release(&m->l);
    ipc_release(&m->l.authd);
    ipc_release(&m->client);
    ipc_release(&m->peer);
    buf_release(&m->l.found.asked);
    buf_release(&m->l.found.tenant);
    buf_release(&m->l.found.account);
    buf_release(&m->l.found.targets);
    buf_release(&m->l.value);
    buf_release(&m->l.route);
    for (size_t i = 0; i < m->daemon.n_extra; i++)
        free((char *)(uintptr_t)m->daemon.extra[i].path);
    free(m->daemon.extra);
    config_unload(mapd_params, &mapd_conf);
    assert_int_equal(waitpid(m->authd, NULL, 0), m->authd);
}

static const char *const results[] = { "ok", "unknown", "later", "refused" };
static const char *const classes[] = { "local", "virtual", "alias", "relay",
                                       "default" };

/* One line that says all: "ok virtual local:one.example ann@one.example". */
static void describe(const struct resolve_answer *r, struct buf *out)
{
    buf_addf(out, "%s", results[r->result]);
    if (r->result == RESOLVE_OK)
        buf_addf(out, " %s %.*s:%.*s %.*s", classes[r->class],
                 VIEW_ARG(r->transport), VIEW_ARG(r->nexthop),
                 VIEW_ARG(r->account));
    else if (r->result != RESOLVE_LATER)
        buf_addf(out, " %.*s", VIEW_ARG(r->text));
}

struct row {
    const char *address, *says;
};

static void check_resolve(struct mapd *m, const struct row *rows)
{
    for (; rows->address != NULL; rows++) {
        struct resolve_answer r;
        struct buf said = BUF_INIT;

        resolve(&m->l, view_of(rows->address), &r);
        describe(&r, &said);
        if (strcmp(buf_text(&said), rows->says) != 0)
            print_error("%s\n", rows->address);
        assert_buf(&said, rows->says);
        buf_release(&said);
    }
}

/* The recipients in their order, "address" or "address(reason)", then the
 * result if it is not ok. */
static void check_expand(struct mapd *m, const struct row *rows)
{
    for (; rows->address != NULL; rows++) {
        struct resolve_answer r;
        struct buf said = BUF_INIT;
        struct ipc_packet p;
        struct error err;

        assert_int_equal(expand(&m->l, view_of(rows->address), &err), 0);
        for (;;) {
            struct expand_rcpt x;

            assert_int_equal(ipc_recv(&m->peer, &p, &err), 1);
            if (ipc_id(p.bytes) == resolve_answer_type.id)
                break;
            assert_int_equal(ipc_packet_decode(&p, &expand_rcpt_type, &x,
                                               &err), 0);
            buf_addf(&said, "%.*s", VIEW_ARG(x.address));
            if (view_is(x.transport, "error"))
                buf_addf(&said, "(%.*s)", VIEW_ARG(x.nexthop));
            buf_add_char(&said, ' ');
        }
        assert_int_equal(ipc_packet_decode(&p, &resolve_answer_type, &r,
                                           &err), 0);
        if (r.result != RESOLVE_OK)
            describe(&r, &said);
        if (strcmp(buf_text(&said), rows->says) != 0)
            print_error("%s\n", rows->address);
        assert_buf(&said, rows->says);
        buf_release(&said);
    }
}

#define ROWS(...) ((const struct row[]){ __VA_ARGS__, { NULL, NULL } })

/* --- tests ------------------------------------------------------------- */

static void accounts_are_found_without_a_setting(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m, "recipient_delimiter = +\n");
    check_resolve(&m, ROWS(
        { "ann@one.example",
          "ok virtual local:one.example ann@one.example" },
        { "Ann+x@One.Example",
          "ok virtual local:One.Example ann@one.example" },
        { "both@one.example", "ok virtual local:one.example " },
        { "none@one.example",
          "unknown User unknown in virtual mailbox table" },
        { "away@one.example", "later" },
        { "x@far.example", "ok default smtp:far.example " },
        { "nowhere", "refused an address without a domain" },
        { "user@", "refused an address without a domain" }));
    check_expand(&m, ROWS(
        { "ann+x@one.example", "ann+x@one.example " },
        { "fwd@one.example",
          "fwd@one.example ann@one.example out@far.example " },
        { "both@one.example", "ann@one.example none@one.example(5.1.1 User "
          "unknown in virtual mailbox table) " },
        { "loop@one.example", "refused its aliases lead to nobody" },
        { "none@one.example",
          "unknown User unknown in virtual mailbox table" },
        { "away@one.example", "later" }));
    close_mapd(&m);
}

static void classes_are_asked_in_order(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m,
        "mydestination = here.example, one.example\n"
        "virtual_alias_maps = inline:{ {a@list.example=x@far.example}"
        " {any@one.example=x@far.example} }\n"
        "virtual_alias_domains = list.example here.example\n"
        "relay_domains = !no.in.example in.example list.example\n"
        "relay_transport = lmtp:[mx.in.example]:24\n"
        "alias_maps = inline:{post=ann@one.example}\n"
        "local_recipient_maps = $alias_maps inline:{ {inner@here.example=x}}\n"
        "local_transport = lmtp:inner\n"
        "relayhost = [out.example]\n");
    check_resolve(&m, ROWS(
        { "post@here.example", "ok local lmtp:inner " },
        { "POST@one.example", "ok local lmtp:inner " },
        { "inner@here.example", "ok local lmtp:inner " },
        { "any@one.example", "ok local lmtp:inner " },
        { "ann@one.example", "ok local lmtp:inner ann@one.example" },
        { "none@one.example",
          "unknown User unknown in local recipient table" },
        { "a@list.example", "ok alias error:5.1.1 User unknown in virtual "
          "alias table " },
        { "b@list.example", "unknown User unknown in virtual alias table" },
        { "x@in.example", "ok relay lmtp:[mx.in.example]:24 " },
        { "x@sub.in.example", "ok relay lmtp:[mx.in.example]:24 " },
        { "x@no.in.example", "ok default smtp:[out.example] " },
        { "x@begin.example", "ok default smtp:[out.example] " }));
    close_mapd(&m);
}

static void transports_have_the_last_word(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m,
        "virtual_alias_domains =\n"
        "relayhost = hub.example\n"
        "transport_maps = inline:{"
        " {ann@one.example=smtp:[inner.example]:2525} {one.example=:}"
        " {a.example=error:5.1.2 no such place} {b.example=error:gone}"
        " {c.example=error:} {d.example=slow:} {e.example=:[mx.example]}"
        " {f.example=error:2.0.0 fine} {g.example=fast}"
        " {h.example=error:5.1.2} {n.example=:} }\n");
    check_resolve(&m, ROWS(
        { "ann@one.example", "ok virtual smtp:[inner.example]:2525 " },
        { "fwd@one.example",
          "ok virtual local:one.example fwd@one.example" },
        { "x@a.example", "ok default error:5.1.2 no such place " },
        { "x@sub.a.example", "ok default error:5.1.2 no such place " },
        { "x@b.example", "ok default error:5.0.0 gone " },
        { "x@c.example", "ok default error:5.0.0 c.example " },
        { "x@d.example", "ok default slow:d.example " },
        { "x@e.example", "ok default smtp:[mx.example] " },
        { "x@f.example", "ok default error:5.0.0 2.0.0 fine " },
        { "x@g.example", "ok default fast:g.example " },
        { "x@h.example", "ok default error:5.1.2 " },
        { "x@n.example", "ok default smtp:hub.example " },
        { "x@z.example", "ok default smtp:hub.example " }));
    close_mapd(&m);
}

static void virtual_aliases_are_followed(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m,
        "recipient_delimiter = +\n"
        "myorigin = one.example\n"
        "virtual_alias_domains = v.example\n"
        "virtual_alias_maps = inline:{"
        " {self@v.example=self@v.example, ann}"
        " {ann@one.example=ann@one.example, fwd@one.example}"
        " {fwd@one.example=ann@one.example}"
        " {a@v.example=b@v.example} {b@v.example=c@v.example}"
        " {c@v.example=\"q x\"@far.example, Joe <joe@far.example>}"
        " {@all.example=@far.example}"
        " {ext@v.example=x@far.example, y}"
        " {cmd@v.example=|/bin/true} {bad@v.example=a b c}"
        " {mix@v.example=x@far.example, cmd@v.example} }\n");
    check_expand(&m, ROWS(
        { "a@v.example", "\"q x\"@far.example joe@far.example " },
        { "ann@one.example", "ann@one.example " },
        { "self@v.example", "self@v.example(5.1.1 User unknown in virtual "
          "alias table) ann@one.example " },
        { "Some.One@all.example", "Some.One@far.example " },
        { "ext+1@v.example",
          "x+1@far.example y+1@one.example(5.1.1 User unknown in virtual "
          "mailbox table) " },
        { "cmd@v.example", "refused its alias names a command, and no "
          "command is run here" },
        { "mix@v.example", "x@far.example cmd@v.example(5.4.6 its alias "
          "names a command, and no command is run here) " }));
    close_mapd(&m);
}

static void local_aliases_are_followed(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m,
        "recipient_delimiter = +\n"
        "mydestination = here.example\n"
        "myorigin = here.example\n"
        "alias_maps = inline:{ {root=root, ann@one.example} {post=root}"
        " {ghost=ghost} {file=/var/mail/x} {inc=:include:/etc/x} }\n");
    check_expand(&m, ROWS(
        { "post+x@here.example", "root@here.example ann@one.example " },
        { "ghost@here.example", "ghost@here.example(5.1.1 User unknown in "
          "local recipient table) " },
        { "file@here.example", "refused its alias names a file, and mail is "
          "not written to files" },
        { "inc@here.example", "refused its alias names an :include: file, "
          "which is not read here" },
        { "none@here.example",
          "unknown User unknown in local recipient table" }));
    close_mapd(&m);
}

static void expansion_has_limits(void **state)
{
    struct mapd m;

    (void)state;
    open_mapd(&m,
        "virtual_alias_recursion_limit = 3\n"
        "virtual_alias_expansion_limit = 4\n"
        "virtual_alias_maps = inline:{ {0@v=1@v} {1@v=2@v} {2@v=3@v}"
        " {3@v=4@v} {w@v=a@v,b@v,c@v} {x@v=a@v,b@v,c@v,d@v,e@v} }\n"
        "virtual_alias_domains =\n");
    check_expand(&m, ROWS(
        { "1@v", "4@v " },
        { "0@v", "refused alias expansion is too deep or too large" },
        { "w@v", "a@v b@v c@v " },
        { "x@v", "refused alias expansion is too deep or too large" }));
    close_mapd(&m);
}

static void a_table_that_fails_is_no_answer(void **state)
{
    static const char *const settings[] = {
        "virtual_alias_maps = hash:/nowhere/virtual\n",
        "virtual_mailbox_domains = texthash:/nowhere/x\n",
        "virtual_mailbox_maps = nis:x\n",
        "mydestination = /nowhere/x\n",
        "transport_maps = inline:{ {one.example=} }\n",
        "transport_maps = directory:\n",
        ("alias_maps = pcre:{ {/(x)/ $$1} } hash:/nowhere/x\n"
         "mydestination = one.example\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct mapd m;

        open_mapd(&m, settings[i]);
        check_resolve(&m, ROWS({ "ann@one.example", "later" }));
        check_expand(&m, ROWS({ "ann@one.example", "later" }));
        close_mapd(&m);
    }
}

static void a_role_asks_for_its_own_tables_only(void **state)
{
    static const struct {
        const char *role, *parameter, *key, *says; /* NULL: may not */
    } rows[] = {
        { "smtp", "smtp_sasl_password_maps", "mx.example", "ok u:p" },
        { "smtp", "smtp_sasl_password_maps", "MX.example", "ok u:p" },
        { "smtp", "smtp_sasl_password_maps", "other", "unknown " },
        { "smtp", "smtp_tls_policy_maps", "a", "later " },
        { "smtpd", "smtpd_sender_login_maps", "a@b", "ok ann" },
        { "smtpd", "smtp_sasl_password_maps", "mx.example", NULL },
        { "smtpd", "smtp_tls_policy_maps", "mx.example", NULL },
        { "cleanup", "smtp_sasl_password_maps", "mx.example", NULL },
        { "smtp", "smtpd_sender_login_maps", "a@b", NULL },
        { "smtp", "virtual_alias_maps", "a@b", NULL },
        { "smtp", "inline:{ {a=b} }", "a", NULL },
        { "smtp", "", "a", NULL },
        { "", "smtp_sasl_password_maps", "mx.example", NULL },
    };
    struct mapd m;

    (void)state;
    open_mapd(&m, "smtp_sasl_password_maps = inline:{ {mx.example=u:p} }\n"
                  "smtpd_sender_login_maps = inline:{ {a@b=ann} }\n"
                  "smtp_tls_policy_maps = hash:/nowhere/x\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct map_ask ask = { view_of(rows[i].parameter),
                               view_of(rows[i].key) };
        struct map_answer a;
        struct buf said = BUF_INIT;
        struct error err;
        int rc;

        m.l.role = rows[i].role;
        rc = maps_ask(&m.l, &ask, &a, &err);
        assert_int_equal(rc, rows[i].says ? 0 : -1);
        if (rc < 0)
            continue;
        buf_addf(&said, "%s %.*s", results[a.result], VIEW_ARG(a.value));
        assert_buf(&said, rows[i].says);
        buf_release(&said);
    }
    close_mapd(&m);
}

static void the_jail_opens_directories_of_tables(void **state)
{
    struct buf paths = BUF_INIT;
    struct mapd m;

    (void)state;
    open_mapd(&m, "virtual_alias_domains =\n"
                  "virtual_alias_maps = hash:/nowhere/maps/virtual\n"
                  "transport_maps = texthash:/etc/transport, static:{/a/b}\n"
                  "relay_domains = regexp:/x one.example !pcre:/nowhere/y/z\n");
    for (size_t i = 0; i < m.daemon.n_extra; i++) {
        assert_int_equal(m.daemon.extra[i].access, SANDBOX_READ);
        buf_addf(&paths, "%s\n", m.daemon.extra[i].path);
    }
    assert_buf(&paths, "/nowhere/maps\n/etc/transport\n/x\n/nowhere/y\n");
    buf_release(&paths);
    close_mapd(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found_without_a_setting),
        cmocka_unit_test(classes_are_asked_in_order),
        cmocka_unit_test(transports_have_the_last_word),
        cmocka_unit_test(virtual_aliases_are_followed),
        cmocka_unit_test(local_aliases_are_followed),
        cmocka_unit_test(expansion_has_limits),
        cmocka_unit_test(a_table_that_fails_is_no_answer),
        cmocka_unit_test(a_role_asks_for_its_own_tables_only),
        cmocka_unit_test(the_jail_opens_directories_of_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
