# SPDX-License-Identifier: BSD-2-Clause
"""Python's smtplib, imaplib and poplib: the life of a message."""
import email
import email.policy
import imaplib
import poplib
import smtplib
import time
from email.message import EmailMessage

import mua
import suite
from mua import ANN, BOB, PASSWORD


class Python(mua.ClientCase):
    def smtp(self, s):
        c = smtplib.SMTP_SSL("localhost", s.submissions, context=s.context(),
                             timeout=suite.DEADLINE)
        c.login(ANN, PASSWORD)
        return c

    def imap(self, s, user=BOB):
        c = imaplib.IMAP4_SSL("localhost", s.imaps, ssl_context=s.context())
        c.login(user, PASSWORD)
        c.select()
        return c

    def message(self):
        m = EmailMessage()
        m["From"], m["To"], m["Subject"] = ANN, BOB, "Plan für morgen"
        m.set_content("Grüße aus Köln\n")
        m.add_attachment(bytes(range(256)) * 400, maintype="application",
                         subtype="octet-stream", filename="a.bin")
        return m

    def test_a_message_from_end_to_end(self):
        s = self.server()
        sent = self.message()
        with self.smtp(s) as c:
            c.send_message(sent)
        imap = self.imap(s)
        data = imap.fetch("1", "(BODY[])")[1][0][1]
        got = email.message_from_bytes(data, policy=email.policy.default)
        self.equal(got["Subject"], "Plan für morgen")
        self.equal(got.get_body().get_content(), "Grüße aus Köln\r\n")
        self.equal(list(got.iter_attachments())[0].get_content(),
                   bytes(range(256)) * 400)
        pop = poplib.POP3_SSL("localhost", s.pop3s, context=s.context())
        pop.user(BOB)
        pop.pass_(PASSWORD)
        self.equal(b"\r\n".join(pop.retr(1)[1]) + b"\r\n", data)
        pop.quit()

    def test_flag_move_delete(self):
        s = self.server()
        self.deliver(s, BOB, "one", "two", "three")
        c = self.imap(s)
        self.equal(c.store("1", "+FLAGS", r"(\Flagged $Work)")[0], "OK")
        self.contains(c.fetch("1", "FLAGS")[1][0].decode(), "$Work")
        self.equal(c.create("Archive.2026")[0], "OK")
        c.capability()
        self.equal(c._simple_command("MOVE", "2", "Archive.2026")[0], "OK")
        self.equal(c.search(None, "ALL")[1], [b"1 2"])
        c.store("1", "+FLAGS", r"\Deleted")
        self.equal(c.expunge()[1][-1], b"1")  # behind that of MOVE
        self.equal(c.select("Archive.2026")[1], [b"1"])
        c.logout()

    def test_idle(self):
        """What is delivered shows up within 200 ms of the 250."""
        s = self.server()
        c = self.imap(s)
        c.send(b"x IDLE\r\n")
        self.true(c.readline().startswith(b"+"))
        with self.smtp(s) as sender:
            for n in range(1, 4):
                sender.sendmail(ANN, [BOB], "Subject: x\r\n\r\nx\r\n")
                accepted = time.monotonic()
                c.sock.settimeout(suite.DEADLINE)
                line = c.readline()
                while b"EXISTS" not in line:
                    line = c.readline()
                self.equal(line, b"* %d EXISTS\r\n" % n)
                self.true(time.monotonic() - accepted < 0.2)
        c.send(b"DONE\r\n")
        line = c.readline()
        while not line.startswith(b"x "):
            line = c.readline()
        self.true(line.startswith(b"x OK"))


suite.main()
