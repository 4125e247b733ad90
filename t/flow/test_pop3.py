# SPDX-License-Identifier: BSD-2-Clause
"""POP3 after the login, with Python's poplib."""
import os
import poplib

import suite

ANN = "ann@one.example"


class Pop3(suite.Case):
    def server(self):
        s = self.instance("po").mail().tls()
        s.start().add_users(ANN)
        return s

    def send(self, s, *texts):
        # One after the other: two deliveries at once may overtake each other.
        with s.smtp() as c:
            for n, text in enumerate(texts, 1):
                c.sendmail("x@y.example", [ANN], text)
                s.wait_messages(ANN, n)

    def login(self, s, user=ANN, password="secret"):
        c = poplib.POP3("127.0.0.1", s.pop3, timeout=suite.DEADLINE)
        c.host = "mail.test.example"
        c.stls(context=s.context())
        c.user(user)
        c.pass_(password)
        return c

    def test_fetch_and_delete(self):
        s = self.server()
        self.send(s, b"Subject: one\r\n\r\n.dot\r\n..dots\r\nend\r\n",
                  b"Subject: two\r\n\r\n" + b"line\r\n" * 1000)
        c = self.login(s)
        count, size = c.stat()
        self.equal(count, 2)
        paths = s.messages(ANN)
        self.equal(size, sum(p.stat().st_size for p in paths))
        text = b"\r\n".join(c.retr(1)[1]) + b"\r\n"
        self.equal(text, paths[0].read_bytes())
        self.true(text.endswith(b"\r\n\r\n.dot\r\n..dots\r\nend\r\n"), text)
        top = c.top(2, 3)[1]
        self.equal(top[-4:], [b"", b"line", b"line", b"line"])
        self.equal(c.top(2, 0)[1][-1], b"")
        uids = [line.split()[1] for line in c.uidl()[1]]
        self.equal(len(set(uids)), 2)
        c.dele(1)
        for ask in (lambda: c.retr(1), lambda: c.retr(3), lambda: c.dele(0)):
            try:
                ask()
                raise AssertionError("answered")
            except poplib.error_proto:
                pass
        self.equal(len(c.list()[1]), 1)
        c.rset()
        self.equal(len(c.list()[1]), 2)
        c.dele(1)
        c.quit()
        c = self.login(s)
        self.equal([line.split()[1] for line in c.uidl()[1]], uids[1:])
        self.equal(len(s.messages(ANN)), 1)
        c.quit()
        s.wait_log(f"pop3({ANN})<")

    def test_a_lost_connection_deletes_nothing(self):
        s = self.server()
        self.send(s, b"Subject: one\r\n\r\nx\r\n")
        c = self.login(s)
        c.dele(1)
        c.close()
        s.wait_log("Disconnected: Connection closed top=0/0")
        self.equal(len(s.messages(ANN)), 1)

    def test_lines_of_other_tools_are_sent_as_crlf(self):
        s = self.server()
        self.send(s, b"Subject: one\r\n\r\nx\r\n")
        new = s.maildir(ANN) / "cur/1.2.other:2,"
        new.write_bytes(b"Subject: lf\n\nbody\nlast without end")
        owner = s.maildir(ANN).stat()
        if os.geteuid() == 0:
            os.chown(new, owner.st_uid, owner.st_gid)
        c = self.login(s)
        numbers = [int(line.split()[0]) for line in c.list()[1]]
        self.equal(numbers, [1, 2])
        sizes = [int(line.split()[1]) for line in c.list()[1]]
        texts = [b"\r\n".join(c.retr(n)[1]) for n in numbers]
        self.true(b"Subject: lf\r\n\r\nbody\r\nlast without end" in texts)
        self.true(len(b"Subject: lf\r\n\r\nbody\r\nlast without end") in sizes)
        c.quit()


suite.main()
