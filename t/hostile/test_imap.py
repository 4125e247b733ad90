# SPDX-License-Identifier: BSD-2-Clause
"""H18 to H28: what IMAP and POP3 clients send that should not be, and
messages that are made to cost the reader."""
import os
import time

import hostile
from hostile import ANN


class Access(hostile.AccessCase):
    def test_H18_before_the_login(self):
        self.server()
        for text in (b"a NOOP " + b"(" * 100000 + b"\r\n",
                     b"a ID (" + b"NIL " * 100000 + b")\r\n",
                     b"a LOGIN {4294967295}\r\n", b"a LOGIN {99999999+}\r\nx",
                     b"a" * 1000000 + b" NOOP\r\n",
                     b"a LOGIN " + b'"x" ' * 50000 + b"\r\n"):
            c = self.imap()
            c.send(text)
            line = c.line() or b"* BYE"
            self.true(line.startswith((b"* BYE", b"a BAD", b"* BAD", b"a NO")),
                      (text[:30], line))
            c.close()
        c = self.imap()
        for i in range(1000):
            if not c.send(b"a%d LOGIN {10000+}\r\n" % i + b"x" * 10000
                          + b" y\r\n"):
                break
        c.close()
        self.true(self.memory("login") < 40 << 10)
        self.still_serves()

    def test_H19_literals_and_tags(self):
        self.server()
        for text in ('a SELECT "IN{3}\r\nBOX"', "a SELECT {5}x\r\nINBOX",
                     b"a SELECT {6}\r\nIN\0BOX", b"a\rb NOOP", b"a\0b NOOP",
                     b"a SELECT IN\0BOX", "a SELECT {-1}", "a SELECT {1e3}",
                     "a SELECT {0005+}\r\nINBOX\r\n a NOOP"):
            c = self.login()
            c.send((text.encode() if isinstance(text, str) else text)
                   + b"\r\nz NOOP\r\n")
            found = b""
            while (line := c.line()) is not None:
                found += line + b"\n"
                if line.startswith(b"z "):
                    break
            self.true(b"BAD" in found or b"BYE" in found or b"NO " in found,
                      (text, found))
            c.close()
        self.still_serves()

    def test_H20_commands_that_cost(self):
        self.server()
        c = self.login()
        self.append(c, b"Subject: x\r\n\r\ny\r\n")
        self.good(c, "s SELECT INBOX")
        begin = time.process_time(), time.monotonic()
        for text in ("x SEARCH " + "NOT " * 20000 + "ALL",
                     "x SEARCH " + "(" * 20000 + "ALL" + ")" * 20000,
                     "x SEARCH " + "OR SEEN " * 20000 + "ALL",
                     "x FETCH " + ",".join(str(2 * i + 1)
                                           for i in range(3000)) + " FLAGS",
                     "x FETCH 4294967295 FLAGS", "x FETCH 1:4294967295 FLAGS",
                     "x FETCH *:4294967295 FLAGS", "x FETCH 0 FLAGS",
                     "x FETCH 4294967296 FLAGS", "x UID FETCH *:* UID",
                     "x UID STORE 1:* FLAGS (" + "\\Seen " * 2000 + ")",
                     "x STORE 1 +FLAGS (" + " ".join(
                         f"k{i}" for i in range(200)) + ")",
                     "x FETCH 1 BODY[" + "1." * 5000 + "1]",
                     "x FETCH 1 (" + "FLAGS " * 3000 + ")",
                     "x FETCH 1 BODY[]<4294967295.4294967295>",
                     "x LIST \"\" " + "*%" * 2000):
            answer = self.command(c, text)
            if answer == b"":
                c = self.login()
                self.good(c, "s SELECT INBOX")
            self.true(answer in (b"OK", b"NO", b"BAD", b""), text[:40])
        self.true(time.monotonic() - begin[1] < 20, "too slow")
        self.good(c, "z NOOP")
        self.true(self.memory("imapd") < 80 << 10, self.memory("imapd"))
        c.close()
        self.still_serves()

    def test_H21_names_that_lead_out(self):
        self.server()
        c = self.login()
        root = self.s.store
        before = {p for p in root.rglob("*")}
        for name in ("../x", "../../bob/x", "/etc/x", "~bob/x", ".x", "x.",
                     "a..b", "a/b", "&AGE", "&AGEAYg-x&", "&-&", "&2D0-",
                     "a*b", "a%b", "x" * 255, ".".join(["d"] * 200),
                     "new", "cur", "tmp", "index", "\x7f", "&AAA-", "a\\b"):
            for verb in ("CREATE", "SUBSCRIBE", "SELECT", "STATUS", "DELETE"):
                items = " (MESSAGES)" if verb == "STATUS" else ""
                quoted = name.replace("\\", "\\\\")
                answer = self.command(c, f'x {verb} "{quoted}"{items}')
                self.true(answer in (b"OK", b"NO", b"BAD"), (verb, name))
        for verb in ("CREATE", "SELECT"):
            answer = self.command(c, f"x {verb} {{3}}\r\na\0b".encode())
            self.true(answer in (b"NO", b"BAD", b""), verb)
            if answer == b"":
                c = self.login()
        for case in ("inbox", "InBoX", '"INBOX"'):
            self.good(c, f"x SELECT {case}")
            self.equal(self.command(c, f"x CREATE {case}"), b"NO")
        self.good(c, "x CREATE a")
        self.true(self.command(c, "x RENAME a ../a") in (b"NO", b"BAD"))
        account = self.s.maildir(ANN)
        for path in root.rglob("*"):
            self.true(path in before or account in path.parents or
                      path == account or path in account.parents, path)
        self.true(not (self.s.dir / "x").exists())
        c.close()
        self.still_serves()

    def test_H22_other_accounts_are_not_there(self):
        s = self.server()
        s.postern("tenant", "add", "other")
        s.postern("domain", "add", "two.example", "--tenant", "other")
        s.postern("user", "add", "eve@two.example", "--password-stdin",
                  input="secret\n")
        with s.smtp() as m:
            m.sendmail("x@y.example", [ANN, "eve@two.example"],
                       "Subject: x\r\n\r\nx")
        s.wait_messages(ANN, 1)
        c = self.login("eve@two.example")
        names = ("user.ann", "user/ann@one.example", "ann@one.example",
                 "#users/ann", "shared.ann", "one.example.ann", "nothing")
        for verb, rest in (("SELECT", ""), ("STATUS", " (MESSAGES)"),
                           ("EXAMINE", ""), ("LIST", "")):
            answers = set()
            for name in names:
                reference = '"" ' if verb == "LIST" else ""
                c.send(f'x {verb} {reference}"{name}"{rest}\r\n'.encode())
                lines = []
                while not (line := c.line()).startswith(b"x "):
                    lines.append(line)
                answers.add((tuple(lines), line.replace(name.encode(), b"")))
            self.equal(len(answers), 1, f"{verb}: {answers}")
        c.close()

    def test_H24_messages_that_cost(self):
        self.server(message_size_limit="50000000")
        deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
                        b"--b%d\r\n" % (i, i) for i in range(10000))
        parts = (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                 + b"--b\r\n\r\nx\r\n" * 100000 + b"--b--\r\n")
        people = b"To: " + b",\r\n ".join(
            b"a%d@x.example" % i for i in range(100000)) + b"\r\n\r\n"
        fields = b"".join(b"To: a%d@x.example\r\n" % i
                          for i in range(50000)) + b"\r\n"
        params = b"Content-Type: text/plain" + b"".join(
            b";\r\n p*%d*=x" % i for i in range(20000)) + b"\r\n\r\n"
        header = b"Subject: " + b"x" * 900 + b"\r\n"
        header += b"X-Long: " + b"\r\n ".join([b"y" * 900] * 20000)
        comments = b"From: " + b"(" * 50000 + b")" * 50000 + b"\r\n\r\n"
        for text in (deep, parts, people, fields, params, header, comments):
            c = self.login()
            c.send(b"a APPEND INBOX {%d+}\r\n" % len(text))
            c.send(text + b"\r\n")
            line = c.line() or b"gone"
            self.true(line.startswith((b"a OK", b"a NO")), (text[:30], line))
            c.close()
        c = self.login()
        self.good(c, "s SELECT INBOX")
        begin = time.monotonic()
        for item in ("ENVELOPE", "BODYSTRUCTURE", "BODY[HEADER]", "BODY[1]",
                     "BODY[1.1.1.1]", "BODY[HEADER.FIELDS (TO)]"):
            self.good(c, f"f FETCH 1:* ({item})")
        self.good(c, "s SEARCH TO a99999@x.example")
        # A second for each, of all seven messages.
        self.true(time.monotonic() - begin < 7, time.monotonic() - begin)
        self.true(self.memory("imapd") < 64 << 10, self.memory("imapd"))
        c.close()
        self.still_serves()

    # --- POP3 ---

    def test_H27_pop3_commands(self):
        self.server()
        with self.s.smtp() as m:
            m.sendmail("x@y.example", [ANN], "Subject: x\r\n\r\nx")
        self.s.wait_messages(ANN, 1)
        c = self.pop3()
        for text in (b"LIST 4294967297", b"LIST -1", b"LIST 0", b"TOP 1 -1",
                     b"TOP 1", b"TOP 1 99999999999999999999", b"RETR 2",
                     b"RETR", b"DELE 0", b"UIDL 99", b"USER x", b"PASS x",
                     b"APOP x y", b"STLS", b"XYZZY", b"RETR 1 1", b"LIST 1x",
                     b"x" * 5000):
            c.send(text + b"\r\n")
            line = c.line()
            if line is None:
                c = self.pop3()
            self.true(line is None or line.startswith(b"-ERR"), (text, line))
        c = self.pop3()
        c.send(b"DELE 1\r\nRETR 1\r\nDELE 1\r\nRSET\r\nLIST 1\r\n")
        self.equal([c.line()[:4] for _ in range(5)],
                   [b"+OK ", b"-ERR", b"-ERR", b"+OK", b"+OK "])
        c.close()
        for text in (b"PASS secret", b"USER", b"USER \xff\xfe", b"PASS \0",
                     b"AUTH PLAIN !!!", b"USER " + b"x" * 100000):
            c = self.open_tls(self.s.pop3s)
            c.line()
            c.send(text + b"\r\n")
            line = c.line() or b"-ERR"
            self.true(line.startswith((b"-ERR", b"+OK")), (text[:20], line))
            c.close()
        self.still_serves()

    def test_H28_identifiers_of_crafted_names(self):
        self.server()
        with self.s.smtp() as m:
            m.sendmail("x@y.example", [ANN], "Subject: x\r\n\r\nx")
        cur = self.s.wait_messages(ANN, 1)[0].parents[1] / "cur"
        owner = cur.stat()
        for name in ("1:2,S", "1.x:2,", "a b:2,", "\x1b[2J:2,", "é:2,",
                     "x" * 250, "1,S=5:2,", "1,S=99999999999999999999:2,",
                     ":2,", "1:2,SSSS", "1.y:1,x", "2:2,ZZ"):
            (cur / name).write_bytes(b"Subject: y\r\n\r\ny\r\n")
            if os.geteuid() == 0:
                os.chown(cur / name, owner.st_uid, owner.st_gid)
        c = self.pop3()
        c.send(b"UIDL\r\n")
        self.true(c.line().startswith(b"+OK"))
        ids = []
        while (line := c.line()) != b".":
            number, uid = line.split(b" ")
            self.true(all(0x21 <= b <= 0x7e for b in uid) and
                      len(uid) <= 70, uid)
            ids.append(uid)
        self.equal(len(set(ids)), len(ids))
        self.true(len(ids) >= 10, ids)
        for i in range(len(ids)):
            c.send(b"RETR %d\r\n" % (i + 1))
            self.true(c.line().startswith(b"+OK"))
            while c.line() != b".":
                pass
        c.close()
        self.still_serves()


hostile.suite.main()
