/* SPDX-License-Identifier: BSD-2-Clause */
/* IMAP sessions as transcripts: the session runs in a child, over a socket
 * pair, on a Maildir of its own. */
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imapd/imapd.h"
#include "scratch.h"
#include "unit.h"

#define REPLY_MAX 65536

struct session {
    struct scratch home;
    int fd;
    pid_t pid;
    char reply[REPLY_MAX]; /* to the last command */
};

/* What the client says, and a pattern (fnmatch) for all of the answer. */
struct step {
    const char *say, *expect;
};

static void configure(void)
{
    imapd_conf = (struct imapd_conf){
        .myhostname = "mail.test.example", .imap_max_bad_commands = 20,
        .imap_idle_timeout = 1800, .imap_idle_poll = 1,
        .imap_line_length = 65536, .message_size_limit = 100000,
        .imap_lock_timeout = 5, .imap_search_depth = 100,
    };
}

static void begin(struct session *s)
{
    int pair[2];

    configure();
    memset(s, 0, sizeof *s);
    scratch_make(&s->home);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    s->pid = fork();
    if (s->pid == 0) {
        struct daemon d = { .control_line = { .fd = -1 } }; /* no master */
        int root;

        close(pair[0]);
        if (chdir(s->home.path) < 0)
            _exit(2);
        root = open(".", O_RDONLY | O_DIRECTORY);
        store_prepare();
        struct client c = { .fd = pair[1], .account = "ann@one.example",
                            .session = "test" };

        imap_session_run(&d, root, &c);
        close(root);
        _exit(0);
    }
    close(pair[1]);
    s->fd = pair[0];
}

/* The child must have ended well, whatever was said to it. */
static void end(struct session *s)
{
    int status;

    close(s->fd);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    scratch_remove(&s->home);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Does the answer end with a line that answers a command, or asks for more? */
static bool is_complete(const char *reply, const char *tag, size_t tag_len)
{
    size_t len = strlen(reply);
    const char *line;

    if (len < 2 || strcmp(reply + len - 2, "\r\n") != 0)
        return false;
    line = memrchr(reply, '\n', len - 1);
    line = line != NULL ? line + 1 : reply;
    return (strncmp(line, tag, tag_len) == 0 && line[tag_len] == ' ') ||
           strncmp(line, "+ ", 2) == 0 || strncmp(line, "* BYE", 5) == 0 ||
           strncmp(line, "* BAD", 5) == 0;
}

static void hear(struct session *s, const char *tag, size_t tag_len)
{
    size_t len = 0;

    s->reply[0] = '\0';
    while (!is_complete(s->reply, tag, tag_len)) {
        ssize_t n = recv(s->fd, s->reply + len, sizeof s->reply - len - 1, 0);

        if (n <= 0)
            break;
        len += (size_t)n;
        s->reply[len] = '\0';
    }
}

static void say(struct session *s, const char *text)
{
    size_t len = strlen(text);

    assert_int_equal(send(s->fd, text, len, MSG_NOSIGNAL), len);
    assert_int_equal(send(s->fd, "\r\n", 2, MSG_NOSIGNAL), 2);
}

static void converse(struct session *s, const struct step *step)
{
    char tag[20] = "";

    for (; step->say != NULL; step++) {
        if (strchr(step->say, ' ') != NULL && s->reply[0] != '+')
            snprintf(tag, sizeof tag, "%.*s", (int)strcspn(step->say, " "),
                     step->say);
        say(s, step->say);
        hear(s, tag, strlen(tag));
        if (fnmatch(step->expect, s->reply, FNM_NOESCAPE) != 0)
            fail_msg("\"%s\"\nwas answered\n%sand not\n%s", step->say,
                     s->reply, step->expect);
    }
}

static void play(const struct step *steps)
{
    struct session s;

    begin(&s);
    converse(&s, steps);
    end(&s);
}

#define MESSAGE \
    "From: Ann <ann@one.example>\r\nTo: bob@one.example\r\n" \
    "Subject: =?utf-8?q?caf=C3=A9?=\r\n" \
    "Date: Tue, 1 Feb 1994 10:00:00 +0000\r\n\r\nline one\r\nline two\r\n"
/* its 142 bytes */
#define APPEND(tag, flags) \
    { tag " APPEND INBOX " flags "{142+}\r\n" MESSAGE, \
      tag " OK ?APPENDUID * *] Append completed.\r\n" }

static void simple_commands(void **state)
{
    (void)state;
    play((const struct step[]) {
        { "a CAPABILITY", "* CAPABILITY IMAP4rev1 *\r\na OK *" },
        { "b noop", "b OK NOOP completed.\r\n" },
        { "c ID NIL", "* ID (\"name\" \"Postern\")\r\nc OK *" },
        { "d ID (\"name\" \"x\" \"v\" NIL)", "* ID *\r\nd OK *" },
        { "e NAMESPACE", "* NAMESPACE ((\"\" \".\")) NIL NIL\r\ne OK *" },
        { "f ENABLE CONDSTORE X", "* ENABLED CONDSTORE\r\nf OK *" },
        { "g CREATE work", "g OK *" },
        { "h CREATE work", "h NO ?ALREADYEXISTS] *" },
        { "i LOGOUT", "* BYE *\r\ni OK *" },
        { NULL, NULL },
    });
}

static void nonsense_is_bad(void **state)
{
    (void)state;
    play((const struct step[]) {
        { "a ", "a BAD An atom is missing.\r\n" },
        { "", "* BAD *" },
        { "a+ NOOP", "* BAD A command begins with a tag.\r\n" },
        { "a NOSUCH", "a BAD There is no such command.\r\n" },
        { "b NOOP x", "b BAD Too many arguments.\r\n" },
        { "c FETCH 1 FLAGS", "c BAD No mailbox is selected.\r\n" },
        { "d UID NOOP", "d BAD There is no such command.\r\n" },
        { "e SELECT", "e BAD An argument is missing.\r\n" },
        { "f SELECT \"x", "f BAD A quoted string does not end.\r\n" },
        { "g SELECT {99999999}", "g BAD ?TOOBIG] *" },
        { "g\r,x SELECT {99999999}", "* BAD ?TOOBIG] *" },
        { "g+ SELECT {99999999}", "* BAD ?TOOBIG] *" },
        { "h SELECT {3}", "+ OK\r\n" },
        { "x\ry", "h NO *" },
        { "i APPEND INBOX (", "i BAD *" },
        { "j APPEND INBOX (\\Recent) {3+}\r\nabc", "j BAD *" },
        { "k NOOP", "k OK *" },
        { NULL, NULL },
    });
}

static void too_much_nonsense_is_the_end(void **state)
{
    struct session s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 21; i++)
        say(&s, "x NOSUCH");
    hear(&s, "y", 1);
    assert_non_null(strstr(s.reply, "* BYE Too many senseless commands."));
    end(&s);
}

static void messages_come_and_go(void **state)
{
    (void)state;
    play((const struct step[]) {
        { "a APPEND nowhere {142+}\r\n" MESSAGE, "a NO ?TRYCREATE] *" },
        { "b APPEND INBOX {200000}", "b NO ?TOOBIG] *" },
        { "b2 APPEND INBOX {200000}", "b2 NO ?TOOBIG] *" },
        { "c APPEND INBOX (\\Seen $Work) \" 1-Feb-1994 10:00:00 +0000\" "
          "{142}", "+ OK\r\n" },
        { MESSAGE, "c OK ?APPENDUID * 1] *" },
        APPEND("d", ""),
        APPEND("e", "(\\Flagged) "),
        { "f SELECT inbox",
          "* FLAGS (*)\r\n* OK ?PERMANENTFLAGS (*\\*)] *\r\n* 3 EXISTS\r\n"
          "* ? RECENT\r\n* OK ?UNSEEN 2] *\r\n* OK ?UIDVALIDITY *] *\r\n"
          "* OK ?UIDNEXT 4] *\r\n* OK ?HIGHESTMODSEQ *] *\r\n"
          "f OK ?READ-WRITE] Select completed.\r\n" },
        { "g FETCH 1 (UID RFC822.SIZE INTERNALDATE FLAGS)",
          "* 1 FETCH (UID 1 RFC822.SIZE 142 INTERNALDATE \""
          " 1-Feb-1994 10:00:00 +0000\" FLAGS (\\Seen* $Work))\r\ng OK *" },
        { "h STORE 2 +FLAGS (\\Deleted)",
          "* 2 FETCH (FLAGS (\\Deleted*))\r\nh OK *" },
        { "i EXPUNGE", "* 2 EXPUNGE\r\ni OK *" },
        { "j UID FETCH 1:* FLAGS",
          "* 1 FETCH (FLAGS (\\Seen* $Work) UID 1)\r\n"
          "* 2 FETCH (FLAGS (\\Flagged*) UID 3)\r\nj OK *" },
        { "k CREATE old", "k OK *" },
        { "l COPY 1:2 old", "l OK ?COPYUID * 1,3 1:2] *" },
        { "m UID MOVE 3 old",
          "* OK ?COPYUID * 3 3] Moved.\r\n* 2 EXPUNGE\r\nm OK *" },
        { "n STATUS old (MESSAGES UIDNEXT UNSEEN SIZE)",
          "* STATUS \"old\" (MESSAGES 3 UIDNEXT 4 UNSEEN 2 SIZE 426)\r\n"
          "n OK *" },
        { "o COPY 1 nowhere", "o NO ?TRYCREATE] *" },
        { "p FETCH 2 FLAGS", "p BAD *" },
        { "q UID FETCH 99 FLAGS", "q OK *" },
        { "r STORE 1 FLAGS ()", "* 1 FETCH (FLAGS (*))\r\nr OK *" },
        { "s STORE 1 +FLAGS.SILENT (a b)", "s OK *" },
        { "t UID EXPUNGE 1:*", "t OK *" },
        { "u CLOSE", "u OK *" },
        { "v FETCH 1 FLAGS", "v BAD *" },
        { "w EXAMINE INBOX", "*w OK ?READ-ONLY] *" },
        { "x STORE 1 FLAGS ()", "x NO *" },
        { "y UNSELECT", "y OK *" },
        { NULL, NULL },
    });
}

static void bodies_are_shown(void **state)
{
    (void)state;
    play((const struct step[]) {
        APPEND("a", ""),
        { "b SELECT INBOX", "*b OK *" },
        { "c FETCH 1 BODY.PEEK[TEXT]",
          "* 1 FETCH (BODY?TEXT] {20}\r\nline one\r\nline two\r\n)\r\n"
          "c OK *" },
        { "d FETCH 1 BODY.PEEK[HEADER.FIELDS (subject x)]",
          "* 1 FETCH (BODY?HEADER.FIELDS (SUBJECT X)] {34}\r\n"
          "Subject: =?utf-8?q?caf=C3=A9?=\r\n\r\n)\r\nd OK *" },
        { "e FETCH 1 BODY.PEEK[]<5.3>",
          "* 1 FETCH (BODY?]<5> {3}\r\n An)\r\ne OK *" },
        { "f FETCH 1 BODY.PEEK[]<999.3>",
          "* 1 FETCH (BODY?]<999> {0}\r\n)\r\nf OK *" },
        { "g FETCH 1 BODY.PEEK[2]", "* 1 FETCH (BODY?2] NIL)\r\ng OK *" },
        { "h FETCH 1 ENVELOPE",
          "* 1 FETCH (ENVELOPE (\"Tue, 1 Feb 1994 10:00:00 +0000\" *))\r\n"
          "h OK *" },
        { "i FETCH 1 BODYSTRUCTURE",
          "* 1 FETCH (BODYSTRUCTURE (\"text\" \"plain\" *))\r\ni OK *" },
        { "j FETCH 1 (BODY.PEEK[HEADER] UID BODY.PEEK[1])",
          "* 1 FETCH (BODY?HEADER] {122}\r\n*\r\n\r\n UID 1 BODY?1] {20}\r\n"
          "*)\r\nj OK *" },
        { "k FETCH 1 BODY[]",
          "* 1 FETCH (BODY?] {142}\r\nFrom: *two\r\n FLAGS (\\Seen*))\r\n"
          "k OK *" },
        { "l FETCH 1 FULL", "* 1 FETCH (FLAGS *)\r\nl OK *" },
        { NULL, NULL },
    });
}

static void searches_find(void **state)
{
    (void)state;
    play((const struct step[]) {
        APPEND("a", "(\\Seen) "),
        APPEND("b", "($Work) "),
        APPEND("c", "(\\Deleted) "),
        { "d SELECT INBOX", "*d OK *" },
        { "e SEARCH ALL", "* SEARCH 1 2 3\r\ne OK *" },
        { "f SEARCH UNSEEN", "* SEARCH 2 3\r\nf OK *" },
        { "g SEARCH OR SEEN DELETED", "* SEARCH 1 3\r\ng OK *" },
        { "h SEARCH KEYWORD $work", "* SEARCH 2\r\nh OK *" },
        { "i SEARCH NOT KEYWORD nosuch 2:*", "* SEARCH 2 3\r\ni OK *" },
        { "j SEARCH BODY \"LINE TWO\" SEEN", "* SEARCH 1\r\nj OK *" },
        { "k SEARCH BODY ann", "* SEARCH\r\nk OK *" },
        { "l SEARCH TEXT ann@", "* SEARCH 1 2 3\r\nl OK *" },
        { "m SEARCH CHARSET utf-8 SUBJECT {5+}\r\nCAF\xc3\x89 1",
          "* SEARCH 1\r\nm OK *" },
        { "n SEARCH CHARSET nosuch ALL", "n NO ?BADCHARSET *" },
        { "o SEARCH SENTON 1-Feb-1994 SENTBEFORE 2-Feb-1994 1",
          "* SEARCH 1\r\no OK *" },
        { "p SEARCH SINCE 1-Jan-2020 LARGER 141 SMALLER 143 UID 3",
          "* SEARCH 3\r\np OK *" },
        { "q SEARCH RETURN (MIN MAX COUNT ALL) ALL",
          "* ESEARCH (TAG \"q\") MIN 1 MAX 3 ALL 1:3 COUNT 3\r\nq OK *" },
        { "r UID SEARCH RETURN () UNDELETED",
          "* ESEARCH (TAG \"r\") UID ALL 1:2\r\nr OK *" },
        { "s SEARCH RETURN (COUNT MIN) KEYWORD x",
          "* ESEARCH (TAG \"s\") COUNT 0\r\ns OK *" },
        { "t SEARCH MODSEQ 1",
          "* OK ?HIGHESTMODSEQ *] *\r\n* SEARCH 1 2 3 (MODSEQ *)\r\nt OK *" },
        { "u SEARCH", "u BAD *" },
        { NULL, NULL },
    });
}

static void changes_are_guarded(void **state)
{
    (void)state;
    play((const struct step[]) {
        APPEND("a", ""),
        { "b SELECT INBOX (CONDSTORE)", "*b OK *" },
        { "c STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)",
          "c OK ?MODIFIED 1] *" },
        { "d STORE 1 (UNCHANGEDSINCE 99999999) +FLAGS.SILENT (\\Seen)",
          "* 1 FETCH (MODSEQ (*))\r\nd OK *" },
        { "e FETCH 1 (FLAGS) (CHANGEDSINCE 99999999)", "e OK *" },
        { "f FETCH 1 (FLAGS) (CHANGEDSINCE 1)",
          "* 1 FETCH (FLAGS (\\Seen*) MODSEQ (*))\r\nf OK *" },
        { NULL, NULL },
    });
}

static void mailboxes_are_listed(void **state)
{
    (void)state;
    play((const struct step[]) {
        { "a LIST \"\" \"\"", "* LIST (\\Noselect) \".\" \"\"\r\na OK *" },
        { "b CREATE a.b", "b OK *" },
        { "c CREATE Things (USE (\\Archive))", "c OK *" },
        { "d CREATE x (USE (\\All))", "d NO ?USEATTR] *" },
        { "e LIST \"\" inbox", "* LIST (\\HasNoChildren) \".\" \"INBOX\"\r\n"
          "e OK *" },
        { "f LIST \"\" a.%",
          "* LIST (\\HasNoChildren) \".\" \"a.b\"\r\nf OK *" },
        { "g LIST a. %", "* LIST (\\HasNoChildren) \".\" \"a.b\"\r\ng OK *" },
        { "h LIST \"\" T*",
          "* LIST (\\HasNoChildren \\Archive) \".\" \"Things\"\r\nh OK *" },
        { "i LIST (SPECIAL-USE) \"\" *",
          "*\"Things\"\r\ni OK *" },
        { "j LIST \"\" a", "* LIST (\\Noselect \\HasChildren) \".\" \"a\"\r\n"
          "j OK *" },
        { "k SUBSCRIBE a.b", "k OK *" },
        { "l LSUB \"\" *", "* LSUB () \".\" \"a.b\"\r\nl OK *" },
        { "m LSUB \"\" %", "* LSUB (\\Noselect) \".\" \"a\"\r\nm OK *" },
        { "n LIST (SUBSCRIBED) \"\" *",
          "* LIST (\\Subscribed \\HasNoChildren) \".\" \"a.b\"\r\nn OK *" },
        { "o LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
          "* LIST (\\NonExistent \\HasChildren) \".\" \"a\" "
          "(\"CHILDINFO\" (\"SUBSCRIBED\"))\r\no OK *" },
        { "p LIST \"\" (INBOX a.b) RETURN (STATUS (MESSAGES))",
          "* LIST (*) \".\" \"INBOX\"\r\n* STATUS \"INBOX\" (MESSAGES 0)\r\n"
          "* LIST (*) \".\" \"a.b\"\r\n* STATUS \"a.b\" (MESSAGES 0)\r\n"
          "p OK *" },
        { "q LIST (RECURSIVEMATCH) \"\" *", "q BAD *" },
        { "r UNSUBSCRIBE a.b", "r OK *" },
        { "s LSUB \"\" *", "s OK *" },
        { "t RENAME Things Stuff", "t OK *" },
        { "u LIST \"\" S*", "*\"Stuff\"\r\nu OK *" },
        { "v SELECT Stuff", "*v OK *" },
        { "w DELETE Stuff", "* OK ?CLOSED] *\r\nw OK *" },
        { "x DELETE Stuff", "x NO ?NONEXISTENT] *" },
        { "y DELETE INBOX", "y NO *" },
        { "z GETQUOTAROOT INBOX",
          "* QUOTAROOT \"INBOX\" \"User quota\"\r\n* QUOTA *\r\nz OK *" },
        { NULL, NULL },
    });
}

static void idle_waits(void **state)
{
    struct session s;

    (void)state;
    begin(&s);
    converse(&s, (const struct step[]) {
        { "a SELECT INBOX", "*a OK *" },
        { "b IDLE", "+ idling\r\n" },
        { "DONE", "b OK *" },
        { "c IDLE", "+ idling\r\n" },
        { "NOOP", "c BAD *" },
        { NULL, NULL },
    });
    end(&s);
}

/* The session ends at hang-up wherever it is. */
static void clients_vanish(void **state)
{
    static const char *const last[] = {
        "a NO", "a APPEND INBOX {100+}\r\nabc", "a SELECT {10}\r\n12",
        "a IDLE\r\n", "a SELECT INBOX\r\nb FETCH 1:* BODY[]\r\n", "",
    };
    struct session s;

    (void)state;
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) {
        begin(&s);
        assert_true(send(s.fd, last[i], strlen(last[i]), MSG_NOSIGNAL) >= 0);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_commands),
        cmocka_unit_test(nonsense_is_bad),
        cmocka_unit_test(too_much_nonsense_is_the_end),
        cmocka_unit_test(messages_come_and_go),
        cmocka_unit_test(bodies_are_shown),
        cmocka_unit_test(searches_find),
        cmocka_unit_test(changes_are_guarded),
        cmocka_unit_test(mailboxes_are_listed),
        cmocka_unit_test(idle_waits),
        cmocka_unit_test(clients_vanish),
    };

    alarm(50); /* a session that hangs is a failure */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
