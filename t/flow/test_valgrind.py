# SPDX-License-Identifier: BSD-2-Clause
"""One message's way through each single-session daemon, under valgrind. All
tests of this folder can be run so: POSTERN_TEST_VALGRIND=all t/run flow/."""
import contextlib
import imaplib
import os
import poplib

os.environ["POSTERN_TEST_VALGRIND"] = "all"

import peers  # noqa: E402
import suite  # noqa: E402

ANN = "ann@one.example"
TEXT = b"Subject: looked at\r\n\r\n.dot\r\ntext\r\n"


class Valgrind(suite.Case):
    def test_in_and_out_and_back(self):
        sink = peers.Sink(replies={"RCPT no@far.example": "550 5.1.1 none"})
        dns = peers.NameServer({("far.example", "MX"): ["10 mx.far.example"],
                                ("mx.far.example", "A"): ["127.0.0.1"]})
        with contextlib.closing(sink), contextlib.closing(dns):
            s = self.instance("vg").mail().tls()
            s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
            s.settings.update({"dns_servers": f"127.0.0.1:{dns.port}",
                               "smtp_tcp_port": sink.port})
            s.start().add_users(ANN)
            with s.smtp() as c:
                c.sendmail(ANN, [ANN, "bob@far.example", "no@far.example"],
                           TEXT)
            suite.wait_for(lambda: sink.messages, "the message at far.example")
            s.wait_messages(ANN, 2)  # and a notification
            self.read(s)
            s.stop()

    def read(self, s):
        context = s.context()
        context.check_hostname = False  # these two ask for the address
        with imaplib.IMAP4("127.0.0.1", s.imap) as c:
            c.starttls(context)
            c.login(ANN, "secret")
            self.equal(c.select("INBOX"), ("OK", [b"2"]))
            self.equal(c.search(None, "SUBJECT", "looked")[0], "OK")
            self.equal(c.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE BODY[])")
                       [0], "OK")
            c.copy("1", "INBOX")
            c.append("INBOX", "", None, TEXT)
        c = poplib.POP3("127.0.0.1", s.pop3, timeout=suite.DEADLINE)
        c.stls(context=context)
        c.user(ANN)
        c.pass_("secret")
        self.equal(c.stat()[0], 4)
        c.retr(1)
        c.dele(1)
        c.quit()


suite.main()
