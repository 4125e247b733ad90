# SPDX-License-Identifier: BSD-2-Clause
"""IMAP after the login, with Python's imaplib and by hand."""
import imaplib
import re
import time

import suite
from test_login import Line

ANN = "ann@one.example"
TEXT = (b"From: Ann <ann@one.example>\r\nTo: bob@one.example\r\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 2 Mar 2026 "
        b"10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: "
        b"multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<p>x</p>\r\n--b--\r\n")


class Imap(suite.Case):
    def server(self):
        s = self.instance("im").mail().tls()
        return s.start().add_users(ANN)

    def send(self, s, *texts):
        with s.smtp() as c:
            for text in texts:
                c.sendmail("x@y.example", [ANN], text)

    def login(self, s):
        c = imaplib.IMAP4("127.0.0.1", s.imap, timeout=suite.DEADLINE)
        c.host = "mail.test.example"
        c.starttls(s.context())
        c.login(ANN, "secret")
        return c

    def raw(self, s):
        """A session by hand; its INBOX is selected."""
        c = Line(s.connect_tls(s.imaps))
        c.read()
        c.say(f"a LOGIN {ANN} secret")
        c.until("a OK")
        c.say("b SELECT INBOX")
        c.until("b OK")
        return c

    def matches(self, pattern, text):
        self.true(re.match(pattern, text), text)

    def ok(self, answer):
        self.equal(answer[0], "OK", answer)
        return answer[1]

    def test_the_usual_life_of_a_client(self):
        s = self.server()
        self.send(s, TEXT)
        s.wait_messages(ANN, 1)  # deliveries may overtake each other
        self.send(s, b"Subject: two\r\n\r\nsecond\r\n")
        s.wait_messages(ANN, 2)
        c = self.login(s)
        self.equal(self.ok(c.select("INBOX")), [b"2"])
        data = self.ok(c.fetch("1", "(UID FLAGS RFC822.SIZE ENVELOPE "
                               "BODYSTRUCTURE BODY.PEEK[])"))
        text = next(d[1] for d in data if isinstance(d, tuple))
        self.true(text.endswith(TEXT), text)
        self.contains(data[0][0].decode(), "UID 1 FLAGS (\\Recent)")
        self.contains(data[0][0].decode(), "Gr=C3=BC=C3=9Fe")
        self.contains(data[0][0].decode(), '"mixed"')
        data = self.ok(c.fetch("1", "(BODY[1] BODY[2.MIME] "
                               "BODY[HEADER.FIELDS (TO)] BODY[]<0.4>)"))
        parts = [d[1] for d in data if isinstance(d, tuple)]
        self.equal(parts, [b"hello", b"Content-Type: text/html\r\n\r\n",
                           b"To: bob@one.example\r\n\r\n", parts[3]])
        self.equal(len(parts[3]), 4)
        self.contains(self.ok(c.fetch("1", "FLAGS"))[0].decode(), "\\Seen")
        self.ok(c.store("2", "+FLAGS", "(\\Flagged $Work)"))
        self.equal(self.ok(c.search(None, "FLAGGED")), [b"2"])
        self.equal(self.ok(c.search(None, "KEYWORD", "$Work")), [b"2"])
        self.equal(self.ok(c.search(None, "SUBJECT", "two")), [b"2"])
        self.equal(self.ok(c.search(None, "BODY", "hello")), [b"1"])
        self.equal(self.ok(c.search("UTF-8", "SUBJECT", '"Gr\u00fc\u00dfe"'
                                    .encode())), [b"1"])
        self.equal(self.ok(c.search(None, "OR", "UNSEEN", "SENTON",
                                    "2-Mar-2026")), [b"1 2"])
        self.ok(c.create("Work"))
        self.ok(c.copy("1:2", "Work"))
        self.equal(self.ok(c.status("Work", "(MESSAGES UNSEEN UIDNEXT)")),
                   [b'"Work" (MESSAGES 2 UIDNEXT 3 UNSEEN 1)'])
        self.ok(c.append("Work", "(\\Draft)", imaplib.Time2Internaldate(
            time.time()), b"Subject: draft\r\n\r\nx\r\n"))
        self.ok(c.store("1", "+FLAGS", "(\\Deleted)"))
        self.equal(self.ok(c.expunge()), [b"1"])
        self.equal(self.ok(c.select("Work")), [b"3"])
        self.equal(self.ok(c.uid("SEARCH", "DRAFT")), [b"3"])
        self.ok(c.close())
        self.ok(c.rename("Work", "Play"))
        names = [line.decode().split(" ")[-1].strip('"')
                 for line in self.ok(c.list())]
        self.equal(sorted(names), ["INBOX", "Play"])
        self.ok(c.delete("Play"))
        c.logout()
        s.wait_log(f"imap({ANN})<")

    @suite.not_watched("a time is measured")
    def test_idle_tells_of_new_mail_soon(self):
        s = self.server()
        c = self.raw(s)
        c.say("c IDLE")
        self.true(c.read().startswith("+"))
        for n in range(1, 4):
            self.send(s, b"Subject: news\r\n\r\nx\r\n")
            start = time.monotonic()
            self.equal(c.until(f"* {n} EXISTS"), f"* {n} EXISTS")
            self.true(time.monotonic() - start < 0.2, "later than 200 ms")
        c.say("DONE")
        self.true(c.until("c ").startswith("c OK"))

    def test_two_sessions_see_each_other(self):
        s = self.server()
        self.send(s, *[b"Subject: x\r\n\r\nx\r\n"] * 3)
        s.wait_messages(ANN, 3)
        one, two = self.raw(s), self.raw(s)
        one.say("c STORE 2 +FLAGS (\\Deleted)")
        one.until("c OK")
        two.say("d NOOP")
        self.contains(two.until("* 2 FETCH"), "\\Deleted")
        two.until("d OK")
        one.say("e EXPUNGE")
        self.equal(one.until("* 2 EXPUNGE"), "* 2 EXPUNGE")
        one.until("e OK")
        two.say("f FETCH 1:3 (UID)")  # no numbers change here
        line = two.until("* 3 FETCH")
        self.contains(line, "UID 3")
        two.until("f ")
        two.say("g NOOP")
        self.equal(two.until("* 2 EXPUNGE"), "* 2 EXPUNGE")
        two.until("g OK")

    def test_uidplus_move_and_condstore(self):
        s = self.server()
        self.send(s, *[b"Subject: x\r\n\r\nx\r\n"] * 3)
        s.wait_messages(ANN, 3)
        c = self.raw(s)
        c.say("c CREATE To")
        c.until("c OK")
        c.say("d UID COPY 1 To")
        self.matches(r"d OK \[COPYUID \d+ 1 1\]", c.until("d "))
        c.say("e UID MOVE 2:3 To")
        self.matches(r"\* OK \[COPYUID \d+ 2:3 2:3\]",
                     c.until("* OK [COPYUID"))
        c.until("e OK")
        c.say("f STATUS To (MESSAGES HIGHESTMODSEQ SIZE)")
        line = c.until("* STATUS")
        for part in (r"MESSAGES 3\b", r"\bHIGHESTMODSEQ \d", r"\bSIZE \d"):
            self.true(re.search(part.strip(), line), line)
        c.until("f OK")
        c.say("g APPEND To {5+}\r\na\r\nb\r\n")
        self.matches(r"g OK \[APPENDUID \d+ 4\]", c.until("g "))
        c.say("h STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)")
        self.contains(c.until("h "), "[MODIFIED 1]")
        c.say("i UID SEARCH RETURN (COUNT MAX) ALL")
        self.equal(c.until("* ESEARCH"),
                   '* ESEARCH (TAG "i") UID MAX 1 COUNT 1')
        c.until("i OK")

    def test_hostile_commands_end_nothing(self):
        s = self.server()
        c = self.raw(s)
        for n, text in enumerate((
                "FETCH", "FETCH 0 FLAGS", "FETCH 1:* (", "SEARCH " + "(" *
                5000, "STORE 99999999999 FLAGS ()", "UID FETCH 1 BODY[1.2",
                "SEARCH " + "NOT " * 5000 + "ALL", 'LIST "" "' + "*%" * 200
                + '"', "SELECT {99999999999}", "NONSENSE", "STATUS",
                'SELECT "unterminated')):
            c.say(f"h{n} {text}")
            reply = c.until(f"h{n} ")
            self.true(reply.split()[1] in ("BAD", "NO", "OK"), reply)
        c.say("z NOOP")
        self.true(c.until("z ").startswith("z OK"))


if __name__ == "__main__":
    suite.main()
